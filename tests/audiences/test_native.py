"""The form that people write: each phrase, each way to compare, and every slip with its remedy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.audiences.native import (
    COUNT_PHRASES,
    EVENT_MODIFIERS,
    LOCATION_KEYS,
    RULE_KEYS,
    WHERE_KEYS,
)
from edgewise.operators import BY_PHRASE
from tests.rules import (
    DAY_MS,
    NOW_MS,
    is_member,
    make_event,
    make_profile,
    native,
    parse,
    shown,
)

SALE = make_event(
    "page",
    page={
        "url": "https://shop.example/sale?size=9",
        "path": "/sale",
        "referrer": "https://news.example/",
        "query": {"size": "9"},
    },
    campaign={
        "name": "spring",
        "source": "mail",
        "medium": "email",
        "term": "tent",
        "content": "top",
    },
    properties={"category": "tents", "price": 80},
)
VALUES = {
    "url": "https://shop.example/sale?size=9",
    "path": "/sale",
    "referrer": "https://news.example/",
    "utm campaign": "spring",
    "utm source": "mail",
    "utm medium": "email",
    "utm term": "tent",
    "utm content": "top",
}


def faults_of(raw: Any) -> list[str]:
    """The faults of a native audience, which refuse the load."""
    parsed = parse(raw)
    assert parsed.set_aside == ()
    return [text.removeprefix("shop.yaml#/audiences/0") for text in shown(parsed.faults)]


def test_phrases_of_every_operator() -> None:
    """Each operator has words of its own, and they are the ones of the table."""
    assert len(BY_PHRASE) == sum(
        1 + len(row.phrases) for row in {row.name: row for row in BY_PHRASE.values()}.values()
    )


@pytest.mark.parametrize(
    ("phrase", "operand", "yes", "no"),
    [
        ("equals", "a", "a", "b"),
        ("is", "a", "a", "b"),
        ("does not equal", "a", "b", "a"),
        ("is not", "a", None, "a"),
        ("is one of", ["a", 5], 5, "b"),
        ("is not one of", ["a", 5], "b", "a"),
        ("contains", "a", "bab", "b"),
        ("does not contain", "a", "b", "bab"),
        ("starts with", "a", "ab", "ba"),
        ("ends with", "a", "ba", "ab"),
        ("matches", "^a+$", "aa", "ab"),
        ("includes", "a", ["a", "b"], ["ab"]),
        ("does not include", "a", ["ab"], ["a", "b"]),
        ("greater than", 5, 6, 5),
        ("more than", 5, 6, 5),
        ("at least", 5, 5, 4),
        ("greater than or equal to", 5, 5, 4),
        ("less than", 5, 4, 5),
        ("fewer than", 5, 4, 5),
        ("at most", 5, 5, 6),
        ("less than or equal to", 5, 5, 6),
        ("before", "2026-01-31", "2026-01-30", "2026-01-31"),
        ("on or before", "2026-01-31", "2026-01-31", "2026-02-01"),
        ("after", "2026-01-31", "2026-02-01", "2026-01-31"),
        ("on or after", "2026-01-31", "2026-01-31", "2026-01-30"),
        ("is set", True, 0, None),
        ("is set", False, None, 0),
    ],
)
def test_operator_phrase(phrase: str, operand: Any, yes: Any, no: Any) -> None:
    """An operator's words compare a trait as the operator does."""
    rule = native(has_trait={"k": {phrase: operand}})
    assert is_member(rule, make_profile({"k": yes}))
    assert not is_member(rule, make_profile({"k": no}))


def test_every_phrase_is_tested() -> None:
    """The table above leaves out no words."""
    rows = next(
        mark
        for mark in getattr(test_operator_phrase, "pytestmark", ())
        if mark.name == "parametrize"
    ).args[1]
    assert {row[0] for row in rows} == set(BY_PHRASE)


