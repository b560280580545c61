"""Warnings tell of what is odd, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.audiences.interpret import holds
from edgewise.documents import parse_documents
from edgewise.lint.conditions import check_conditions
from edgewise.lint.linting import WARNINGS, lint
from edgewise.lint.notes import Subject
from edgewise.lint.unread import note_unread
from edgewise.model.audience import Audience
from edgewise.model.document import RuleDocument, UnreadFile
from edgewise.model.profiles import Profile
from edgewise.reload.loading import load_folder
from edgewise.ruleset import load_ruleset
from edgewise.sources.contentful.export import convert_export
from tests.docs.warnings import (
    HERO,
    VARIABLE,
    app_rule,
    audience,
    experience,
    two,
    warnings_of,
)
from tests.docs.warnings import WARNINGS as EXAMPLES
from tests.sources.exports import OWN_EXPORT, read
from tests.strategies import NOW_MS, audience_lists, profiles
from tests.test_explaining import ruleset_of

DEMO = Path(__file__).parents[2] / "rules"
ONE_AUDIENCE = "audiences: [{id: x, has trait: x}]\n"
AUDIENCES = "audiences: [{id: x, has trait: x}, {id: y, has trait: y}]\n"


def codes(rules: str, entry_ids: frozenset[str] = frozenset()) -> list[str]:
    """The codes of the warnings about some rules."""
    return [fault.code for fault in warnings_of(rules, entry_ids)]


def test_where_all_was_set_aside_something_is_there() -> None:
    """An environment whose only experience is faulty has rules, and another warning of its own."""
    rules = (
        "experiences: [{nt_experience_id: x, nt_type: nt_personalization, nt_config: {traffic: 2}}]"
    )
    assert "no_rules" not in codes(rules)


def test_every_code_has_an_example() -> None:
    """The codes that exist are those of the examples."""
    assert EXAMPLES.keys() == WARNINGS.keys()


@pytest.mark.parametrize("code", WARNINGS)
def test_an_example_has_its_warning_alone(code: str) -> None:
    """The rules of an example are odd in one way, with a place and a remedy."""
    (fault,) = warnings_of(*EXAMPLES[code])
    assert fault.code == code
    is_about_file = code in ("misplaced_file", "no_rules")
    assert is_about_file or fault.file == "shop.yaml"
    assert bool(fault.pointer) is not is_about_file
    assert fault.hint


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("has trait: {t: {equals: a, is one of: [b, c]}}", id="equals and another"),
        pytest.param("has trait: {t: {equals: a, starts with: b}}", id="equals and a prefix"),
        pytest.param("has trait: {t: {equals: a, does not equal: a}}", id="equals and not"),
        pytest.param("has trait: {t: {contains: a, does not contain: a}}", id="an opposite"),
        pytest.param("all: [{has trait: {t: a}}, {has trait: {t: b}}]", id="two equalities"),
        pytest.param("has trait: {t: {at least: 5, less than: 5}}", id="an empty range"),
        pytest.param("has trait: {t: {equals: 7, less than: 5}}", id="a number out of range"),
        pytest.param("has trait: {t: {after: 2026-01-02, before: 2026-01-01}}", id="times"),
        pytest.param("has performed event: buy, at least: 3, fewer than: 3", id="counts"),
        pytest.param("has performed event: buy, at most: 3, exactly: 4", id="an exact count"),
        pytest.param("has trait: t, none: [{has trait: t}, {has trait: u}]", id="in none"),
        pytest.param("any: [{has trait: {t: {more than: 5, less than: 3}}},"
                     " {has trait: {t: {equals: a, is one of: [b]}}}]", id="every alternative"),
    ],
)  # fmt: skip
def test_what_rules_itself_out_never_matches(rule: str) -> None:
    """Two conditions on one value that no value satisfies are found, however they are written."""
    assert codes(audience(rule)) == ["never_matches"]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("has trait: {t: {at least: 5, at most: 5}}", id="a range of one number"),
        pytest.param("has trait: {t: {equals: ab, starts with: a, ends with: b}}", id="it fits"),
        pytest.param("has trait: {t: {is one of: [a, b], does not equal: a}}", id="one is left"),
        pytest.param("has trait: {t: {includes: a}, u: b}, none: [{has trait: {t: b}}]", id="list"),
        pytest.param("all: [{has trait: {t: a}}, {has trait: {u: b}}]", id="two traits"),
        pytest.param("has trait: {t: {more than: 3, before: 2026-01-01}}", id="not comparable"),
        pytest.param("has trait: {t: {equals: 5, contains: '5.0'}}", id="spelled otherwise"),
        pytest.param("has performed event: buy, at least: 3, at most: 3", id="an exact count"),
        pytest.param(
            "all: [{has performed event: buy, at least: 3},"
            " {has performed event: buy, at most: 2, within: 3 days}]",
            id="other windows",
        ),
        pytest.param("is returning visitor: true, session count: {at most: 3}", id="sessions"),
        pytest.param("has viewed page: {path: /sale, referrer: 'https://a.example/'}", id="a page"),
        pytest.param(
            "has viewed page: {path: {contains: sale}, referrer: {contains: a.example}}",
            id="parts",
        ),
    ],
)
def test_what_may_hold_is_not_warned_of(rule: str) -> None:
    """Conditions that some value satisfies are left alone."""
    assert codes(audience(rule)) == []


@pytest.mark.parametrize(
    ("unread", "reason", "hint"),
    [
        pytest.param(
            UnreadFile("rules/shop/sale.yaml"),
            "it lies outside of every environment",
            "move it to RULES/ORGANIZATION/ENVIRONMENT/",
            id="above",
        ),
        pytest.param(
            UnreadFile("rules/shop/main/old/sale.yaml", "rules/shop/main"),
            "it lies in a folder inside of an environment",
            "move it to rules/shop/main/",
            id="below",
        ),
        pytest.param(
            UnreadFile("rules/shop/main/SALE.YAML", "rules/shop/main"),
            'its name ends in ".YAML"',
            'call it "SALE.yaml"',
            id="in upper case",
        ),
    ],
)
def test_a_file_that_is_not_read_is_told_where_it_belongs(
    unread: UnreadFile, reason: str, hint: str
) -> None:
    """A file is not read for where it lies, or for how it is called; either has a remedy."""
    fault = note_unread(unread)
    assert (fault.code, fault.file, fault.pointer) == ("misplaced_file", unread.file, "")
    assert (fault.message, fault.hint) == (f"this file is not read, because {reason}", hint)


@pytest.mark.parametrize(
    ("rule", "hints"),
    [
        pytest.param("country code: UK", ['write "GB"'], id="UK"),
        pytest.param("country code: de", ['write "DE"'], id="lower case"),
        pytest.param("country code: [DE, Germany, AT]", ['write "DE"'], id="one of a list"),
        pytest.param("country code: DEU", ['codes are like "DE", in upper case'], id="three"),
        pytest.param("country code: {does not equal: UK}", ['write "GB"'], id="negation"),
        pytest.param("country code: {starts with: d}", ['codes are like "DE", in upper case'],
                     id="prefix"),
        pytest.param("continent: Europe", ['write "EU"'], id="name of a continent"),
        pytest.param("continent: [eu, NA]", ['write "EU"'], id="continent in lower case"),
        pytest.param("continent: Atlantis", ["one of AF, AN, AS, EU, NA, OC, SA"], id="no such"),
        pytest.param("country code: XK, continent: EU, country: UK", [], id="all real"),
        pytest.param("country code: {starts with: D}, continent: {contains: A}", [], id="parts"),
        pytest.param("country code: {matches: '^(DE|AT)$'}", [], id="regular expression"),
        pytest.param("country code: {is set: true}, continent: '*'", [], id="any"),
    ],
)  # fmt: skip
def test_codes_that_do_not_exist(rule: str, hints: list[str]) -> None:
    """A code that nothing has is told, with the right one if it can be guessed; others are not."""
    found = warnings_of(audience(f"is located at: {{{rule}}}"))
    assert [(fault.code, fault.hint) for fault in found] == [("impossible_value", h) for h in hints]


@pytest.mark.parametrize(
    ("value", "hints"),
    [
        pytest.param("mobil", ['did you mean "mobile"?'], id="misspelled"),
        pytest.param("phone", ["one of desktop, mobile, tablet, unknown"], id="unknown"),
        pytest.param("tablet", [], id="known"),
    ],
)
def test_app_written_device_classes(value: str, hints: list[str]) -> None:
    """An app-written rule about a device of no class is told; a native one is a fault anyway."""
    condition = f"{{key: {{id: type}}, operator: equal, value: {value}}}"
    found = warnings_of(app_rule(f"type: device, conditions: [{condition}]"))
    assert [(fault.code, fault.hint) for fault in found] == [("impossible_value", h) for h in hints]


@pytest.mark.parametrize(
    ("condition", "code", "hint"),
    [
        ("path: '/sale?page=2'", "path_with_query", 'compare it with url, or write "/sale"'),
        ("path: {starts with: '/#top'}", "path_with_query", 'compare it with url, or write "/"'),
        ("path: {contains: '?page=2'}", "path_with_query", "compare it with url"),
        ("path: /blog/*", "literal_star", 'write {starts with: "/blog/"}'),
        ("path: {starts with: /blog/*}", "literal_star", 'write "/blog/"'),
        ("path: {contains: blog*}", "literal_star", 'write "blog"'),
        ("path: ['/a', /*/b]", "literal_star", "use `starts with`, `contains` or `matches`"),
        ("url: 'https://a.example/*'", "literal_star", 'write {starts with: "https://a.example/"}'),
        ("url: a.example/b", "url_without_scheme", 'write "https://a.example/b"'),
        ("url: /b", "url_without_scheme", "compare it with path, or use `contains`"),
        ("url: {starts with: careers/}", "url_without_scheme",
         "use `contains`, or write the whole address"),
        ("path: '/sale '", "outer_space", 'write "/sale"'),
        ("path: ' /sale'", "outer_space", 'write "/sale"'),
        ("url: ' https://a.example/ '", "outer_space", 'write "https://a.example/"'),
        ("property: {category: {starts with: ' a'}}", "outer_space", 'write "a"'),
        ("utm source: {ends with: 'a '}", "outer_space", 'write "a"'),
    ],
)  # fmt: skip
def test_pages_that_are_not_like_that(condition: str, code: str, hint: str) -> None:
    """What no page's address is like has one warning, with a remedy."""
    (fault,) = warnings_of(audience(f"has viewed page: {{{condition}}}"))
    assert (fault.code, fault.hint) == (code, hint)


