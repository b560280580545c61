"""What every rule parser needs: faults collected with their place, and typed reading of members.

Parsers go on after a fault, so that a document tells everything that is wrong with it at once.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from edgewise.errors import Fault

MAX_DEPTH: Final = 32
# In this order: a boolean is an integer too.
_KINDS: Final[tuple[tuple[Any, str], ...]] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (str, "a text"),
    ((int, float), "a number"),
    (Mapping, "an object"),
    ((list, tuple), "a list"),
)


def pointer_join(pointer: str, *parts: str | int) -> str:
    """Return a JSON Pointer extended by member names and list positions, escaped.

    Source: RFC 6901, sections 3 and 4.
    """
    for part in parts:
        name = str(part)
        if "~" in name or "/" in name:
            name = name.replace("~", "~0").replace("/", "~1")
        pointer = f"{pointer}/{name}"
    return pointer


def closest(name: str, names: Iterable[str]) -> str:
    """Return 'did you mean "x"?' for the name that is nearest in spelling, or "" without one."""
    found = nearest(name, names)
    return f'did you mean "{found}"?' if found else ""


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that is nearest in spelling, or "" where none is near."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    matches = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[matches[0]] if matches else ""


def kind_of(value: Any) -> str:
    """Return what a value is, in the words of a rule's author: "a text", "a number", "null"."""
    for type_, name in _KINDS:
        if isinstance(value, type_):
            return name
    return f"a {type(value).__name__}"


def quote_hint(value: Any) -> str:
    """Return the remedy for a text that was read as something else, or "" where quotes are none.

    Source: YAML reads unquoted dates, numbers and words such as `yes` as values of their own type.
    """
    if value is None or isinstance(value, (str, Mapping, list, tuple, set, bytes)):
        return ""
    return "put it in quotes" if isinstance(value, bool) else f'put it in quotes: "{value}"'


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number; booleans are none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def is_encodable(text: str) -> bool:
    """Return whether a text can be written as UTF-8, which half a surrogate pair cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encodable(text: str) -> str:
    """Faults are printed and sent, so what is no UTF-8 in a name is written as its escape."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


