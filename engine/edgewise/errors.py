"""Everything that Edgewise raises on purpose, as one tree.

    EdgewiseError
    ├── RulesError               rules_invalid         every fault of one load, at once
    ├── InputError               input_invalid         a file given to a command cannot be used
    │   └── GeoDatabaseError     geo_database_invalid  a location database that cannot be read
    ├── SettingsError            settings_invalid      an application has set what cannot be
    ├── RequestError                                   the caller's request cannot be served
    │   ├── InvalidData          invalid_data          body, query or path fails validation
    │   ├── Unauthorized         unauthorized          a secret or token is missing or wrong
    │   ├── RouteNotFound        route_not_found       no such path
    │   ├── MethodNotAllowed     method_not_allowed    the path exists, the method does not
    │   ├── BodyTooLarge         body_too_large        more bytes than the route takes
    │   ├── ConfigNotFound       config_not_found      unknown organization or environment
    │   ├── ProfileNotFound      profile_not_found     no profile under this id
    │   ├── NamespaceMismatch    namespace_mismatch    the id belongs to another environment
    │   ├── ProfileOverload      profile_overload      too many waiting updates of one profile
    │   └── ServiceUnavailable   service_unavailable   nothing was changed; send the same again
    │       └── NotStarted       not_started           the rules are not there yet
    ├── SourceError              source_failed         rules cannot be read from where they live
    │   ├── SourceUnavailable    source_unavailable    unreachable, busy or senseless; retry later
    │   └── SourceRefused        source_refused        a wrong token, space or query
    └── StoreError               store_failed          the store cannot do what was asked
        ├── StoreUrlError        store_url_invalid     a store URL that names no store
        ├── StoreBusy            store_busy            locked or unreachable; a retry may succeed
        ├── StoreUnwritable      store_unwritable      a disk that is full, faulty or read-only
        └── StoreCorrupt         store_corrupt         a record that cannot be read back

Data lives in attributes, text is derived from it, and every error pickles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from edgewise.printable import printable


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a rule file: what, where, and what to do about it.

    Args:
        code: stable snake_case name of the kind of fault.
        message: what is wrong, in one sentence without a full stop.
        file: the rule file as the loader names it; empty for rules that come from no file.
        pointer: JSON Pointer to the place inside the file.
        audience_id: the audience that is affected, if one is.
        experience_id: the experience that is affected, if one is.
        hint: the remedy, if there is an obvious one.
        line: the line of the place, from 1; 0 where it is not known.
    """

    code: str
    message: str
    file: str = ""
    pointer: str = ""
    audience_id: str = ""
    experience_id: str = ""
    hint: str = ""
    line: int = 0

    @property
    def text(self) -> str:
        """What is wrong and what to do about it, without the place."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def told_as(self, kind: str, note: str = "") -> str:
        """Return `file:line: what is wrong (remedy) [kind at pointer, note]`, in one line.

        Shape: without a line the place is told in front, as `file#pointer`. What rules name
        themselves is told so that it does nothing to a terminal.
        """
        place = f" at {self.pointer}" if self.line and self.pointer else ""
        return printable(f"{self} [{kind}{place}{note and f', {note}'}]")

    def __str__(self) -> str:
        place = f"{self.file}#{self.pointer}" if self.pointer else self.file
        if self.line:
            place = f"{self.file}:{self.line}"
        return printable(f"{place}: {self.text}" if place else self.text)


class EdgewiseError(Exception):
    """The root of the tree; `code` is the stable name of the kind of error."""

    code: ClassVar[str] = "edgewise_error"

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class RulesError(EdgewiseError):
    """A ruleset that cannot be served, with every fault found in it.

    Args:
        relative_to: the folder that file names are relative to; empty where it is not known.
    """

    code = "rules_invalid"

    def __init__(self, faults: Sequence[Fault], relative_to: str = "") -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)
        self.relative_to = relative_to

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.faults, self.relative_to)


class InputError(EdgewiseError):
    """A file that a command was given cannot be read, or is not what the command takes."""

    code = "input_invalid"


class GeoDatabaseError(InputError):
    """A database of locations is missing, broken, or not of a kind that is understood."""

    code = "geo_database_invalid"


class SettingsError(EdgewiseError):
    """A setting that an application gives is not what it may be; the message names it."""

    code = "settings_invalid"


class RequestError(EdgewiseError):
    """A request that cannot be served; the HTTP layer turns it into an answer."""

    code = "request_failed"


class InvalidData(RequestError):
    """Body, query or path fails validation; the message names the place."""

    code = "invalid_data"


class Unauthorized(RequestError):
    """A secret or token is missing or wrong."""

    code = "unauthorized"


class RouteNotFound(RequestError):
    """No such path."""

    code = "route_not_found"


class MethodNotAllowed(RequestError):
    """The path exists, the method does not; `allowed` lists those that do."""

    code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"Method not allowed; this path takes {', '.join(allowed)}.")
        self.allowed = tuple(allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.allowed,)


class BodyTooLarge(RequestError):
    """The body holds more bytes than this route takes."""

    code = "body_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit_bytes,)


class ConfigNotFound(RequestError):
    """Unknown organization or environment."""

    code = "config_not_found"


class ProfileNotFound(RequestError):
    """No profile under this id."""

    code = "profile_not_found"


class NamespaceMismatch(RequestError):
    """The id belongs to a profile of another environment."""

    code = "namespace_mismatch"


class ProfileOverload(RequestError):
    """Too many updates of one profile wait; back off."""

    code = "profile_overload"


class ServiceUnavailable(RequestError):
    """The update was not applied in time. Nothing is lost: send the same again."""

    code = "service_unavailable"


class NotStarted(ServiceUnavailable):
    """The rules are not there: the service was not started, or an environment is still to come."""

    code = "not_started"


class SourceError(EdgewiseError):
    """Rules cannot be read from where they are written; those in use stay in use."""

    code = "source_failed"


class SourceUnavailable(SourceError):
    """The source is not reachable, is busy or answers nonsense; a later attempt may succeed."""

    code = "source_unavailable"


class SourceRefused(SourceError):
    """The source refuses what it is asked with; its token, space or query must be corrected."""

    code = "source_refused"


class StoreError(EdgewiseError):
    """The store cannot do what was asked."""

    code = "store_failed"


class StoreUrlError(StoreError):
    """A store URL that names no store, or a place that cannot be used."""

    code = "store_url_invalid"


class StoreBusy(StoreError):
    """The store is locked or unreachable; nothing was written and a retry may succeed."""

    code = "store_busy"


class StoreUnwritable(StoreError):
    """The disk is full, faulty or read-only; nothing was written, and a retry helps later."""

    code = "store_unwritable"


class StoreCorrupt(StoreError):
    """A stored record cannot be read back."""

    code = "store_corrupt"