def test_comparison_as_value_list_or_operators() -> None:
    """A value is `equals`, a list is `is one of`, and several operators must all hold."""
    profile = make_profile({"k": 7, "n": "x"})
    assert is_member(native(has_trait={"k": 7}), profile)
    assert is_member(native(has_trait={"k": [6, 7]}), profile)
    assert is_member(native(has_trait={"k": {"at least": 7, "at most": 7}}), profile)
    assert not is_member(native(has_trait={"k": {"at least": 7, "at most": 6}}), profile)
    assert is_member(native(has_trait={"k": 7, "n": "x"}), profile)
    assert not is_member(native(has_trait={"k": 7, "n": "y"}), profile)
    assert is_member(native(has_trait="k"), profile)
    assert not is_member(native(has_trait="other"), profile)


def test_dotted_trait() -> None:
    """A dotted name reaches into an object."""
    rule = native(has_trait={"order.total": {"at least": 100}})
    assert is_member(rule, make_profile({"order": {"total": 120}}))
    assert not is_member(rule, make_profile({"order": {"total": 80}}))


@pytest.mark.parametrize("words", LOCATION_KEYS)
def test_location(words: str) -> None:
    """Each part of the location has words of its own."""
    rule = native(is_located_at={words: "X"})
    assert is_member(rule, make_profile(location={LOCATION_KEYS[words]: "X"}))
    assert not is_member(rule, make_profile(location={LOCATION_KEYS[words]: "x"}))
    assert not is_member(rule, make_profile())


@pytest.mark.parametrize("sessions", [1, 2, 3])
def test_sessions(sessions: int) -> None:
    """Returning visitors and session counts read the session."""
    profile = make_profile(session_count=sessions)
    assert is_member(native(is_returning_visitor=True), profile) is (sessions > 1)
    assert is_member(native(is_returning_visitor=False), profile) is (sessions == 1)
    assert is_member(native(session_count={"at least": 3}), profile) is (sessions >= 3)
    for two in (2, "2", "twice", "2 times", [2], ["twice", 7], {"equals": "twice"}):
        assert is_member(native(session_count=two), profile) is (sessions == 2)
    assert is_member(native(session_count={"is not": "once"}), profile) is (sessions != 1)
    assert is_member(native(session_count={"more than": "once"}), profile) is (sessions > 1)


def test_device() -> None:
    """A device is one class or one of several."""
    assert is_member(native(is_on_device="mobile"), make_profile(device="mobile"))
    assert not is_member(native(is_on_device="mobile"), make_profile(device="tablet"))
    assert is_member(native(is_on_device=["mobile", "tablet"]), make_profile(device="tablet"))


@pytest.mark.parametrize("words", WHERE_KEYS)
def test_where(words: str) -> None:
    """Each where-condition reads its part of the page."""
    value = VALUES[words]
    assert is_member(native(has_viewed_page={words: value}), events=[SALE])
    assert not is_member(native(has_viewed_page={words: value[:-1]}), events=[SALE])
    assert is_member(native(has_viewed_page={words: {"contains": value[:-1]}}), events=[SALE])


def test_query_and_property() -> None:
    """Parameters and properties are named; a parameter compares as text, a property as either."""
    assert is_member(native(has_viewed_page={"query": {"size": "9"}}), events=[SALE])
    assert is_member(native(has_viewed_page={"query": {"size": 9}}), events=[SALE])
    assert not is_member(native(has_viewed_page={"query": {"size": "09"}}), events=[SALE])
    assert is_member(
        native(has_viewed_page={"property": {"price": {"at most": 80}}}), events=[SALE]
    )
    assert is_member(native(has_viewed_page={"property": {"price": "080"}}), events=[SALE])


