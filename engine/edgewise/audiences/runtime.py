"""Source text → functions: the only place that executes generated code.

The text is registered with `linecache`, so that tracebacks, debuggers and `inspect` show it, and is
forgotten when the object that owns the functions goes away.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import xxhash

_serial = itertools.count(1)


class Generated(msgspec.Struct, frozen=True, weakref=True):
    """A generated module: its text, its functions by name, and what its constants stand for."""

    file: str
    source: str
    functions: dict[str, Callable[..., Any]]
    constants: dict[str, Any]


def generate(source: str, names: Mapping[str, Any], label: str) -> Generated:
    """Return the functions of a source text, which can reach these names and nothing else.

    The pseudo file name is a digest for people and a serial number, since a digest alone would
    make two rulesets with the same rules share, and then lose, one entry.
    """
    digest = xxhash.xxh3_64_hexdigest(source.encode())
    file = f"<edgewise {label} {digest[:8]}-{next(_serial)}>"
    # Separate locals: the functions are in no cycle with their globals and die by reference count.
    functions: dict[str, Callable[..., Any]] = {}
    exec(compile(source, file, "exec"), {**names, "__builtins__": {}}, functions)  # noqa: S102  # the one place
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    constants = {name: value for name, value in names.items() if name[2:].isdecimal()}
    generated = Generated(file, source, functions, constants)
    weakref.finalize(generated, linecache.cache.pop, file, None)
    return generated
