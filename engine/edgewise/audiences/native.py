"""The native form that people write, to condition trees.

Shape: a rule is an object and everything in it must hold. Its keys are the documents' own words
("has viewed page", "has trait", "is located at", ...), `any`, `all` and `none` for lists of rules,
and `audience` for another audience. A comparison is a value (equals), a list (is one of), or an
object of operator phrases that must all hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any as AnyValue
from typing import ClassVar

from edgewise.audiences.building import MAX_WINDOW_DAYS, Builder, shown
from edgewise.model.audience import All, Any, Attribute, Constant, Node, Not, Reference
from edgewise.operators import BY_NAME, BY_PHRASE
from edgewise.parsing import MAX_DEPTH, FaultList, closest, pointer_join

DEVICE_CLASSES = ("desktop", "mobile", "tablet", "unknown")
LOCATION_KEYS: dict[str, str] = {
    "continent": "continent",
    "country": "country",
    "country code": "countryCode",
    "city": "city",
    "postal code": "postalCode",
    "region": "region",
    "region code": "regionCode",
    "timezone": "timezone",
}
WHERE_KEYS: dict[str, Attribute] = {
    "url": Attribute("page_url"),
    "path": Attribute("page_path"),
    "referrer": Attribute("page_referrer"),
    "utm campaign": Attribute("campaign", "name"),
    "utm source": Attribute("campaign", "source"),
    "utm medium": Attribute("campaign", "medium"),
    "utm term": Attribute("campaign", "term"),
    "utm content": Attribute("campaign", "content"),
}
WHERE_MAPS: dict[str, str] = {"query": "query", "property": "property"}
COUNT_KEYS: dict[str, str] = {
    "at least": "greaterThanInclusive",
    "at most": "lessThanInclusive",
    "more than": "greaterThan",
    "fewer than": "lessThan",
    "exactly": "equal",
}
COUNT_PHRASES = tuple(
    phrase
    for phrase, operator in BY_PHRASE.items()
    if operator.operand in ("value", "values", "number", "none")
)
EVENT_KEYS = ("has viewed page", "has performed event")
EVENT_MODIFIERS = ("where", *COUNT_KEYS, "within")
RULE_KEYS = (
    *EVENT_KEYS,
    "has trait",
    "is located at",
    "is returning visitor",
    "session count",
    "is on device",
    "audience",
    "any",
    "all",
    "none",
)

_TIMES = re.compile(r"([0-9]{1,9})(?: times?)?")
_DAYS = re.compile(r"([0-9]{1,5}) days?")
_SPOKEN_TIMES = {"once": 1, "twice": 2, "never": 0}

Raw = Mapping[AnyValue, AnyValue]


def parse_native_rule(
    raw: Raw, pointer: str, builder: Builder, other_keys: tuple[str, ...] = ()
) -> Node:
    """Return the tree of a native rule; faults go to the builder's list.

    Args:
        other_keys: keys of the object that are not part of the rule, such as an audience's id.
    """
    return _Native(builder).rule(raw, pointer, other_keys)


class _Native:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.faults: FaultList = builder.faults

    def rule(self, raw: Raw, pointer: str, other_keys: tuple[str, ...] = ()) -> Node:
        before = len(self.faults)
        self.faults.unknown_keys(raw, pointer, (*RULE_KEYS, *EVENT_MODIFIERS, *other_keys))
        nodes = [
            parse(self, raw[key], pointer_join(pointer, key))
            for key, parse in self.parts.items()
            if key in raw
        ]
        nodes += self._events(raw, pointer)
        if not nodes and len(self.faults) == before:
            hint = f"possible are: {', '.join(RULE_KEYS)}"
            self.faults.at(pointer, "empty_rule", "a rule must say something", hint)
        return All(tuple(nodes))

    def _rules(self, raw: AnyValue, pointer: str) -> tuple[Node, ...]:
        if pointer.count("/") > 2 * MAX_DEPTH:
            self.faults.at(pointer, "too_deep", f"rules nest at most {MAX_DEPTH} levels deep")
            return ()
        if not isinstance(raw, list):
            self.faults.wrong_type(pointer, pointer.rpartition("/")[2], "a list of rules", raw)
            return ()
        if not raw:
            self.faults.at(pointer, "empty_rule", "a list of rules needs at least one")
        nodes = []
        for position, rule in enumerate(raw):
            place = pointer_join(pointer, position)
            if isinstance(rule, Mapping):
                nodes.append(self.rule(rule, place))
            else:
                self.faults.wrong_type(place, "rule", "an object", rule)
        return tuple(nodes)

    def _any(self, raw: AnyValue, pointer: str) -> Node:
        return Any(self._rules(raw, pointer))

    def _all(self, raw: AnyValue, pointer: str) -> Node:
        return All(self._rules(raw, pointer))

    def _none(self, raw: AnyValue, pointer: str) -> Node:
        return Not(Any(self._rules(raw, pointer)))

    def _audience(self, raw: AnyValue, pointer: str) -> Node:
        if raw == "":
            self.faults.at(pointer, "missing_key", '"audience" must not be empty')
        audience_id = self.faults.as_text(raw, "audience", pointer)
        return Reference(audience_id, pointer) if audience_id else Constant(False)

    def _has_trait(self, raw: AnyValue, pointer: str) -> Node:
        if isinstance(raw, str) and raw:
            raw = {raw: {"is set": True}}
        return self._each(raw, pointer, lambda key: Attribute("trait", key))

    def _is_located_at(self, raw: AnyValue, pointer: str) -> Node:
        if isinstance(raw, Mapping):
            self.faults.unknown_keys(raw, pointer, LOCATION_KEYS)
            known = {key: raw[key] for key in raw if key in LOCATION_KEYS}
            if raw and not known:
                return Constant(False)
            raw = known
        return self._each(raw, pointer, lambda key: Attribute("location", LOCATION_KEYS[key]))

    def _is_returning_visitor(self, raw: AnyValue, pointer: str) -> Node:
        if isinstance(raw, bool):
            return self.builder.returning(raw, pointer)
        self.faults.wrong_type(pointer, "is returning visitor", "true or false", raw)
        return Constant(False)

    def _session_count(self, raw: AnyValue, pointer: str) -> Node:
        attribute = Attribute("session_count")
        if not isinstance(raw, Mapping):
            return self._comparison(attribute, self._counts(raw, "session count", pointer), pointer)
        counts = {}
        for phrase, operand in raw.items():
            place = pointer_join(pointer, phrase)
            if phrase not in BY_PHRASE:
                counts[phrase] = operand
            elif phrase not in COUNT_PHRASES:
                hint = f"possible are: {', '.join(COUNT_PHRASES)}"
                message = f'"{phrase}" does not compare numbers'
                self.faults.at(place, "unknown_operator", message, hint)
            elif BY_PHRASE[phrase].operand == "none":
                counts[phrase] = operand
            else:
                counts[phrase] = self._counts(operand, phrase, place)
        if raw and not counts:
            return Constant(False)
        return self._comparison(attribute, counts, pointer)

    def _counts(self, raw: AnyValue, key: str, pointer: str) -> AnyValue:
        """A count, or a list of some, in numbers."""
        if not isinstance(raw, list):
            return self._count(raw, key, pointer)
        return [
            self._count(member, key, pointer_join(pointer, position))
            for position, member in enumerate(raw)
        ]

    def _is_on_device(self, raw: AnyValue, pointer: str) -> Node:
        for name in raw if isinstance(raw, list) else [raw]:
            if name not in DEVICE_CLASSES:
                hint = closest(name, DEVICE_CLASSES) if isinstance(name, str) else ""
                message = f"unknown device class {shown(name)}"
                hint = hint or f"one of {', '.join(DEVICE_CLASSES)}"
                self.faults.at(pointer, "unknown_value", message, hint)
                return Constant(False)
        return self._comparison(Attribute("device"), raw, pointer)

    # Events: what to count, how often, and how far back.

    def _events(self, raw: Raw, pointer: str) -> list[Node]:
        kinds = [key for key in EVENT_KEYS if key in raw]
        if len(kinds) == 1:
            return [self._event_count(kinds[0], raw, pointer)]
        stray = [key for key in EVENT_MODIFIERS if key in raw]
        if kinds:
            message = "one rule counts one kind of event"
            self.faults.at(pointer, "ambiguous_rule", message, "write two rules under `all`")
        elif stray:
            message = f'"{stray[0]}" needs "has viewed page" or "has performed event" beside it'
            self.faults.at(pointer_join(pointer, stray[0]), "misplaced_key", message)
        return []

    def _event_count(self, kind: str, raw: Raw, pointer: str) -> Node:
        place = pointer_join(pointer, kind)
        if kind == "has viewed page":
            where: list[Node] = [self.builder.event_is("page", place)]
            if raw[kind] != "*":
                where.append(self._where(raw[kind], place))
        else:
            name = self.builder.condition(
                Attribute("event_name"), BY_NAME["equal"], self._event_name(raw[kind], place), place
            )
            where = [self.builder.event_is("track", place), name]
        if "where" in raw:
            where.append(self._where(raw["where"], pointer_join(pointer, "where")))
        window_days = self._window(raw, pointer)
        counts = [key for key in COUNT_KEYS if key in raw]
        if not counts:
            return self.builder.count(where, "greaterThanInclusive", 1, window_days, place)
        return All(
            tuple(
                self.builder.count(
                    where,
                    COUNT_KEYS[key],
                    self._count(raw[key], key, pointer_join(pointer, key)),
                    window_days,
                    place,
                )
                for key in counts
            )
        )

    def _event_name(self, raw: AnyValue, pointer: str) -> str:
        if raw is None or raw == "":
            return ""
        # After a fault "*" keeps the builder from a second one about an empty operand.
        return self.faults.as_text(raw, "has performed event", pointer) or "*"

    def _where(self, raw: AnyValue, pointer: str) -> Node:
        if not isinstance(raw, Mapping) or not raw:
            expected = 'an object of conditions such as {"path": "/sale"}, or "*" for any page'
            self.faults.wrong_type(pointer, pointer.rpartition("/")[2], expected, raw)
            return Constant(False)
        self.faults.unknown_keys(raw, pointer, (*WHERE_KEYS, *WHERE_MAPS))
        nodes = []
        for key, value in raw.items():
            place = pointer_join(pointer, key)
            if key in WHERE_KEYS:
                nodes.append(self._comparison(WHERE_KEYS[key], value, place))
            elif key in WHERE_MAPS:
                nodes.append(self._each_of(WHERE_MAPS[key], value, place))
        return All(tuple(nodes))

    def _each_of(self, source: str, raw: AnyValue, pointer: str) -> Node:
        return self._each(raw, pointer, lambda key: Attribute(source, key))

    def _count(self, value: AnyValue, key: str, pointer: str) -> int:
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if is_whole and not isinstance(value, bool) and 0 <= value < 2**63:
            return int(value)
        if isinstance(value, str):
            spoken = _TIMES.fullmatch(value)
            if spoken:
                return int(spoken[1])
            if value in _SPOKEN_TIMES:
                return _SPOKEN_TIMES[value]
        message = f'"{key}" takes a whole number, not {shown(value)}'
        self.faults.at(pointer, "count_invalid", message, "write 3, 3 times, once or twice")
        return 1

    def _window(self, raw: Raw, pointer: str) -> int:
        if "within" not in raw:
            return 0
        value = raw["within"]
        found = _DAYS.fullmatch(value) if isinstance(value, str) else None
        days = int(found[1]) if found else 0
        if not 1 <= days <= MAX_WINDOW_DAYS:
            message = f'"within" takes whole days from 1 to {MAX_WINDOW_DAYS}, not {shown(value)}'
            place = pointer_join(pointer, "within")
            self.faults.at(place, "window_invalid", message, "write it like `30 days`")
            return 0
        return days

    # Comparisons.

    def _each(self, raw: AnyValue, pointer: str, attribute: Callable[[str], Attribute]) -> Node:
        if not isinstance(raw, Mapping) or not raw:
            expected = "an object of names and comparisons"
            self.faults.wrong_type(pointer, pointer.rpartition("/")[2], expected, raw)
            return Constant(False)
        nodes = []
        for key, value in raw.items():
            place = pointer_join(pointer, key)
            if key == "":
                self.faults.at(place, "missing_key", "a name must not be empty")
            elif self.faults.as_text(key, "name", place):
                nodes.append(self._comparison(attribute(key), value, place))
        return All(tuple(nodes))

    def _comparison(self, attribute: Attribute, raw: AnyValue, pointer: str) -> Node:
        if isinstance(raw, list):
            return self.builder.condition(attribute, BY_NAME["in"], raw, pointer)
        if not isinstance(raw, Mapping):
            return self.builder.condition(attribute, BY_NAME["equal"], raw, pointer)
        if not raw:
            self.faults.at(pointer, "operand_invalid", "a comparison must say something")
        self._check_phrases(raw, pointer)
        return All(
            tuple(
                self.builder.condition(
                    attribute, BY_PHRASE[phrase], operand, pointer_join(pointer, phrase)
                )
                for phrase, operand in raw.items()
                if phrase in BY_PHRASE
            )
        )

    def _check_phrases(self, raw: Raw, pointer: str) -> None:
        for phrase in raw:
            if phrase not in BY_PHRASE:
                hint = closest(str(phrase), BY_PHRASE) or f"known are: {', '.join(BY_PHRASE)}"
                message = f'unknown operator "{phrase}"'
                self.faults.at(pointer_join(pointer, phrase), "unknown_operator", message, hint)

    # Not bound to a parser: a thousand audiences would leave a thousand cycles behind.
    parts: ClassVar[dict[str, Callable[[_Native, AnyValue, str], Node]]] = {
        "has trait": _has_trait,
        "is located at": _is_located_at,
        "is returning visitor": _is_returning_visitor,
        "session count": _session_count,
        "is on device": _is_on_device,
        "audience": _audience,
        "any": _any,
        "all": _all,
        "none": _none,
    }
