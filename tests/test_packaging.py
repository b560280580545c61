"""What is installed, locked and shipped is what the sources need, and nothing of one machine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ["run.txt", "dev.txt"]

# Needed at run time although no module imports them: uvicorn looks them up by name.
LOOKED_UP = {"httptools", "uvloop"}

PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+) \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(requirements: list[str]) -> set[str]:
    """The distributions that requirements name."""
    found = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in requirements)
    return {canonical(match.group()) for match in found if match}


def pins_of(lock: str) -> dict[str, str]:
    """Distribution and version of every pin in a lock."""
    text = (ROOT / "requirements" / lock).read_text("utf-8")
    return {canonical(name): version for name, version in PIN.findall(text)}


def distributions(packages: set[str]) -> set[str]:
    """The distributions that provide some packages."""
    providers = packages_distributions()
    return {canonical(providers[package][0]) for package in packages}


def imported_packages(*parts: str) -> set[str]:
    """Top-level packages that the engine imports and that neither Python nor itself provides.

    Args:
        parts: modules or folders of the engine to look at; all without any.
    """
    engine = ROOT / "engine" / "edgewise"
    found = set()
    for path in engine.rglob("*.py"):
        if parts and path.relative_to(engine).parts[0] not in parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"edgewise"}


def test_dependencies_are_what_the_engine_imports(project: dict[str, Any]) -> None:
    """Every import is declared, and every declared dependency is imported or looked up.

    What only simulations import is an extra, and nothing else of the engine imports it.
    """
    extras = project["optional-dependencies"]
    extra = names_of([*extras["dask"], *extras["report"], *extras["simulate"]])
    assert distributions(imported_packages("simulate")) >= extra
    assert (
        distributions(imported_packages()) | LOOKED_UP == names_of(project["dependencies"]) | extra
    )
    everything_else = {one.name for one in (ROOT / "engine" / "edgewise").iterdir()} - {"simulate"}
    assert not distributions(imported_packages(*everything_else)) & extra


@pytest.mark.parametrize("lock", [*LOCKS, "../tests/klaviyo/requirements.txt"])
def test_lock_pins_every_distribution_with_its_hashes(lock: str) -> None:
    """Each requirement of a lock is one exact version that lists at least one hash."""
    lines = (ROOT / "requirements" / lock).read_text("utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if line and line[0] not in "# "]
    assert starts
    for start in starts:
        assert PIN.match(lines[start]), lines[start]
        assert lines[start + 1].startswith("    --hash=sha256:")


def test_locks_cover_what_is_declared(project: dict[str, Any]) -> None:
    """The locks hold the declared dependencies, the build backend, and no two versions of one."""
    run, dev = map(pins_of, LOCKS)
    assert names_of(project["dependencies"]) | {"setuptools"} <= set(run)
    for extra in ("dask", "dev", "report", "simulate"):
        assert names_of(project["optional-dependencies"][extra]) <= set(dev)
    assert run.items() <= dev.items()


@pytest.mark.parametrize("folder", ["browser", "sdk"])
def test_node_lock_names_versions_and_hashes_only(folder: str) -> None:
    """The npm lock pins each package by version and hash and says nothing of where it came from."""
    lock = json.loads((ROOT / "tests" / folder / "package-lock.json").read_text("utf-8"))
    packages = {place: package for place, package in lock["packages"].items() if place}
    assert packages
    for place, package in packages.items():
        assert "resolved" not in package, place
        assert package["version"], place
        assert package["integrity"].startswith("sha512-"), place


@pytest.mark.parametrize(
    "lock",
    [
        *(f"requirements/{lock}" for lock in LOCKS),
        "tests/klaviyo/requirements.txt",
        "pyproject.toml",
    ],
)
def test_lock_speaks_of_no_machine(lock: str) -> None:
    """No index, folder or link of the machine that wrote a lock stands in it."""
    text = (ROOT / lock).read_text("utf-8")
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|file://|https?:", text)
    assert not re.search(r"(?<![\w.*])/\w+/", text)


def test_wheel_holds_the_package_and_its_type_marker(tmp_path: Path) -> None:
    """A built wheel contains `edgewise` alone, every module of it, and `py.typed`."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    source = copy_of_sources(tmp_path / "source")
    command = [*build, "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("edgewise-*.whl")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    shipped = {name for name in names if ".dist-info/" not in name}
    assert all(name.startswith("edgewise/") for name in shipped)
    assert "edgewise/py.typed" in shipped
    engine = ROOT / "engine"
    modules = {path.relative_to(engine).as_posix() for path in engine.rglob("*.py")}
    assert modules <= shipped
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def copy_of_sources(folder: Path) -> Path:
    """A copy of what a build reads, so that building leaves nothing in the checkout."""
    for path in [*ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "LICENSE", *engine_files()]:
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return folder


def engine_files() -> list[Path]:
    """Every source file of the engine, without what running and installing leaves there."""
    files = (path for path in (ROOT / "engine").rglob("*") if path.is_file())
    leftovers = ("__pycache__", "edgewise.egg-info")
    return [path for path in files if not any(part in leftovers for part in path.parts)]
