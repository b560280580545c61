"""Store URLs: `memory://` and `sqlite:///absolute/path.db?durability=normal|full`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from edgewise.errors import StoreUrlError
from edgewise.stores.base import ServiceStore
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.sqlite_schema import Durability

_SQLITE_EXAMPLE = "sqlite:///var/lib/edgewise/profiles.db"
_DURABILITIES: dict[str, Durability] = {"normal": "normal", "full": "full"}


def open_store(url: str) -> ServiceStore:
    """Return the store that a URL names.

    Shape: `memory://`, or `sqlite://` and the absolute path of a file, percent-encoded where it
    holds other characters than a URL may. Missing directories are created for the owner alone.

    Errors: StoreUrlError, which says what to write instead; StoreError for a file that is not
    ours, is newer than this code or cannot be written.
    """
    scheme, separator, _ = url.partition(":")
    if not separator:
        raise StoreUrlError(f"A store URL has a scheme: write memory:// or {_SQLITE_EXAMPLE}.")
    opener = _OPENERS.get(scheme.lower())
    if opener is None:
        # The rest of the URL stays out of the message: it may hold a password.
        raise StoreUrlError(
            f'Unknown store "{scheme}": write memory:// or, for a file, {_SQLITE_EXAMPLE}.'
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise StoreUrlError(f"{url}: {error}; write for example {_SQLITE_EXAMPLE}.") from error
    return opener(url, parts)


def _open_memory(url: str, parts: SplitResult) -> ServiceStore:
    if parts.netloc or parts.path or parts.query or parts.fragment:
        raise StoreUrlError(
            f"{url}: the memory store takes no name and no options; write memory://."
        )
    return MemoryStore()


def _open_sqlite(url: str, parts: SplitResult) -> ServiceStore:
    path = _database_path(url, parts)
    durability = _durability(url, parts)
    _make_directories(url, path.parent)
    if path.is_dir():
        raise _names_directory(url, path)
    return SqliteStore(path, durability)


def _database_path(url: str, parts: SplitResult) -> Path:
    text = unquote(parts.path)
    if ":memory:" in (parts.netloc, text.strip("/")):
        raise StoreUrlError(f"{url}: a store without a file is memory://.")
    if parts.netloc or not url.partition(":")[2].startswith("///"):
        raise StoreUrlError(
            f"{url}: a path must be absolute and follows three slashes;"
            f" write for example {_SQLITE_EXAMPLE}."
        )
    if parts.fragment or url.endswith("#"):
        raise StoreUrlError(f'{url}: write "#" in a path as %23.')
    if "\0" in text:
        raise StoreUrlError(f"{url}: a path cannot hold a zero byte.")
    path = Path(text)
    if text.endswith("/"):
        raise _names_directory(url, path)
    return path


def _durability(url: str, parts: SplitResult) -> Durability:
    options = parse_qsl(parts.query, keep_blank_values=True)
    found: Durability = "normal"
    for name, value in options:
        if name != "durability":
            raise StoreUrlError(f'{url}: unknown option "{name}"; the only one is durability.')
        if value not in _DURABILITIES:
            raise StoreUrlError(f"{url}: write durability=normal or durability=full.")
        found = _DURABILITIES[value]
    return found


def _make_directories(url: str, directory: Path) -> None:
    try:
        missing = [place for place in directory.parents if not place.exists()]
        for place in (*reversed(missing), directory):
            # Two processes may start together, so that one of them finds it made.
            place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise StoreUrlError(
            f"{url}: the directory {directory} cannot be created ({error.strerror});"
            f" create it, or name a file in one that the user with id {os.geteuid()} may write to."
        ) from error


def _names_directory(url: str, path: Path) -> StoreUrlError:
    return StoreUrlError(
        f"{url}: this names a directory; add the name of a file,"
        f" for example sqlite://{path / 'profiles.db'}."
    )


_OPENERS: dict[str, Callable[[str, SplitResult], ServiceStore]] = {
    "memory": _open_memory,
    "sqlite": _open_sqlite,
}
