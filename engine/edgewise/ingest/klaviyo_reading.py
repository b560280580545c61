"""Members of a request's tree, each checked; what is wrong is collected with its place."""

from __future__ import annotations

from typing import Any

from edgewise.decoding import check_id
from edgewise.errors import InvalidData
from edgewise.ingest.klaviyo_model import KlaviyoFault

MAX_STRING_BYTES = 100 * 1024
MAX_ARRAY_ITEMS = 4000
MAX_NESTING = 10
"""How many objects and arrays may lie in each other inside of `properties`."""

MAX_PROBLEMS = 1000
"""No more are told, so that the answer to a request is not larger than the request."""

PLACEHOLDERS = frozenset({"<string>", "<dateTime>", "<number>", "<boolean>"})
"""What the published sample has in the place of values."""

Tree = dict[str, Any]


class BodyPlace:
    """A place in a request: a value, and the pointer to it.

    Every method that reads a member notes what is wrong with it and returns something harmless.
    """

    __slots__ = ("pointer", "problems", "value")

    def __init__(self, value: Any, pointer: str, problems: list[KlaviyoFault]) -> None:
        self.value = value
        self.pointer = pointer
        self.problems = problems

    def refuse(self, detail: str) -> None:
        """Note that this place is wrong."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(KlaviyoFault(self.pointer, detail))

    def at(self, key: str) -> BodyPlace:
        """Return the place of a member, which may be absent; this one must be an object."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return BodyPlace(value, f"{self.pointer}/{_escaped(key)}", self.problems)

    def object_at(self, *keys: str) -> BodyPlace | None:
        """Return the object down a path, each part of which is required."""
        place = self
        for key in keys:
            place = place.at(key)
            if not isinstance(place.value, dict):
                place.refuse("This field is required and must be an object.")
                return None
        return place

    def items_at(self, key: str) -> list[BodyPlace]:
        """Return the places of the items of an array, which is required."""
        place = self.at(key)
        if not isinstance(place.value, list):
            place.refuse("This field is required and must be an array.")
            return []
        return [
            BodyPlace(item, f"{place.pointer}/{index}", self.problems)
            for index, item in enumerate(place.value)
        ]

    def require_type(self, name: str) -> None:
        """Refuse a resource of another type."""
        if self.at("type").value != name:
            self.at("type").refuse(f'The type must be "{name}".')

    def text(self, key: str) -> str | None:
        """Return a text, or None where there is none or an empty one."""
        place = self.at(key)
        value = place.value
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            place.refuse("This field must be a string or null.")
            return None
        return value if place.is_short(value) else None

    def identifier(self, key: str) -> str | None:
        """Return a text that a person is found by."""
        text = self.text(key)
        return text if text is not None and self.at(key).is_identifier(text) else None

    def is_identifier(self, text: str) -> bool:
        """Return whether a text at this place can be a key; refuse it otherwise."""
        try:
            check_id(text, "An identifier")
        except InvalidData as error:
            self.refuse(f"{error}.")
            return False
        return True

    def filled(self, key: str) -> BodyPlace | None:
        """Return the place of a member that has a value; a placeholder is none."""
        place = self.at(key)
        value = place.value
        is_empty = value is None or (isinstance(value, str) and value in PLACEHOLDERS)
        return None if is_empty else place

    def flag(self, key: str) -> bool:
        """Return a boolean, false where it is absent."""
        place = self.filled(key)
        if place is None:
            return False
        if not isinstance(place.value, bool):
            place.refuse("This field must be a boolean.")
        return place.value is True

    def number(self, key: str) -> int | float | None:
        """Return a number, or None where there is none."""
        place = self.filled(key)
        if place is None:
            return None
        value = place.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        place.refuse("This field must be a number or null.")
        return None

    def free_object(self, key: str) -> Tree:
        """Return an object of any members within the limits, an empty one where it is absent."""
        place = self.at(key)
        if place.value is None:
            return {}
        if not isinstance(place.value, dict):
            place.refuse("This field must be an object.")
            return {}
        place.check_values(0)
        found: Tree = place.value
        return found

    def check_values(self, depth: int) -> None:
        """Refuse strings, arrays and nestings beyond the limits, in this value and below.

        Args:
            depth: how many objects and arrays lie around it.
        """
        value = self.value
        if isinstance(value, str):
            self.is_short(value)
        elif isinstance(value, dict | list):
            self._check_members(value, depth)

    def is_short(self, text: str) -> bool:
        """Return whether a text is within the limit; refuse it otherwise."""
        # Four bytes are the most that a character takes.
        if len(text) * 4 > MAX_STRING_BYTES and len(text.encode()) > MAX_STRING_BYTES:
            self.refuse("A single string cannot exceed 100KB.")
            return False
        return True

    def _check_members(self, value: Tree | list[Any], depth: int) -> None:
        if depth > MAX_NESTING:
            self.refuse(f"Values cannot be nested deeper than {MAX_NESTING} levels.")
            return
        if isinstance(value, list):
            if len(value) > MAX_ARRAY_ITEMS:
                self.refuse(f"An array cannot have more than {MAX_ARRAY_ITEMS} items.")
                return
            members: Any = enumerate(value)
        else:
            members = value.items()
        for key, member in members:
            # Most values are numbers and short texts, which no limit is about.
            if isinstance(member, dict | list) or (isinstance(member, str) and len(member) > 1024):
                pointer = f"{self.pointer}/{_escaped(str(key))}"
                BodyPlace(member, pointer, self.problems).check_values(depth + 1)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
