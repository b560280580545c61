"""An export is read whole: every entry is accounted for, and visitors get what its authors mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgewise.decoding import decode_update
from edgewise.documents import ParsedRules, parse_documents
from edgewise.errors import InputError
from edgewise.model.decision import Decision
from edgewise.model.experience import EntryReplacement
from edgewise.model.profiles import Profile
from edgewise.receiving import receive
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.contentful.conversion import Conversion, account_of
from edgewise.sources.contentful.export import convert_export, is_export, load_export
from edgewise.sources.files import load_rules
from edgewise.standing import fold_and_decide
from tests.sources.exports import (
    OWN_EXPORT,
    POISONED_AUDIENCES,
    POISONED_EXPERIENCES,
    SHARED_EXPORT,
    JsonObject,
    audience,
    entry,
    experience,
    page_rule,
    poisoned,
    read,
)

NOW_MS = 1_780_000_000_000
HOUR_MS = 60 * 60 * 1000
DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"

NEEDS_SHARED = pytest.mark.skipif(
    not SHARED_EXPORT.exists(), reason="the export of a real space is not beside this checkout"
)
EXPORTS = [
    pytest.param(OWN_EXPORT, id="own"),
    pytest.param(SHARED_EXPORT, id="shared", marks=NEEDS_SHARED),
]


def convert(content: JsonObject) -> tuple[Conversion, ParsedRules]:
    """An export's document, and what the rule parsers make of it."""
    conversion = convert_export(content, "export.json")
    return conversion, parse_documents([conversion.document])


def outcomes(content: JsonObject) -> dict[str, tuple[str, str]]:
    """Outcome and reason per entry."""
    conversion, rules = convert(content)
    assert rules.faults == ()
    items = account_of(conversion, rules.set_aside)
    return {item.entry_id: (item.outcome, item.reason) for item in items}


def ruleset_of(content: JsonObject) -> Ruleset:
    """The ruleset of an export alone."""
    return load_ruleset("org", "env", [convert_export(content, "export.json").document])


def visit(ruleset: Ruleset, events: list[JsonObject]) -> Decision:
    """What a new visitor gets after some events."""
    named = [event | {"messageId": str(number)} for number, event in enumerate(events)]
    received = receive(decode_update(json.dumps({"events": named}).encode()), "v", NOW_MS)
    profile = Profile(
        organization="org", environment="env", id="v", stable_id="v", created_ms=NOW_MS
    )
    return fold_and_decide(ruleset, profile, received, NOW_MS).decision


def page(sessions_ago: int = 0) -> JsonObject:
    """A page event of a European desktop visitor, each session two hours before the next."""
    context = {
        "page": {"url": "https://shop.example/", "path": "/", "query": {}, "referrer": ""},
        "location": {"continent": "EU"},
        "userAgent": DESKTOP,
    }
    timestamp = NOW_MS - 1000 - sessions_ago * 2 * HOUR_MS
    return {"type": "page", "context": context, "timestamp": timestamp}


NEW_VISITOR = [page()]
KNOWN_VISITOR = [
    *(page(sessions_ago) for sessions_ago in range(9, -1, -1)),
    {"type": "identify", "traits": {"identified": True}, "timestamp": NOW_MS - 500},
    {"type": "track", "event": "custom", "properties": {}, "timestamp": NOW_MS - 400},
]
# The membership table of the audience rules, with the ids of this space.
MEMBERSHIP = [
    pytest.param(
        NEW_VISITOR,
        ["2WzXDaWtDmstHl9p8Wufpp", "2y72M2RTXnMpp9GPG8xSzf", "3UTxzKhiki1xeHAdSCJBCS"],
        id="new",
    ),
    pytest.param(
        KNOWN_VISITOR,
        [
            "2WzXDaWtDmstHl9p8Wufpp",
            "2y72M2RTXnMpp9GPG8xSzf",
            "46fHDG7vjxwTbYee5JNVOQ",
            "4yIqY7AWtzeehCZxtQSDB",
            "56gfPS3OIl77DbH5PZigtr",
            "5I5wZ2b6MeGP7q1aW1mOHG",
        ],
        id="identified",
    ),
]


@NEEDS_SHARED
def test_every_entry_of_a_real_space_is_taken() -> None:
    """All audiences, experiences and merge tags of the space are taken, and nothing else is."""
    content = read(SHARED_EXPORT)
    conversion, rules = convert(content)
    written = {
        raw["sys"]["id"]
        for raw in content["entries"]
        if raw["sys"]["contentType"]["sys"]["id"].startswith("nt_")
    }
    items = account_of(conversion, rules.set_aside)
    assert {item.entry_id for item in items} == written
    assert {(item.outcome, item.reason) for item in items} == {("taken", "")}
    assert [len(rules.audiences), len(rules.experiences), len(rules.merge_tags)] == [15, 17, 1]
    assert rules.set_aside == rules.faults == ()


