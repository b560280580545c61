"""Entries of a space → one rule document, with an account of every entry it was made from.

The members `nt_rules` and `nt_config` go into the document as they are. What cannot be served as
its author means it is left out and named: an experience shown to the wrong people, or with its
variants in other places than its author gave them, is worse than one that is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final

import msgspec

from edgewise.errors import Fault
from edgewise.model.document import RuleDocument
from edgewise.parsing import FaultList, is_encodable, pointer_join
from edgewise.sources.contentful.entries import (
    AUDIENCE,
    EXPERIENCE,
    MERGE_TAG,
    RULE_TYPES,
    Entry,
    Locales,
    field_of,
    link_of,
)

TAKEN: Final = "taken"
LEFT_OUT: Final = "left out"
SET_ASIDE: Final = "set aside"

_KINDS: Final = {AUDIENCE: "audience", EXPERIENCE: "experience", MERGE_TAG: "merge tag"}
_FIELDS: Final = {
    AUDIENCE: ("nt_name", "nt_description", "nt_metadata", "nt_rules"),
    EXPERIENCE: ("nt_name", "nt_description", "nt_type", "nt_audience", "nt_config"),
    MERGE_TAG: ("nt_name", "nt_fallback"),
}
_ID_FIELDS: Final = {
    AUDIENCE: "nt_audience_id",
    EXPERIENCE: "nt_experience_id",
    MERGE_TAG: "nt_mergetag_id",
}
# Without it an entry would not be recognized as written by the app, and refuse the whole load.
_BODIES: Final = {AUDIENCE: "nt_rules", EXPERIENCE: "nt_config"}
_LISTS: Final = {AUDIENCE: "audiences", EXPERIENCE: "experiences", MERGE_TAG: "merge_tags"}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one entry.

    Args:
        kind: "audience", "experience" or "merge tag".
        entry_id: its id in the space.
        id: the id that rules and answers know it by.
        outcome: "taken", "left out" (it is not meant to be served) or "set aside" (it is faulty).
        reason: why it was not taken, or what to know about it although it was.
        pointer: where the entry stands in its source.
    """

    kind: str
    entry_id: str
    pointer: str
    id: str
    name: str
    outcome: str = TAKEN
    reason: str = ""


class Conversion(msgspec.Struct, frozen=True):
    """A rule document, and one item per entry of a rule type, in the order of the entries."""

    document: RuleDocument
    items: tuple[Item, ...]


def convert_entries(
    entries: Iterable[Entry],
    locales: Locales,
    file: str,
    *,
    known_ids: Set[str] | None,
    drafts: bool = False,
) -> Conversion:
    """Return the rules that some entries hold.

    Args:
        file: what faults call the source.
        known_ids: ids of all entries that clients can load; None where that is not known, which
            leaves variants unchecked.
        drafts: whether entries that are not published count, as they do for a preview.
    """
    return _Converter(list(entries), locales, file, known_ids, drafts).convert()


