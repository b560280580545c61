"""Exports that several tests read, and what spoils them."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]

TESTS = Path(__file__).parent.parent
OWN_EXPORT = TESTS / "data" / "space-export.json"
# An export of a real space, which not every checkout has beside it.
SHARED_EXPORT = TESTS.parent.parent / "shared" / "data" / "contentful-space-export.json"

# Ids of what `poisoned` adds.
POISONED_AUDIENCES = {"poisonWindow", "poisonWindowMember", "poisonOperator", "poisonNegation"}
POISONED_EXPERIENCES = {"poisonVariant"}


def read(path: Path) -> JsonObject:
    """The content of an export."""
    content: JsonObject = json.loads(path.read_text("utf-8"))
    return content


def entry(entry_id: str, content_type: str, **fields: Any) -> JsonObject:
    """A published entry without locales."""
    sys = {
        "id": entry_id,
        "type": "Entry",
        "contentType": {"sys": {"type": "Link", "linkType": "ContentType", "id": content_type}},
        "publishedVersion": 1,
    }
    return {"sys": sys, "fields": fields}


def audience(entry_id: str, *rules: JsonObject) -> JsonObject:
    """A published audience whose rules must all hold."""
    nt_rules = {"any": [{"all": list(rules)}]}
    return entry(entry_id, "nt_audience", nt_name=entry_id, nt_rules=nt_rules)


def page_rule(**members: Any) -> JsonObject:
    """A rule that any page event fulfils, with some members of its own."""
    url = {"key": {"id": "context_page_url"}, "operator": "equal", "value": "*"}
    rule = {"type": "page", "operator": "greaterThanInclusive", "count": "1", "conditions": [url]}
    return {**rule, **members}


def window_of_unknown_form() -> JsonObject:
    """A page rule whose window nobody can read as a number of days."""
    when = {"key": {"id": "when"}, "operator": "equal", "value": "three weeks"}
    return page_rule(conditions=[when])


def experience(entry_id: str, variant: JsonObject) -> JsonObject:
    """A published experience that shows everyone one variant."""
    component = {"type": "EntryReplacement", "baseline": {"id": "b"}, "variants": [variant]}
    config = {"traffic": 1, "distribution": [0, 1], "components": [component]}
    return entry(
        entry_id,
        "nt_experience",
        nt_name=entry_id,
        nt_type="nt_personalization",
        nt_config=config,
        nt_experience_id=entry_id,
    )


def poisons() -> list[JsonObject]:
    """Entries that would match everyone if what is not understood in them were dropped."""
    unknown = {"type": "identify", "key": "plan", "operator": "resembles", "value": "gold"}
    in_condition = {"key": {"id": "context_page_url"}, "operator": "isNot", "value": "/"}
    bought_nothing = page_rule(
        type="track", value="purchase", operator="lessThan", conditions=[in_condition]
    )
    return [
        audience("poisonWindow", window_of_unknown_form()),
        audience("poisonWindowMember", page_rule(within={"weeks": 3})),
        audience("poisonOperator", page_rule(), unknown),
        audience("poisonNegation", bought_nothing),
        experience("poisonVariant", {"id": "nobodyWroteIt", "hidden": True}),
    ]


def poisoned(content: JsonObject) -> JsonObject:
    """An export with the poisons added, everything else as it was."""
    return {**deepcopy(content), "entries": [*deepcopy(content["entries"]), *poisons()]}