@NEEDS_SHARED
@pytest.mark.parametrize(
    "spoil", [pytest.param(False, id="as-it-is"), pytest.param(True, id="poisoned")]
)
@pytest.mark.parametrize(("events", "audiences"), MEMBERSHIP)
def test_visitors_of_a_real_space_are_in_their_audiences(
    events: list[JsonObject], audiences: list[str], spoil: bool
) -> None:
    """The two recorded visitors get exactly the audiences of the table, poison or none."""
    content = read(SHARED_EXPORT)
    ruleset = ruleset_of(poisoned(content) if spoil else content)
    assert visit(ruleset, events).audiences == audiences


def test_every_entry_of_our_export_is_accounted_for() -> None:
    """Each entry of a rule type is taken, left out or set aside, for the reason it should."""
    draft = ("left out", "a draft: it was never published, or was unpublished")
    assert outcomes(read(OWN_EXPORT)) == {
        "entryEurope": ("taken", ""),
        "linkedEurope": ("left out", "the same audience as entry entryEurope"),
        "newVisitors": ("taken", ""),
        "cart": ("taken", "has changes that are not published"),
        "readers": ("taken", ""),
        "draft": draft,
        "archived": ("left out", "archived"),
        "empty": ("set aside", '"nt_rules" must be an object with "any", not null'),
        "heroEurope": ("taken", ""),
        "heroLinked": ("taken", ""),
        "placeholder": ("taken", ""),
        "flags": ("taken", ""),
        "unfinished": ("taken", ""),
        "toDraft": ("set aside", 'there is no published audience with the entry id "draft"'),
        "toNowhere": ("set aside", 'there is no published audience with the entry id "nowhere"'),
        "brokenLink": ("set aside", '"nt_audience" is no link to an entry'),
        "variantGone": ("set aside", 'the variant "gone" has no published entry'),
        "variantDraft": ("set aside", 'the variant "draftVariant" has no published entry'),
        "tooMuchTraffic": ("set aside", '"traffic" must be from 0 to 1'),
        "archivedExperience": ("left out", "archived"),
        "city": ("taken", ""),
        "draftTag": draft,
    }


def test_what_is_taken_is_served_as_its_author_means() -> None:
    """Ids, audiences, hidden variants, defaults and locales come out as the contract says."""
    _, rules = convert(read(OWN_EXPORT))
    names = {one.id: one.name for one in rules.audiences}
    assert names == {
        "cart": "Abandoned cart",
        "empty": "Without rules",
        "europe": "Europe",
        "newVisitors": "New visitors",
        "readers": "Readers of the blog",
    }
    found = {one.id: one for one in rules.experiences}
    assert {one.id: one.audience_id for one in rules.experiences} == {
        "flags": None,
        "heroEurope": "europe",
        "heroLinked": "europe",
        "placeholder": "newVisitors",
        "unfinished": None,
    }
    assert found["placeholder"].components == (EntryReplacement("hero", ("heroVariant", "")),)
    assert found["heroLinked"].sticky
    assert found["unfinished"].traffic_allocation == 0
    assert {one.allocation for one in rules.experiences} == {"murmur3"}
    assert [msgspec.to_builtins(tag) for tag in rules.merge_tags] == [
        {"id": "location.city", "fallback": "your city", "name": "City"}
    ]


@pytest.mark.parametrize(
    ("events", "audiences"),
    [
        pytest.param(NEW_VISITOR, ["europe", "newVisitors"], id="new"),
        pytest.param(
            [*KNOWN_VISITOR, {"type": "track", "event": "addToCart", "properties": {}}],
            ["cart", "europe"],
            id="with-a-cart",
        ),
    ],
)
def test_visitors_are_in_their_audiences(events: list[JsonObject], audiences: list[str]) -> None:
    """Audiences of our own export match whom they describe, poison or none."""
    content = read(OWN_EXPORT)
    assert visit(ruleset_of(content), events).audiences == audiences
    assert visit(ruleset_of(poisoned(content)), events).audiences == audiences


@pytest.mark.parametrize("path", EXPORTS)
def test_poison_is_named_and_never_matches(path: Path) -> None:
    """What is not understood is set aside by name; all else is served as without it."""
    content = read(path)
    clean, spoiled = ruleset_of(content), ruleset_of(poisoned(content))
    named = {
        fault.audience_id or fault.experience_id
        for fault in spoiled.set_aside
        if fault not in clean.set_aside
    }
    assert named >= POISONED_AUDIENCES | POISONED_EXPERIENCES
    assert all(str(fault).startswith("export.json#/entries/") for fault in spoiled.set_aside)
    for events in (NEW_VISITOR, KNOWN_VISITOR):
        before, after = visit(clean, events), visit(spoiled, events)
        assert after == before
        assert not POISONED_AUDIENCES & set(after.audiences)


@pytest.mark.parametrize("path", EXPORTS)
def test_pointers_lead_into_the_export(path: Path) -> None:
    """Audiences, experiences and every fault name a place that exists in the file."""
    content = poisoned(read(path))
    _, rules = convert(content)
    pointers = [audience.pointer for audience in rules.audiences]
    pointers += [experience.pointer for experience in rules.experiences]
    pointers += [fault.pointer for fault in rules.set_aside]
    for pointer in pointers:
        found: Any = content
        *parents, last = pointer.split("/")[1:]
        for part in parents:
            found = found[int(part)] if isinstance(found, list) else found[part]
        # The last part may be the member whose absence is the fault.
        assert isinstance(found, dict) or int(last) < len(found)