def variants_of(config: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Return the entry ids of all variants in an `nt_config`, each with its place."""
    for component, place in _members(config, "components", pointer):
        for variant, variant_place in _members(component, "variants", place):
            entry_id = variant.get("id") if isinstance(variant, Mapping) else None
            # A variable's variant has a value and no id; an empty id is a hidden variant.
            if isinstance(entry_id, str) and entry_id:
                yield entry_id, variant_place


class _Converter:
    def __init__(
        self,
        entries: list[Entry],
        locales: Locales,
        file: str,
        known_ids: Set[str] | None,
        drafts: bool,
    ) -> None:
        self.entries = [entry for entry in entries if entry.content_type in RULE_TYPES]
        self.locales = locales
        self.known_ids = known_ids
        self.drafts = drafts
        self.faults = FaultList(file)
        self.content: dict[str, list[Any]] = {name: [] for name in _LISTS.values()}
        self.places: dict[str, str] = {}
        self.items: dict[str, Item] = {}
        self.served_audiences: set[str] = set()
        self.audience_ids = {
            entry.id: self._rule_id(entry)
            for entry in self.entries
            if entry.content_type == AUDIENCE
        }

    def convert(self) -> Conversion:
        served: list[Entry] = []
        for entry in self.entries:
            reason = self._why_not_served(entry)
            note = "has changes that are not published" if entry.changed else ""
            self._account(entry, LEFT_OUT if reason else TAKEN, reason or note)
            if not reason:
                served.append(entry)
        self.served_audiences = {
            self._rule_id(entry) for entry in served if entry.content_type == AUDIENCE
        }
        for entry in self._without_linked_copies(served):
            raw = self._fields(entry)
            before = len(self.faults)
            if entry.content_type == EXPERIENCE:
                self._check_experience(entry, raw)
            if len(self.faults) == before:
                self._add(entry, raw)
            else:
                reasons = (fault.message for fault in self.faults.faults[before:])
                self._account(entry, SET_ASIDE, "; ".join(reasons))
        items = tuple(self.items[entry.pointer] for entry in self.entries)
        faults = tuple(self.faults.faults)
        known_ids = frozenset(self.known_ids or ())
        document = RuleDocument(self.faults.file, self.content, self.places, faults, known_ids)
        return Conversion(document, items)

    def _account(self, entry: Entry, outcome: str, reason: str = "") -> None:
        name = field_of(entry, "nt_name", self.locales)[0]
        self.items[entry.pointer] = Item(
            kind=_KINDS[entry.content_type],
            entry_id=entry.id,
            pointer=entry.pointer,
            id=self._rule_id(entry),
            name=name if isinstance(name, str) else "",
            outcome=outcome,
            reason=reason,
        )

    def _why_not_served(self, entry: Entry) -> str:
        if entry.archived:
            return "archived"
        if not entry.published and not self.drafts:
            return "a draft: it was never published, or was unpublished"
        return ""

    def _rule_id(self, entry: Entry) -> str:
        """The id that answers carry; it need not be the entry's own."""
        value = field_of(entry, _ID_FIELDS[entry.content_type], self.locales)[0]
        return value if isinstance(value, str) and value else entry.id

    def _without_linked_copies(self, served: list[Entry]) -> Iterator[Entry]:
        """Every entry but audiences that only point to one which another entry already defines.

        The original is the one whose rules count; its copies in other spaces carry its id.
        """
        first: dict[str, Entry] = {}
        for entry in served:
            if entry.content_type == AUDIENCE:
                known = first.setdefault(self._rule_id(entry), entry)
                if not self._is_original(known) and self._is_original(entry):
                    first[self._rule_id(entry)] = entry
        for entry in served:
            chosen = first.get(self._rule_id(entry)) if entry.content_type == AUDIENCE else entry
            if chosen is entry:
                yield entry
            elif chosen is not None:
                same = self._rules(entry) in (None, self._rules(chosen))
                more = "" if same else ", whose rules differ and count"
                self._account(entry, LEFT_OUT, f"the same audience as entry {chosen.id}{more}")

    def _rules(self, entry: Entry) -> Any:
        return field_of(entry, "nt_rules", self.locales)[0]

    def _is_original(self, entry: Entry) -> bool:
        metadata = field_of(entry, "nt_metadata", self.locales)[0]
        kind = metadata.get("type") if isinstance(metadata, Mapping) else "origin"
        return kind == "origin" and self._rules(entry) is not None

    def _fields(self, entry: Entry) -> dict[str, Any]:
        raw: dict[str, Any] = {_ID_FIELDS[entry.content_type]: self._rule_id(entry)}
        for name in _FIELDS[entry.content_type]:
            value = field_of(entry, name, self.locales)[0]
            if value is not None or name == _BODIES.get(entry.content_type):
                raw[name] = value
        return raw

    def _check_experience(self, entry: Entry, raw: dict[str, Any]) -> None:
        experience_id = self._rule_id(entry)
        self.faults.experience_id = experience_id if is_encodable(experience_id) else entry.id
        if "nt_audience" in raw:
            raw["nt_audience"] = self._audience_id(entry, raw["nt_audience"])
        place = field_of(entry, "nt_config", self.locales)[1]
        for variant_id, pointer in variants_of(raw["nt_config"], place):
            if self.known_ids is not None and variant_id not in self.known_ids:
                message = f'the variant "{variant_id}" has no published entry'
                hint = "publish the entry, or take the variant out of the experience"
                self.faults.at(pointer, "variant_missing", message, hint)
        self.faults.experience_id = ""

    def _audience_id(self, entry: Entry, link: Any) -> str:
        entry_id = link_of(link)
        place = field_of(entry, "nt_audience", self.locales)[1]
        audience_id = self.audience_ids.get(entry_id, "")
        if not entry_id:
            # Taken as no audience, it would show the experience to everyone.
            self.faults.at(place, "wrong_type", '"nt_audience" is no link to an entry')
        elif audience_id not in self.served_audiences:
            message = f'there is no published audience with the entry id "{entry_id}"'
            self.faults.at(place, "unknown_audience", message, "publish the audience")
        return audience_id

    def _add(self, entry: Entry, raw: dict[str, Any]) -> None:
        name = _LISTS[entry.content_type]
        here = pointer_join("", name, len(self.content[name]))
        self.content[name].append(raw)
        self.places[here] = pointer_join(entry.pointer, "fields")
        body = _BODIES.get(entry.content_type)
        if body:
            self.places[pointer_join(here, body)] = field_of(entry, body, self.locales)[1]


def _members(raw: Any, key: str, pointer: str) -> list[tuple[Any, str]]:
    members = raw.get(key) if isinstance(raw, Mapping) else None
    if not isinstance(members, list):
        return []
    return [(member, pointer_join(pointer, key, i)) for i, member in enumerate(members)]


def account_of(conversion: Conversion, set_aside: Iterable[Fault]) -> tuple[Item, ...]:
    """Return the items of a conversion, those that the rule parsers set aside included.

    Args:
        set_aside: what the parsers found wrong with the document.
    """
    reasons: dict[str, list[str]] = {}
    owners = {pointer_join(item.pointer, "fields"): item.pointer for item in conversion.items}
    for fault in set_aside:
        for place in _prefixes(fault.pointer):
            if place in owners:
                reasons.setdefault(owners[place], []).append(fault.message)
    return tuple(
        msgspec.structs.replace(item, outcome=SET_ASIDE, reason="; ".join(reasons[item.pointer]))
        if item.outcome == TAKEN and item.pointer in reasons
        else item
        for item in conversion.items
    )


def _prefixes(pointer: str) -> Iterator[str]:
    parts = pointer.split("/")
    return ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