@pytest.mark.parametrize(
    "condition",
    [
        "path: {matches: '^/(sale|new)?$'}",
        "path: {matches: '/blog/.*'}",
        "path: '*'",
        "path: {contains: '*'}",
        "url: {starts with: 'https'}",
        "url: {starts with: 'http://a.example'}",
        "url: {contains: a.example/sale}",
        "url: {ends with: '?page=2'}",
        "url: 'app://shop/home'",
        "url: {contains: '?q=*'}",
        "property: {category: {contains: ' and '}}",
        "property: {category: {starts with: 'for '}}",
        "property: {category: {ends with: ' shoes'}}",
        "query: {q: '*/a?b#c*'}",
        "referrer: {contains: a.example}",
    ],
)
def test_pages_that_may_be_like_that(condition: str) -> None:
    """What some page may be like is left alone: parts, patterns, other schemes and other values."""
    assert codes(audience(f"has viewed page: {{{condition}}}")) == []


def test_the_name_of_an_event_is_compared_with_its_spaces() -> None:
    """A space that was copied along with a name is told for events and traits alike."""
    assert codes(audience("has performed event: 'purchase '")) == ["outer_space"]
    assert codes(audience("has trait: {tags: {includes: 'new '}}")) == ["outer_space"]
    assert codes(audience("is located at: {country code: 'DE '}")) == ["outer_space"]
    assert codes(audience("has trait: {blank: ' '}")) == []