def test_a_rules_folder_may_hold_an_export(tmp_path: Path) -> None:
    """An export in an environment's folder is served beside native rules that refer to it."""
    folder = tmp_path / "acme" / "main"
    folder.mkdir(parents=True)
    (folder / "space.json").write_bytes(OWN_EXPORT.read_bytes())
    (folder / "own.yaml").write_text("audiences: [{id: far, none: [{audience: europe}]}]", "utf-8")
    ruleset = load_rules(tmp_path)["acme", "main"]
    assert {"europe", "far"} <= {audience.id for audience in ruleset.audiences}
    assert visit(ruleset, NEW_VISITOR).audiences == ["europe", "newVisitors"]


def test_a_native_audience_that_excludes_a_poisoned_one_never_matches(tmp_path: Path) -> None:
    """Not being in an audience that nobody understands is nothing anybody can tell."""
    folder = tmp_path / "acme" / "main"
    folder.mkdir(parents=True)
    (folder / "space.json").write_text(json.dumps(poisoned(read(OWN_EXPORT))), "utf-8")
    native = "audiences: [{id: others, none: [{audience: poisonOperator}]}]"
    (folder / "own.yaml").write_text(native, "utf-8")
    ruleset = load_rules(tmp_path)["acme", "main"]
    assert "others" not in visit(ruleset, NEW_VISITOR).audiences
    assert "others" in {fault.audience_id for fault in ruleset.set_aside}


def test_entries_as_the_delivery_api_gives_them_are_published() -> None:
    """Where no entry says whether it is published, all are."""
    content = {"entries": [audience("a", page_rule())]}
    del content["entries"][0]["sys"]["publishedVersion"]
    assert outcomes(content) == {"a": ("taken", "")}


def test_an_export_of_rules_alone_leaves_variants_unchecked() -> None:
    """Without any other entry in the export nobody can tell which variants exist."""
    alone = [experience("e", {"id": "somewhere", "hidden": False})]
    assert outcomes({"entries": alone}) == {"e": ("taken", "")}
    among_others = {"entries": [*alone, entry("p", "page")]}
    assert outcomes(among_others)["e"][0] == "set aside"


def test_the_original_of_an_audience_counts() -> None:
    """Of entries with one id the original wins, wherever it stands and whatever copies say."""
    copy = audience("copy", page_rule(count="99"))
    copy["fields"] |= {"nt_audience_id": "same", "nt_metadata": {"type": "linked"}}
    original = audience("original", page_rule())
    original["fields"] |= {"nt_audience_id": "same", "nt_metadata": {"type": "origin"}}
    content = {"entries": [copy, original]}
    assert visit(ruleset_of(content), NEW_VISITOR).audiences == ["same"]
    reason = "the same audience as entry original, whose rules differ and count"
    assert outcomes(content)["copy"] == ("left out", reason)


def test_a_link_in_another_locale_still_limits() -> None:
    """An experience whose link has no value in the default locale is not shown to everyone."""
    limited = experience("e", {"id": "", "hidden": True})
    limited["fields"]["nt_audience"] = {
        "fr": {"sys": {"type": "Link", "linkType": "Entry", "id": "a"}}
    }
    content = {
        "entries": [audience("a", page_rule()), limited],
        "locales": [{"code": "en-US", "default": True}, {"code": "fr", "default": False}],
    }
    (found,) = convert(content)[1].experiences
    assert found.audience_id == "a"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(None, id="null"),
        pytest.param({}, id="without-sys"),
        pytest.param({"sys": {"id": 7, "contentType": "nt_audience"}}, id="odd-sys"),
        pytest.param({"sys": {"contentType": {"sys": {"id": "nt_audience"}}}}, id="without-fields"),
        pytest.param(
            {"sys": {"contentType": {"sys": {"id": "nt_experience"}}}, "fields": {"nt_config": []}},
            id="odd-fields",
        ),
    ],
)
def test_senseless_entries_stop_nothing(raw: object) -> None:
    """What is no entry, or has nothing that an entry has, leaves the others as they are."""
    content = {"entries": [raw, audience("a", page_rule())]}
    _, rules = convert(content)
    assert rules.faults == ()
    assert visit(ruleset_of(content), NEW_VISITOR).audiences == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(None, "No such file", id="missing"),
        pytest.param("{", "not JSON", id="not-json"),
        pytest.param('{"audiences": []}', 'a list of "entries"', id="not-an-export"),
    ],
)
def test_load_export_says_what_is_wrong(tmp_path: Path, text: str | None, message: str) -> None:
    """A file that is missing or no export is named with the reason."""
    path = tmp_path / "export.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        load_export(path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"audiences": []}, id="rules"),
        pytest.param({"entries": {}}, id="no-list"),
        pytest.param([], id="list"),
        pytest.param(None, id="empty"),
    ],
)
def test_rule_documents_are_no_exports(content: object) -> None:
    """Only an object with a list of entries is taken for an export."""
    assert not is_export(content)
