"""Stores that commands look into: those that are there, since a mistyped path is no empty store."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from edgewise.errors import InputError, StoreUrlError
from edgewise.stores.base import ServiceStore
from edgewise.stores.urls import open_store, store_file


def open_existing(url: str) -> ServiceStore:
    """Return the store that a URL names. Errors: as `require_existing`, and StoreError."""
    require_existing(url)
    return open_store(url)


def require_existing(url: str) -> None:
    """Refuse the URL of a store that opening it would make. Errors: InputError."""
    scheme = url.partition(":")[0]
    if scheme.lower() == "memory":
        raise InputError(
            "memory:// is inside the server process and ends with it;"
            " name a store in a file, such as sqlite:///var/lib/edgewise/profiles.db"
        )
    # What else may be wrong with a URL is told where it is opened, before anything is made.
    if not all(path.exists() for path in files_of(url)):
        raise InputError(f"{url}: there is no such file")


def files_of(url: str) -> list[Path]:
    """Return the file that a store's URL names, if it names one."""
    with suppress(StoreUrlError):
        file = store_file(url)
        return [file] if file else []
    return []