def test_a_dead_part_is_named_where_it_stands() -> None:
    """An audience that can match is warned of for the part that cannot."""
    dead = "{has trait: {t: {more than: 5, less than: 3}}}"
    (fault,) = warnings_of(audience(f"any: [{{has trait: x}}, {dead}]"))
    assert (fault.code, fault.audience_id) == ("never_matches", "a")
    assert fault.pointer == "/audiences/0/any/1/has trait/t/more than"
    assert "`trait t greater than 5` and `trait t less than 3`" in fault.message


@settings(max_examples=500)
@given(audience_lists, st.lists(profiles, min_size=3, max_size=3))
def test_warnings_of_conditions_are_true(
    audiences: list[Audience], visitors: list[Profile]
) -> None:
    """Of any rules: what is said to match never or always does so for any profile."""
    ruleset = ruleset_of(audiences, [])
    by_id = {one.id: one for one in audiences}
    for fault in check_conditions(Subject(ruleset, [])):
        if "a part of the rule" in fault.message:
            continue
        expected = fault.code == "always_matches"
        tree = by_id[fault.audience_id].tree
        assert all(holds(tree, one, NOW_MS) is expected for one in visitors), fault.message


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(experience("distribution: [0, 1], "), [], id="a baseline for nobody"),
        pytest.param(experience("traffic: 0, "), ["unreachable_variant"], id="no traffic"),
        pytest.param(
            experience("distribution: [0.1, 0.2, 0.7], ", "{entry: h, variants: [a, b]}"),
            [],
            id="sums as computers add",
        ),
        pytest.param(
            two(f"audience: x, {HERO}", f"audience: y, {HERO}", AUDIENCES), [], id="two audiences"
        ),
        pytest.param(
            two(f"audience: x, {HERO}", f"audience: x, {HERO}", AUDIENCES.replace("y", "x2")),
            ["unused_audience", "shadowed_experience"],
            id="one audience",
        ),
        pytest.param(
            two(f"audience: x, {HERO}", HERO, ONE_AUDIENCE),
            ["shadowed_experience"],
            id="one for everyone",
        ),
        pytest.param(
            two(f"audience: x, {HERO}", f"traffic: 0.5, {HERO}", ONE_AUDIENCE),
            [],
            id="one for half of everyone",
        ),
        pytest.param(two(HERO, VARIABLE), [], id="nothing in common"),
        pytest.param(
            "audiences: [{id: a, any: [{audience: b}]}, {id: b, has trait: t}]\n"
            "experiences: [{id: e, audience: a, components: [{entry: h, variants: [o]}]}]",
            [],
            id="an audience for another one",
        ),
        pytest.param(app_rule("type: track, value: buy, count: '1', key: null"), [], id="a text"),
        pytest.param(app_rule("type: track, value: buy, count: 1, key: ''"), [], id="a key"),
    ],
)  # fmt: skip
def test_experiences_and_audiences(rules: str, expected: list[str]) -> None:
    """What belongs together is told from what gets into each other's way."""
    assert codes(rules) == expected