def test_events() -> None:
    """Events are counted by name, `*` is any, and `where` narrows either kind."""
    order = make_event("track", event="order", properties={"total": 90})
    assert is_member(native(has_performed_event="order"), events=[order])
    assert is_member(native(has_performed_event="*"), events=[order])
    assert not is_member(native(has_performed_event="Order"), events=[order])
    assert not is_member(native(has_viewed_page="*"), events=[order])
    assert is_member(native(has_viewed_page="*"), events=[SALE])
    big = {"property": {"total": {"at least": 100}}}
    assert not is_member(native(has_performed_event="order", where=big), events=[order])
    assert is_member(native(has_viewed_page="*", where={"path": "/sale"}), events=[SALE])


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("at least", 2, {2, 3}),
        ("at least", "2 times", {2, 3}),
        ("at least", "2", {2, 3}),
        ("at least", "twice", {2, 3}),
        ("at least", "1 time", {1, 2, 3}),
        ("at least", "once", {1, 2, 3}),
        ("at most", 2, {0, 1, 2}),
        ("more than", 2, {3}),
        ("fewer than", 2, {0, 1}),
        ("exactly", 2, {2}),
        ("exactly", "never", {0}),
    ],
)
def test_count(key: str, value: Any, fits: set[int]) -> None:
    """The number of events can be bounded from either side, in words or digits."""
    rule = {**native(has_viewed_page="*"), key: value}
    assert {n for n in range(4) if is_member(rule, events=[SALE] * n)} == fits


def test_counts_combine() -> None:
    """Several bounds must all hold; without one, once is enough."""
    rule = {**native(has_viewed_page="*"), "at least": 1, "fewer than": 3}
    assert [is_member(rule, events=[SALE] * n) for n in range(4)] == [False, True, True, False]
    assert is_member(native(has_viewed_page="*"), events=[SALE])
    assert not is_member(native(has_viewed_page="*"))


def test_window() -> None:
    """Only events of the last days count, the oldest instant included."""
    rule = native(has_viewed_page="*", within="7 days")
    edge = NOW_MS - 7 * DAY_MS
    assert is_member(rule, events=[(SALE, edge)])
    assert not is_member(rule, events=[(SALE, edge - 1)])
    never = {**rule, "exactly": "never"}
    assert is_member(never, events=[(SALE, edge - 1)])
    assert not is_member(never, events=[(SALE, edge)])
    assert is_member(native(has_viewed_page="*", within="1 day"), events=[SALE])


def test_nesting() -> None:
    """`any`, `all` and `none` nest, and everything in one rule must hold."""
    a, b = {"has trait": {"a": 1}}, {"has trait": {"b": 1}}
    profiles = [make_profile(traits) for traits in ({}, {"a": 1}, {"b": 1}, {"a": 1, "b": 1})]

    def members(**rule: Any) -> list[bool]:
        return [is_member(native(**rule), profile) for profile in profiles]

    assert members(any=[a, b]) == [False, True, True, True]
    assert members(all=[a, b]) == [False, False, False, True]
    assert members(none=[a, b]) == [True, False, False, False]
    assert members(any=[a], none=[b]) == [False, True, False, False]
    assert members(none=[{"all": [a, b]}]) == [True, True, True, False]
    assert members(all=[{"any": [a, b]}, {"none": [{"all": [a, b]}]}]) == [False, True, True, False]


