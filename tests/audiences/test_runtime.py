"""Generated modules come, can be looked at while they live, and go without a trace."""

from __future__ import annotations

import gc
import inspect
import linecache
import weakref
from collections.abc import Iterator

import pytest

from edgewise.audiences.runtime import generate

SOURCE = "def double(n):\n    return n * _c0\n"


@pytest.fixture
def no_cycle_collection() -> Iterator[None]:
    """Leaves only reference counts to free what a test makes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def entries() -> set[str]:
    """The pseudo files of generated modules that can be looked at."""
    return {name for name in linecache.cache if name.startswith("<edgewise ")}


def test_functions_and_constants() -> None:
    """A module gives its functions by name and the constants they were given."""
    generated = generate(SOURCE, {"_c0": 2, "_len": len}, "test")
    assert generated.functions.keys() == {"double"}
    assert generated.functions["double"](21) == 42
    assert generated.constants == {"_c0": 2}
    assert generated.source == SOURCE


def test_helpers_are_no_constants() -> None:
    """Only numbered names are constants, whatever a helper's name begins with."""
    assert generate(SOURCE, {"_c0": 2, "_contains": len}, "test").constants == {"_c0": 2}


def test_source_can_be_looked_at() -> None:
    """Tools that show source find it, also after the cache was checked."""
    generated = generate(SOURCE, {"_c0": 2}, "test")
    linecache.checkcache()
    assert inspect.getsource(generated.functions["double"]) == SOURCE
    assert linecache.getline(generated.file, 2) == "    return n * _c0\n"


def test_file_names() -> None:
    """A pseudo file names its label and digest, and no two modules share one."""
    first, second = (generate(SOURCE, {"_c0": 2}, "demo/main") for _ in range(2))
    assert first.file.startswith("<edgewise demo/main ")
    assert first.file.endswith(">")
    assert first.file.rpartition("-")[0] == second.file.rpartition("-")[0]
    assert first.file != second.file


@pytest.mark.usefixtures("no_cycle_collection")
def test_module_dies_with_its_owner() -> None:
    """Functions are freed by reference count alone, and their source is forgotten."""
    generated = generate(SOURCE, {"_c0": 2}, "test")
    file, function = generated.file, weakref.ref(generated.functions["double"])
    assert file in entries()
    del generated
    assert function() is None
    assert file not in entries()


@pytest.mark.usefixtures("no_cycle_collection")
def test_equal_module_survives() -> None:
    """Of two modules with one source, the end of one leaves the other's source in place."""
    first, second = (generate(SOURCE, {"_c0": 2}, "test") for _ in range(2))
    del first
    assert second.file in entries()
    assert inspect.getsource(second.functions["double"]) == SOURCE


def test_no_builtins() -> None:
    """Generated code has nothing but its names: not even `len`."""
    generated = generate("def f(n):\n    return len(n)\n", {}, "test")
    with pytest.raises(NameError):
        generated.functions["f"]("abc")


def test_imports_do_not_work() -> None:
    """Nor can it import anything."""
    generated = generate("def f():\n    import os\n", {}, "test")
    with pytest.raises(ImportError):
        generated.functions["f"]()
