"""A package that is missing is told with what installs it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from edgewise.errors import InputError
from edgewise.simulate.extras import load_extra

PROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"


def test_package_that_is_there() -> None:
    """What is installed is given as the module that it is."""
    assert load_extra("tomllib", "Reading TOML") is tomllib


@pytest.mark.parametrize("extra", ["simulate", "report", "dask"])
def test_package_that_is_missing(extra: str) -> None:
    """The message names the package and a command for the clone, with an extra that exists."""
    with pytest.raises(InputError) as caught:
        load_extra("missing_package", "Reading tea leaves", extra)
    assert str(caught.value) == (
        "Reading tea leaves needs the package missing_package; in a clone of Edgewise run"
        f' .venv/bin/pip install -e ".[{extra}]"'
    )
    assert extra in tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
