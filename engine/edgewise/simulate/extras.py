"""Packages that only simulations need, which an installation may lack."""

from __future__ import annotations

import importlib
from types import ModuleType

from edgewise.errors import InputError


def load_extra(module: str, purpose: str, extra: str = "simulate") -> ModuleType:
    """Return a module that needs a package of one of the extras, such as `edgewise[simulate]`.

    Args:
        purpose: what it is for, as the start of a sentence.
    Errors: InputError that names what to install.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{purpose} needs the package {error.name}: install edgewise[{extra}]."
        ) from error
