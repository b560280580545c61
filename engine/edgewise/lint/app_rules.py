"""App-written rules that look as if their editor had lost a part of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgewise.errors import Fault
from edgewise.lint.notes import Place, Subject, note
from edgewise.model.document import RuleDocument
from edgewise.parsing import is_number, pointer_join


def check_app_rules(subject: Subject) -> Iterator[Fault]:
    """Warn of rules with a number as `count` and null as `key`.

    Source: the audience builder writes the count as a text and an empty key as one; where both
    differ, the rule comes from elsewhere, and what the app makes of its count is not certain.
    """
    for document in subject.documents:
        content = document.content
        audiences = content.get("audiences") if isinstance(content, Mapping) else None
        for position, raw in enumerate(audiences or ()):
            if isinstance(raw, Mapping) and "nt_rules" in raw:
                here = pointer_join("", "audiences", position)
                yield from _check(document, raw, here)


def _check(document: RuleDocument, raw: Mapping[str, Any], here: str) -> Iterator[Fault]:
    rules_here = pointer_join(here, "nt_rules")
    base = document.places.get(rules_here) or pointer_join(
        document.places.get(here, here), "nt_rules"
    )
    audience_id = raw.get("nt_audience_id") or raw.get("id")
    for rule, pointer in _rules(raw["nt_rules"], base):
        if is_number(rule.get("count")) and "key" in rule and rule["key"] is None:
            place = Place(document.file, pointer, str(audience_id))
            message = f"the count {rule['count']} is a number, and the key is null"
            hint = 'write the count as a text, such as "1", and the key as ""'
            yield note("numeric_count", place, message, hint)


def _rules(raw: Any, pointer: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    for group, place in _members(raw, "any", pointer):
        for rule, rule_place in _members(group, "all", place):
            if isinstance(rule, Mapping):
                yield rule, rule_place


def _members(raw: Any, key: str, pointer: str) -> Iterator[tuple[Any, str]]:
    members = raw.get(key) if isinstance(raw, Mapping) else None
    for position, member in enumerate(members if isinstance(members, list) else ()):
        yield member, pointer_join(pointer, key, position)
