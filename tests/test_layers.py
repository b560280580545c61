"""The layers of the engine, as the table below states them, hold in every module's source.

A module imports strictly lower layers or its own folder. What is on the same layer does not know
its neighbours, so nothing here can form a cycle, and a change is felt upwards only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

# Bottom first. A name is a module or a folder of `edgewise`.
LAYERS: tuple[tuple[str, ...], ...] = (
    # Texts of others, made harmless.
    ("printable",),
    # What can go wrong.
    ("errors",),
    # Data without behaviour, and the smallest helpers around it.
    (
        "model",
        "values",
        "amounts",
        "hashing",
        "json_text",
        "parsing",
        "countries",
        "country_names",
        "garbage",
        "secret",
        "checks",
    ),
    # The tables that rules are made of: what can be read, how it can be tested, what can be set.
    ("attributes", "operators", "settings"),
    # One subject each, pure: no clock, no I/O, no logging.
    ("audiences", "experiences", "allocation", "locales", "decoding", "mergetags", "previews"),
    (
        "sessions",
        "tallies",
        "traits",
        "devices",
        "locations",
        "jurisdiction",
        "translation",
        "relevance",
    ),
    # What of a profile an address has told.
    ("by_address",),
    # Request into events, events into profile, two profiles into one, documents into rules.
    ("receiving", "grouping", "fold", "merging", "selection", "documents", "carrying"),
    # An environment's rules, loaded; then one decision over them.
    ("messages", "ruleset", "schema"),
    ("decide", "explaining", "forcing", "lint"),
    # The same again, as long as nothing changes that it reads.
    ("standing",),
    # Here the outer world begins: clocks; files, databases, networks.
    ("clock",),
    ("sources", "stores", "enrich", "ingest"),
    # What one update needs of the store and of its neighbours in time.
    ("records", "history", "lanes", "reload", "health", "enriching", "unserved"),
    # One profile erased; ids, names and merges; what goes with time.
    ("erasing", "retries"),
    ("identity",),
    ("retention", "applying", "importing", "interactions", "keeping"),
    # One update from load to save; many profiles in one request, at once or later.
    ("updating", "batches", "import_worker"),
    # All that is served; then HTTP around it; then its process; then the command line.
    ("service", "simulate"),
    # The same with rules that change while it runs.
    ("live",),
    ("asgi", "slow_clients"),
    ("server",),
    ("commands",),
    ("cli",),
)

LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}
OUTER_LEVEL = LEVELS["clock"]

# What only an outer layer may import: servers, sockets, processes, clocks, chance, logs.
OUTER_MODULES = frozenset(
    "asyncio granian http httptools httpx2 importlib logging multiprocessing random sched secrets "
    "select selectors signal socket sqlite3 ssl starlette subprocess threading time urllib3 "
    "uvicorn uvloop".split()
)
# Names that are read from the outer world although their module is harmless.
OUTER_NAMES = frozenset(
    "date.today datetime.now datetime.today datetime.utcnow os.environ os.getenv urllib.request "
    "uuid.uuid1 uuid.uuid4".split()
)

# A script that runs inside a folder finds these before the standard library's modules.
SHADOWING = frozenset("profile http types select json token compile".split())

EXEC_FILE = "audiences/runtime.py"

ENGINE = Path(__file__).parent.parent / "engine" / "edgewise"
MODULES = {path.relative_to(ENGINE).as_posix(): path for path in sorted(ENGINE.rglob("*.py"))}
# The package's own `__init__` is its public face: it may show anything of any layer.
LAYERED = [module for module in MODULES if module != "__init__.py"]


def unit_of(module: str) -> str:
    """The name under which the table lists a module: its folder, or itself at the top."""
    first = PurePosixPath(module).parts[0]
    return first.removesuffix(".py")


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is imported, the imported member included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_names(tree: ast.AST) -> Iterator[str]:
    """The last two parts of every attribute access: `datetime.now` for `dt.datetime.now`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Name):
                yield f"{owner.id}.{node.attr}"
            elif isinstance(owner, ast.Attribute):
                yield f"{owner.attr}.{node.attr}"


def layer_faults(module: str, tree: ast.AST) -> Iterator[str]:
    """Imports of a layer that is not strictly lower, the module's own folder excepted."""
    unit = unit_of(module)
    for name in imported_names(tree):
        package, _, member = name.partition(".")
        target = member.partition(".")[0]
        if package != "edgewise" or target.startswith("__") or target == unit:
            continue
        if LEVELS.get(target, len(LAYERS)) >= LEVELS[unit]:
            yield f"imports edgewise.{target}, which is not on a lower layer"


