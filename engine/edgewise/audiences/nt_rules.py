"""The `nt_rules` form as the audience builder app writes it, to condition trees.

Shape: {"any": [{"all": [rule, ...]}, ...]}. Whatever is not understood is a fault, and an audience
with a fault never matches: dropping the part that is not understood would let too many in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any as AnyValue

from edgewise.attributes import LOCATION_MEMBERS
from edgewise.audiences.building import MAX_WINDOW_DAYS, Builder, shown
from edgewise.model.audience import All, Any, Attribute, Constant, Node
from edgewise.operators import BY_NAME, COUNT_OPERATORS, Operator
from edgewise.parsing import FaultList, closest, pointer_join
from edgewise.values import number_of, text_of

_WHERE_ATTRIBUTES: dict[str, Attribute] = {
    "context_page_url": Attribute("page_url"),
    "context_page_path": Attribute("page_path"),
    "context_page_referrer": Attribute("page_referrer"),
    "context_campaign_name": Attribute("campaign", "name"),
    "context_campaign_source": Attribute("campaign", "source"),
    "context_campaign_medium": Attribute("campaign", "medium"),
    "context_campaign_term": Attribute("campaign", "term"),
    "context_campaign_content": Attribute("campaign", "content"),
}
_WHERE_SOURCES = {"context_page_query": "query", "properties": "property"}
_WINDOW_IDS = ("when", "time", "timeframe", "days", "last_days")
# Operators that say nothing else than "within so many days".
_WINDOW_OPERATORS = (None, "", "equal", "lessThan", "lessThanInclusive")
_RULE_KEYS = ("type", "operator", "value", "count", "key", "conditions")

Raw = Mapping[str, AnyValue]


def parse_nt_rules(raw: AnyValue, pointer: str, builder: Builder) -> Node:
    """Return the tree of an nt_rules object; faults go to the builder's list."""
    return _NtRules(builder).parse(raw, pointer)


