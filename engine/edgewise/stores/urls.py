"""Store URLs: `memory://` and `sqlite:///absolute/path.db?durability=normal|full`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from edgewise.errors import StoreUrlError
from edgewise.stores.base import ServiceStore
from edgewise.stores.memory import MemoryStore
from edgewise.stores.sqlite import SqliteStore
from edgewise.stores.sqlite_schema import Durability

_Opener = Callable[[str, SplitResult], ServiceStore]

_SQLITE_EXAMPLE = "sqlite:///var/lib/edgewise/profiles.db"
_DURABILITIES: dict[str, Durability] = {"normal": "normal", "full": "full"}


def open_store(url: str) -> ServiceStore:
    """Return the store that a URL names.

    Shape: `memory://`, or `sqlite://` and the absolute path of a file, percent-encoded where it
    holds other characters than a URL may. The file is made where there is none, for the owner
    alone; its directory must be there, since a mistyped path is hardly meant to be a new store.

    Errors: StoreUrlError, which says what to write instead; StoreError for a file that is not
    ours, is newer than this code or cannot be written.
    """
    opener, parts = _parsed(url)
    return opener(url, parts)


def store_file(url: str) -> Path | None:
    """Return the file of the store that a URL names; None for a store in memory.

    Errors: StoreUrlError, as `open_store`.
    """
    opener, parts = _parsed(url)
    return _database_path(url, parts) if opener is _open_sqlite else None


def _parsed(url: str) -> tuple[_Opener, SplitResult]:
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
        return opener, urlsplit(url)
    except ValueError as error:
        raise StoreUrlError(f"{url}: {error}; write for example {_SQLITE_EXAMPLE}.") from error


def _open_memory(url: str, parts: SplitResult) -> ServiceStore:
    if parts.netloc or parts.path or parts.query or parts.fragment:
        raise StoreUrlError(
            f"{url}: the memory store takes no name and no options; write memory://."
        )
    return MemoryStore()


def _open_sqlite(url: str, parts: SplitResult) -> ServiceStore:
    path = _database_path(url, parts)
    durability = _durability(url, parts)
    _require_directory(url, path.parent)
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


def _require_directory(url: str, directory: Path) -> None:
    try:
        is_there = directory.is_dir()
    except OSError:
        is_there = False
    if not is_there:
        raise StoreUrlError(
            f"{url}: there is no directory {directory};"
            " create it, or name a file in one that is there."
        )


def _names_directory(url: str, path: Path) -> StoreUrlError:
    return StoreUrlError(
        f"{url}: this names a directory; add the name of a file,"
        f" for example sqlite://{path / 'profiles.db'}."
    )


_OPENERS: dict[str, _Opener] = {
    "memory": _open_memory,
    "sqlite": _open_sqlite,
}