def place_faults(tree: ast.AST) -> Iterator[str]:
    """Relative imports, and imports that stand inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield "uses a relative import"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = ast.walk(node)
            if any(isinstance(child, ast.Import | ast.ImportFrom) for child in inner):
                yield f"imports inside {node.name}()"


def outer_world_faults(module: str, tree: ast.AST) -> Iterator[str]:
    """Servers, sockets, clocks and the like in a layer that must be pure."""
    if LEVELS[unit_of(module)] >= OUTER_LEVEL:
        return
    for name in imported_names(tree):
        if name.partition(".")[0] in OUTER_MODULES or name in OUTER_NAMES:
            yield f"imports {name}, which belongs to an outer layer"
    for name in used_names(tree):
        if name in OUTER_NAMES:
            yield f"uses {name}, which belongs to an outer layer"


def calls_of(tree: ast.AST, name: str) -> int:
    """How often a builtin is called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sum(isinstance(call.func, ast.Name) and call.func.id == name for call in calls)


def faults_of(module: str, source: str) -> list[str]:
    """Everything about one module that breaks a rule of this file."""
    if unit_of(module) not in LEVELS:
        return ["is not in the table of layers"]
    tree = ast.parse(source)
    faults = [*layer_faults(module, tree), *place_faults(tree), *outer_world_faults(module, tree)]
    if PurePosixPath(module).stem in SHADOWING:
        faults.append("has the name of a standard module")
    return faults


@pytest.mark.parametrize("module", LAYERED)
def test_module_keeps_its_layer(module: str) -> None:
    """A module imports lower layers or its own folder, and pure layers stay pure."""
    assert faults_of(module, MODULES[module].read_text("utf-8")) == []


def test_no_name_stands_on_two_layers() -> None:
    """Each module or folder has exactly one place in the table."""
    assert len(LEVELS) == sum(len(names) for names in LAYERS)


def test_generated_code_runs_in_one_file() -> None:
    """The engine has one call of `exec`, in one file, and none of `eval`."""
    trees = {module: ast.parse(path.read_text("utf-8")) for module, path in MODULES.items()}
    execs = {module: count for module, tree in trees.items() if (count := calls_of(tree, "exec"))}
    assert execs == {EXEC_FILE: 1}
    assert not any(calls_of(tree, "eval") for tree in trees.values())


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        pytest.param(
            "fold.py",
            "from edgewise.stores.base import Store",
            "imports edgewise.stores, which is not on a lower layer",
            id="upward",
        ),
        pytest.param(
            "audiences/parse.py",
            "from edgewise.experiences import native",
            "imports edgewise.experiences, which is not on a lower layer",
            id="neighbour",
        ),
        pytest.param(
            "model/event.py",
            "from edgewise import errors, ruleset",
            "imports edgewise.ruleset, which is not on a lower layer",
            id="member-of-the-package",
        ),
        pytest.param(
            "cli.py",
            "import edgewise.nowhere",
            "imports edgewise.nowhere, which is not on a lower layer",
            id="unlisted-target",
        ),
        pytest.param(
            "stores/sqlite.py", "from .base import Store", "uses a relative import", id="relative"
        ),
        pytest.param(
            "cli.py",
            "def main():\n    import sys",
            "imports inside main()",
            id="inside-a-function",
        ),
        pytest.param(
            "ruleset.py",
            "from time import monotonic",
            "imports time.monotonic, which belongs to an outer layer",
            id="clock-module",
        ),
        pytest.param(
            "sessions.py",
            "import datetime as dt\nx = dt.datetime.now()",
            "uses datetime.now, which belongs to an outer layer",
            id="clock-method",
        ),
        pytest.param(
            "decide.py",
            "from uuid import uuid4",
            "imports uuid.uuid4, which belongs to an outer layer",
            id="chance",
        ),
        pytest.param(
            "decoding.py",
            "from starlette.requests import Request",
            "imports starlette.requests.Request, which belongs to an outer layer",
            id="server",
        ),
        pytest.param("asgi/json.py", "", "has the name of a standard module", id="shadowing"),
        pytest.param("extra/new.py", "", "is not in the table of layers", id="unlisted"),
    ],
)
def test_checker_sees_each_kind_of_fault(module: str, source: str, fault: str) -> None:
    """A made-up module that breaks one rule is reported for exactly that rule."""
    assert faults_of(module, source) == [fault]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("decide.py", "from edgewise.fold import fold_events", id="downward"),
        pytest.param("stores/sqlite.py", "from edgewise.stores.base import Store", id="own-folder"),
        pytest.param("service.py", "from time import time_ns", id="clock-in-an-outer-layer"),
        pytest.param("cli.py", "from edgewise import __version__", id="version"),
        pytest.param("fold.py", "from datetime import datetime, UTC", id="dates-without-a-clock"),
    ],
)
def test_checker_accepts_what_is_allowed(module: str, source: str) -> None:
    """A made-up module that keeps the rules is not reported."""
    assert faults_of(module, source) == []


def test_checker_counts_calls() -> None:
    """A call of `exec` is counted, a method of that name is not."""
    assert calls_of(ast.parse("exec(code)\ncursor.exec(sql)"), "exec") == 1