class FaultList:
    """The faults of one document, audience or experience, in the order of finding.

    Args:
        file: the rule file as the loader names it.
        audience_id, experience_id: what is being parsed; may be set later, once it is known.
    """

    def __init__(self, file: str = "", audience_id: str = "", experience_id: str = "") -> None:
        self.file = file
        self.audience_id = audience_id
        self.experience_id = experience_id
        self.faults: list[Fault] = []

    def __len__(self) -> int:
        return len(self.faults)

    def at(self, pointer: str, code: str, message: str, hint: str = "", *, line: int = 0) -> None:
        """Add one fault at this place, and in this line if it is known already."""
        self.faults.append(
            Fault(
                code=code,
                message=_encodable(message),
                file=self.file,
                pointer=_encodable(pointer),
                audience_id=self.audience_id,
                experience_id=self.experience_id,
                hint=_encodable(hint),
                line=line,
            )
        )

    def wrong_type(self, pointer: str, name: str, expected: str, value: Any) -> None:
        """Add the fault of a value that is not of its type; `expected` reads like "a text"."""
        hint = quote_hint(value) if expected == "a text" else ""
        message = f'"{name}" must be {expected}, not {kind_of(value)}'
        self.at(pointer, "wrong_type", message, hint)

    def unknown_keys(self, raw: Mapping[Any, Any], pointer: str, known: Collection[str]) -> None:
        """Add a fault for each member whose name is not among the known ones."""
        for key in raw:
            if not isinstance(key, str):
                message = f"a member name must be a text, not {kind_of(key)}"
                self.at(pointer_join(pointer, key), "wrong_type", message, quote_hint(key))
            elif key not in known:
                hint = closest(key, known) or f"known are: {', '.join(known)}"
                self.at(pointer_join(pointer, key), "unknown_key", f'unknown key "{key}"', hint)

    def text(self, raw: Mapping[Any, Any], key: str, pointer: str, default: str = "") -> str:
        """Return a text member; where it is absent or null, or no text, the default."""
        value = raw.get(key)
        return default if value is None else self.as_text(value, key, pointer_join(pointer, key))

    def required_text(self, raw: Mapping[Any, Any], key: str, pointer: str) -> str:
        """Return a text member that must be there and not be empty; "" after a fault."""
        value = raw.get(key)
        if value is None or value == "":
            place = pointer_join(pointer, key) if key in raw else pointer
            self.at(place, "missing_key", f'"{key}" is required and must not be empty')
            return ""
        return self.as_text(value, key, pointer_join(pointer, key))

    def as_text(self, value: Any, name: str, pointer: str) -> str:
        """Return a value that must be a text; "" after a fault."""
        if not isinstance(value, str):
            self.wrong_type(pointer, name, "a text", value)
            return ""
        if not is_encodable(value):
            self.at(pointer, "invalid_text", f'"{name}" holds half of a surrogate pair')
            return ""
        return value

    def boolean(self, raw: Mapping[Any, Any], key: str, pointer: str, default: bool) -> bool:
        """Return a boolean member; where it is absent, null or no boolean, the default."""
        value = raw.get(key)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.wrong_type(pointer_join(pointer, key), key, "true or false", value)
        return default

    def share(self, raw: Mapping[Any, Any], key: str, pointer: str, default: float) -> float:
        """Return a member from 0 to 1, both included; the default if it is absent or faulty."""
        value = raw.get(key)
        if value is None:
            return default
        return self.as_share(value, key, pointer_join(pointer, key), default)

    def as_share(self, value: Any, name: str, pointer: str, default: float = 0.0) -> float:
        """Return a value that must be a number from 0 to 1; the default after a fault."""
        if not is_number(value):
            self.wrong_type(pointer, name, "a number from 0 to 1", value)
        elif not 0 <= value <= 1:
            message = f'"{name}" must be from 0 to 1'
            hint = f"for {value} percent write {value / 100}" if 1 < value <= 100 else ""
            self.at(pointer, "out_of_range", message, hint)
        else:
            return float(value)
        return default

    def choice(
        self, raw: Mapping[Any, Any], key: str, pointer: str, choices: Collection[str], default: str
    ) -> str:
        """Return a text member that is one of the choices; the default if absent or faulty."""
        before = len(self)
        value = self.text(raw, key, pointer, default)
        if value in choices or len(self) > before:
            return value if value in choices else default
        hint = closest(value, choices) or f"possible are: {', '.join(choices)}"
        self.at(pointer_join(pointer, key), "unknown_value", f'unknown {key} "{value}"', hint)
        return default

    def list_of(self, raw: Mapping[Any, Any], key: str, pointer: str) -> list[Any]:
        """Return a list member; empty where it is absent, null or no list."""
        value = raw.get(key)
        if value is None or isinstance(value, (list, tuple)):
            return list(value or ())
        self.wrong_type(pointer_join(pointer, key), key, "a list", value)
        return []

    def object_of(self, raw: Mapping[Any, Any], key: str, pointer: str) -> Mapping[Any, Any]:
        """Return an object member; empty where it is absent, null or no object."""
        value = raw.get(key)
        if value is None or isinstance(value, Mapping):
            return value or {}
        self.wrong_type(pointer_join(pointer, key), key, "an object", value)
        return {}

    def json_value(self, value: Any, pointer: str, depth: int = 0) -> None:
        """Add a fault for every part of a value that JSON cannot say, and for too deep nesting."""
        match value:
            case None | bool():
                return
            case str():
                self.as_text(value, "value", pointer)
            case int() | float():
                if not is_number(value) or not -(2**63) <= value < 2**64:
                    self.at(pointer, "out_of_range", "this number is none that JSON can carry")
            case Mapping() | list() if depth == MAX_DEPTH:
                self.at(pointer, "too_deep", f"nested deeper than {MAX_DEPTH} levels")
            case list():
                for position, item in enumerate(value):
                    self.json_value(item, pointer_join(pointer, position), depth + 1)
            case Mapping():
                self._json_members(value, pointer, depth)
            case _:
                message = f"{kind_of(value)} is nothing that JSON can say"
                self.at(pointer, "wrong_type", message, quote_hint(value))

    def _json_members(self, value: Mapping[Any, Any], pointer: str, depth: int) -> None:
        for key, item in value.items():
            place = pointer_join(pointer, key)
            self.as_text(key, "member name", place)
            self.json_value(item, place, depth + 1)
