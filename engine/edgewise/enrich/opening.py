"""Firmographics as the environment variables of a process ask for them."""

from __future__ import annotations

from collections.abc import Mapping

from edgewise.enrich.albacross import AlbacrossClient
from edgewise.enrich.firmographics import Firmographics
from edgewise.enrich.firmographics_settings import read_firmographics_settings


def open_firmographics(variables: Mapping[str, str]) -> Firmographics | None:
    """Return what looks up companies, None where no provider is set.

    Errors: InputError that names the variable at fault.
    """
    settings = read_firmographics_settings(variables)
    if settings is None or settings.albacross is None:
        return None
    return Firmographics(AlbacrossClient(settings.albacross), settings)