def test_what_is_accepted_is_not_told() -> None:
    """A file that says why takes a warning away, in all files of its environment."""
    rules = "audiences: [{id: a, has trait: vip}]"
    assert codes(f"accepted_warnings: {{unused_audience: A site reads it.}}\n---\n{rules}") == []


def test_a_reason_has_to_be_said() -> None:
    """A warning that is accepted without a reason is a fault of the file."""
    content = {"accepted_warnings": {"unused_audience": ""}}
    (fault,) = parse_documents([RuleDocument("shop.yaml", content)]).faults
    assert (fault.code, fault.pointer) == ("missing_key", "/accepted_warnings/unused_audience")


def test_entries_of_an_export_are_known() -> None:
    """Rules by hand beside an export are held to the entries that it has."""
    document = convert_export(read(OWN_EXPORT), "space.json").document
    by_hand = RuleDocument(
        "shop.yaml",
        {"experiences": [{"id": "e", "components": [{"entry": "noSuch", "variants": ["b"]}]}]},
    )
    assert document.entry_ids
    warnings = lint(Subject(load_ruleset("shop", "main", [document, by_hand]), [document, by_hand]))
    missing = [fault.message for fault in warnings if fault.code == "entry_missing"]
    assert any('"noSuch"' in message for message in missing)


def test_the_demo_is_clean() -> None:
    """The rules that the repository ships have no warning that they do not explain."""
    loaded = load_folder(DEMO)
    for key, ruleset in loaded.rulesets.items():
        assert lint(Subject(ruleset, loaded.documents[key])) == []