@pytest.mark.parametrize(
    ("rule", "faults"),
    [
        pytest.param(
            {},
            [": a rule must say something (possible are: " + ", ".join(RULE_KEYS) + ")"],
            id="empty",
        ),
        pytest.param(
            {"has traits": {"k": 1}},
            ['/has traits: unknown key "has traits" (did you mean "has trait"?)'],
            id="key",
        ),
        pytest.param(
            {"has trait": {"k": {"equal": 1}}},
            ['/has trait/k/equal: unknown operator "equal" (did you mean "equals"?)'],
            id="operator",
        ),
        pytest.param(
            {"has trait": {"k": {}}},
            ["/has trait/k: a comparison must say something"],
            id="no-operator",
        ),
        pytest.param(
            {"has trait": {}},
            ['/has trait: "has trait" must be an object of names and comparisons, not an object'],
            id="no-trait",
        ),
        pytest.param(
            {"has trait": {"": 1}},
            ["/has trait/: a name must not be empty"],
            id="nameless-trait",
        ),
        pytest.param(
            {"has trait": {5: 1}},
            ['/has trait/5: "name" must be a text, not a number (put it in quotes: "5")'],
            id="number-for-a-name",
        ),
        pytest.param(
            {"is located at": {"town": "X"}},
            [
                '/is located at/town: unknown key "town" (known are: '
                + ", ".join(LOCATION_KEYS)
                + ")"
            ],
            id="location",
        ),
        pytest.param(
            {"is located at": {}},
            [
                (
                    '/is located at: "is located at" must be an object of names and comparisons,'
                    " not an object"
                )
            ],
            id="no-location",
        ),
        pytest.param(
            {"is located at": {"country code": False}},
            [
                (
                    '/is located at/country code: "equals" must be a text, not a boolean'
                    " (put it in quotes)"
                )
            ],
            id="the-country-that-reads-as-false",
        ),
        pytest.param(
            {"is returning visitor": "yes"},
            ['/is returning visitor: "is returning visitor" must be true or false, not a text'],
            id="returning",
        ),
        pytest.param(
            {"is on device": "phone"},
            [
                (
                    '/is on device: unknown device class "phone"'
                    " (one of desktop, mobile, tablet, unknown)"
                )
            ],
            id="device",
        ),
        pytest.param(
            {"is on device": ["mobile", {"is not": "tablet"}]},
            [
                (
                    "/is on device: unknown device class an object"
                    " (one of desktop, mobile, tablet, unknown)"
                )
            ],
            id="device-object",
        ),
        pytest.param(
            {"is on device": []},
            ["/is on device: an empty list matches nothing (list at least one value)"],
            id="no-device",
        ),
        pytest.param(
            {"audience": ""}, ['/audience: "audience" must not be empty'], id="nameless-audience"
        ),
        pytest.param(
            {"audience": ["b"]},
            ['/audience: "audience" must be a text, not a list'],
            id="audience-list",
        ),
        pytest.param(
            {"any": {"has trait": "k"}},
            ['/any: "any" must be a list of rules, not an object'],
            id="any-object",
        ),
        pytest.param({"any": []}, ["/any: a list of rules needs at least one"], id="any-empty"),
        pytest.param(
            {"none": ["k"]}, ['/none/0: "rule" must be an object, not a text'], id="rule-text"
        ),
        pytest.param(
            {"has viewed page": {}},
            [
                (
                    '/has viewed page: "has viewed page" must be an object of conditions such as'
                    ' {"path": "/sale"}, or "*" for any page, not an object'
                )
            ],
            id="no-page",
        ),
        pytest.param(
            {"has viewed page": {"paht": "x"}},
            ['/has viewed page/paht: unknown key "paht" (did you mean "path"?)'],
            id="where",
        ),
        pytest.param(
            {"has performed event": ""},
            ["/has performed event: an empty value matches nothing (compare with `is set`)"],
            id="nameless-event",
        ),
        pytest.param(
            {"has performed event": None},
            ["/has performed event: an empty value matches nothing (compare with `is set`)"],
            id="no-event",
        ),
        pytest.param(
            {"has performed event": 5},
            [
                (
                    '/has performed event: "has performed event" must be a text, not a number'
                    ' (put it in quotes: "5")'
                )
            ],
            id="number-for-an-event",
        ),
        pytest.param(
            {"has performed event": "a", "has viewed page": "*"},
            [": one rule counts one kind of event (write two rules under `all`)"],
            id="two-kinds-of-events",
        ),
        pytest.param(
            {"within": "3 days"},
            ['/within: "within" needs "has viewed page" or "has performed event" beside it'],
            id="window-of-nothing",
        ),
        *(
            pytest.param(
                {"has viewed page": "*", "within": value},
                [
                    (
                        f'/within: "within" takes whole days from 1 to 3650, not {said}'
                        " (write it like `30 days`)"
                    )
                ],
                id=f"window-{said}",
            )
            for value, said in (
                (30, "30"),
                ("0 days", '"0 days"'),
                ("2 weeks", '"2 weeks"'),
                ("9999 days", '"9999 days"'),
                ([], "a list"),
            )
        ),
        *(
            pytest.param(
                {"has viewed page": "*", "at least": value},
                [
                    (
                        f'/at least: "at least" takes a whole number, not {said}'
                        " (write 3, 3 times, once or twice)"
                    )
                ],
                id=f"count-{said[:20]}",
            )
            for value, said in (
                (-1, "-1"),
                (1.5, "1.5"),
                (True, "a boolean"),
                ("thrice", '"thrice"'),
                (None, "null"),
                (10**30, "1e+30"),
            )
        ),
        *(
            pytest.param(
                {"session count": raw},
                [
                    (
                        f'/session count{place}: "{name}" takes a whole number, not {told}'
                        " (write 3, 3 times, once or twice)"
                    )
                ],
                id=f"session-count-{told}",
            )
            for raw, place, name, told in (
                ("many", "", "session count", '"many"'),
                (2.5, "", "session count", "2.5"),
                (-1, "", "session count", "-1"),
                (None, "", "session count", "null"),
                ([2, "x"], "/1", "session count", '"x"'),
                ({"equals": "often"}, "/equals", "equals", '"often"'),
                ({"is one of": [True]}, "/is one of/0", "is one of", "a boolean"),
            )
        ),
        pytest.param(
            {"session count": {"contains": 2}},
            [
                (
                    '/session count/contains: "contains" does not compare numbers (possible are:'
                    f" {', '.join(COUNT_PHRASES)})"
                )
            ],
            id="session-count-as-a-text",
        ),
        pytest.param(
            {"session count": {}},
            ["/session count: a comparison must say something"],
            id="session-count-of-nothing",
        ),
    ],
)
def test_slip(rule: dict[str, Any], faults: list[str]) -> None:
    """A slip is one fault that names the place and, where there is one, the remedy."""
    assert faults_of({"id": "a", **rule}) == faults


