"""Packages that only simulations need, which an installation may lack."""

from __future__ import annotations

import importlib
from types import ModuleType

from edgewise.errors import InputError


def load_extra(module: str, purpose: str, extra: str = "simulate") -> ModuleType:
    """Return a module that needs a package of one of the extras, such as `edgewise[simulate]`.

    Args:
        purpose: what it is for, as the start of a sentence.
    Errors: InputError with the command that installs it, in a clone: no index has Edgewise.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{purpose} needs the package {error.name}; in a clone of Edgewise run"
            f' .venv/bin/pip install -e ".[{extra}]"'
        ) from error