class _NtRules:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.faults: FaultList = builder.faults
        self.rule_types: dict[str, Callable[[Raw, str], Node]] = {
            "page": self._page,
            "track": self._track,
            "identify": self._identify,
            "location": self._location,
            "isReturningVisitor": self._is_returning_visitor,
            "device": self._device,
        }

    def parse(self, raw: AnyValue, pointer: str) -> Node:
        groups = self._members(raw, "any", pointer)
        return Any(tuple(self._group(group, place) for group, place in groups))

    def _members(self, raw: AnyValue, key: str, pointer: str) -> list[tuple[AnyValue, str]]:
        """The members of {"any": [...]} or {"all": [...]}, each with its place."""
        if not isinstance(raw, Mapping):
            self.faults.wrong_type(pointer, "nt_rules", f'an object with "{key}"', raw)
            return []
        self.faults.unknown_keys(raw, pointer, (key,))
        members = raw.get(key)
        if not isinstance(members, list):
            self.faults.wrong_type(pointer_join(pointer, key), key, "a list", members)
            return []
        return [(member, pointer_join(pointer, key, i)) for i, member in enumerate(members)]

    def _group(self, raw: AnyValue, pointer: str) -> Node:
        rules = [self._rule(rule, place) for rule, place in self._members(raw, "all", pointer)]
        return All(tuple(rules)) if rules else Constant(False)

    def _rule(self, raw: AnyValue, pointer: str) -> Node:
        if not isinstance(raw, Mapping):
            self.faults.wrong_type(pointer, "rule", "an object", raw)
            return Constant(False)
        rule_type = raw.get("type")
        parse = self.rule_types.get(rule_type) if isinstance(rule_type, str) else None
        if parse is None:
            hint = closest(rule_type, self.rule_types) if isinstance(rule_type, str) else ""
            message = f"unknown rule type {shown(rule_type)}"
            self.faults.at(pointer_join(pointer, "type"), "unknown_rule_type", message, hint)
            return Constant(False)
        counts_events = rule_type in ("page", "track")
        # What is not understood may well narrow the rule, as a window does.
        known = (*_RULE_KEYS, *_WINDOW_IDS) if counts_events else _RULE_KEYS
        self.faults.unknown_keys(raw, pointer, known)
        return parse(raw, pointer)

    # Rules over the history: the operator compares the number of matching events with the count.

    def _page(self, raw: Raw, pointer: str) -> Node:
        return self._events(raw, pointer, [self.builder.event_is("page", pointer)])

    def _track(self, raw: Raw, pointer: str) -> Node:
        name = raw.get("value")
        place = pointer_join(pointer, "value")
        is_name = self.builder.condition(
            Attribute("event_name"), BY_NAME["equal"], "" if name is None else name, place
        )
        return self._events(raw, pointer, [self.builder.event_is("track", pointer), is_name])

    def _events(self, raw: Raw, pointer: str, where: list[Node]) -> Node:
        windows = [
            self._days(raw[key], pointer_join(pointer, key)) for key in _WINDOW_IDS if key in raw
        ]
        for condition, place in self._conditions(raw, pointer):
            if condition.id in _WINDOW_IDS or condition.category in _WINDOW_IDS:
                windows.append(self._window(condition, place))
            else:
                where.append(self._where(condition, place))
        operator, count = self._comparison(raw, pointer)
        return self.builder.count(where, operator, count, min(windows, default=0), pointer)

    def _where(self, condition: _Condition, pointer: str) -> Node:
        attribute = _WHERE_ATTRIBUTES.get(condition.id)
        if attribute is None and condition.id in _WHERE_SOURCES:
            if not condition.parameter:
                return Constant(False)
            attribute = Attribute(_WHERE_SOURCES[condition.id], condition.parameter)
        if attribute is None:
            return self._unknown_condition(condition, pointer)
        return self._compare(attribute, condition.raw, pointer)

    def _window(self, condition: _Condition, pointer: str) -> int:
        operator = condition.raw.get("operator")
        if operator not in _WINDOW_OPERATORS:
            message = f"{shown(operator)} does not say how many days a window has"
            self.faults.at(pointer_join(pointer, "operator"), "window_invalid", message)
        return self._days(condition.raw.get("value"), pointer_join(pointer, "value"))

    def _days(self, raw: AnyValue, pointer: str) -> int:
        days = number_of(raw)
        if days is None or not 1 <= days <= MAX_WINDOW_DAYS or days != int(days):
            message = f"a window takes whole days from 1 to {MAX_WINDOW_DAYS}, not {shown(raw)}"
            self.faults.at(pointer, "window_invalid", message)
            return 0
        return int(days)

    def _comparison(self, raw: Raw, pointer: str) -> tuple[str, int]:
        name = raw.get("operator")
        row = BY_NAME.get(name) if isinstance(name, str) else None
        if name in (None, ""):
            row = BY_NAME["greaterThanInclusive"]
        if row is None or row.name not in COUNT_OPERATORS:
            message = f"{shown(name)} does not compare a number of events"
            self.faults.at(pointer_join(pointer, "operator"), "unknown_operator", message)
            return "greaterThanInclusive", 1
        count = raw.get("count")
        number = 1 if count in (None, "") else number_of(count)
        if number is None or not 0 <= number < 2**63 or number != int(number):
            message = f"the count must be a whole number, not {shown(count)}"
            self.faults.at(pointer_join(pointer, "count"), "count_invalid", message)
            return row.name, 1
        return row.name, int(number)

    # Rules over the profile: the operator compares the profile's value, the count is inert.

    def _identify(self, raw: Raw, pointer: str) -> Node:
        key = raw.get("key")
        self._refuse_conditions(raw, pointer)
        if not isinstance(key, str) or not key:
            return Constant(False)
        return self._compare(Attribute("trait", key), raw, pointer)

    def _location(self, raw: Raw, pointer: str) -> Node:
        key = raw.get("key")
        self._refuse_conditions(raw, pointer)
        if not isinstance(key, str) or key not in LOCATION_MEMBERS:
            hint = closest(key, LOCATION_MEMBERS) if isinstance(key, str) else ""
            message = f"unknown part of a location {shown(key)}"
            self.faults.at(pointer_join(pointer, "key"), "unknown_attribute", message, hint)
            return Constant(False)
        return self._compare(Attribute("location", key), raw, pointer)

    def _is_returning_visitor(self, raw: Raw, pointer: str) -> Node:
        wanted = {"true": True, "false": False}.get(text_of(raw.get("value")))
        operator = self._operator(raw, pointer)
        if wanted is None or operator is None or operator.name not in ("equal", "notEqual"):
            message = "a returning-visitor rule says equal true or false"
            self.faults.at(pointer, "operand_invalid", message)
            return Constant(False)
        nodes: list[Node] = [self.builder.returning(wanted is (operator.name == "equal"), pointer)]
        for condition, place in self._conditions(raw, pointer):
            if condition.id == "session_count":
                nodes.append(self._compare(Attribute("session_count"), condition.raw, place))
            else:
                nodes.append(self._unknown_condition(condition, place))
        return All(tuple(nodes))

    def _device(self, raw: Raw, pointer: str) -> Node:
        nodes = [
            self._compare(Attribute("device"), condition.raw, place)
            if condition.id == "type"
            else self._unknown_condition(condition, place)
            for condition, place in self._conditions(raw, pointer)
        ]
        return All(tuple(nodes)) if nodes else Constant(False)

    # Parts that several rule types share.

    def _compare(self, attribute: Attribute, raw: Raw, pointer: str) -> Node:
        operator = self._operator(raw, pointer)
        if operator is None:
            return Constant(False)
        value = raw.get("value")
        return self.builder.condition(attribute, operator, "" if value is None else value, pointer)

    def _operator(self, raw: Raw, pointer: str) -> Operator | None:
        name = raw.get("operator")
        row = BY_NAME.get(name) if isinstance(name, str) else None
        if row is None:
            hint = closest(name, BY_NAME) if isinstance(name, str) else ""
            message = f"unknown operator {shown(name)}"
            self.faults.at(pointer_join(pointer, "operator"), "unknown_operator", message, hint)
        return row

    def _conditions(self, raw: Raw, pointer: str) -> list[tuple[_Condition, str]]:
        conditions = raw.get("conditions")
        place = pointer_join(pointer, "conditions")
        if conditions is None:
            return []
        if not isinstance(conditions, list):
            self.faults.wrong_type(place, "conditions", "a list", conditions)
            return []
        return [
            (_Condition(condition), pointer_join(place, i))
            for i, condition in enumerate(conditions)
        ]

    def _refuse_conditions(self, raw: Raw, pointer: str) -> None:
        for condition, place in self._conditions(raw, pointer):
            self._unknown_condition(condition, place)

    def _unknown_condition(self, condition: _Condition, pointer: str) -> Node:
        message = f"unknown condition {shown(condition.id)} for this type of rule"
        hint = closest(condition.id, (*_WHERE_ATTRIBUTES, *_WHERE_SOURCES, *_WINDOW_IDS))
        self.faults.at(pointer_join(pointer, "key"), "unknown_condition", message, hint)
        return Constant(False)


class _Condition:
    """One where- or when-condition, read leniently; `id` says which, `parameter` of what."""

    def __init__(self, raw: AnyValue) -> None:
        self.raw: Raw = raw if isinstance(raw, Mapping) else {}
        key = self.raw.get("key")
        members: Raw = key if isinstance(key, Mapping) else {"id": key}
        category = members.get("category")
        self.id = text_of(members.get("id") or members.get("key"))
        self.parameter = text_of(members.get("value"))
        self.category = text_of(category.get("name")) if isinstance(category, Mapping) else ""