def test_all_slips_at_once() -> None:
    """Every slip of an audience is told."""
    raw = {
        "id": "a",
        "has trait": {"k": {"equal": 1}},
        "any": [{"is on device": "phone"}, {"has viewed page": "*", "within": "soon"}],
        "where": {"path": ""},
        "colour": "red",
    }
    places = [fault.partition(":")[0] for fault in faults_of(raw)]
    assert places == [
        "/colour",
        "/has trait/k/equal",
        "/any/0/is on device",
        "/any/1/within",
        "/where",
    ]


def test_too_deep() -> None:
    """Rules nest to a limit that a stack can bear."""
    rule: dict[str, Any] = {"has trait": "k"}
    for _ in range(31):
        rule = {"none": [rule, {"has trait": "other"}]}
    assert not faults_of({"id": "a", **rule})
    for _ in range(5000):
        rule = {"any": [rule]}
    [fault] = faults_of({"id": "a", **rule})
    assert fault.endswith("/any: rules nest at most 32 levels deep")


WORDS = st.sampled_from((*RULE_KEYS, *EVENT_MODIFIERS, *BY_PHRASE, "path", "city", "k", "id", ""))
ODD = st.recursive(
    st.sampled_from((None, True, 1, -1, 0.5, float("nan"), 10**400, "", "*", "a", "7 days", b"x"))
    | st.dates()
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(WORDS, ODD, max_size=3))
def test_no_rule_breaks_the_parser(rule: dict[str, Any]) -> None:
    """Whatever stands in a rule, it parses or is told what is wrong with it."""
    parsed = parse({**rule, "id": "a"})
    assert parsed.faults or parsed.audiences
    assert all(fault.message and fault.file for fault in parsed.faults)
