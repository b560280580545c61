"""The app-written form: each type of rule, each condition, and all that is not understood."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.model.audience import Constant
from edgewise.operators import BY_NAME, COUNT_OPERATORS
from tests.rules import (
    DAY_MS,
    NOW_MS,
    audiences_of,
    is_member,
    make_event,
    make_profile,
    nt_condition,
    nt_rule,
    nt_rules,
    parse,
    shown,
)

PAGE = {
    "url": "https://shop.example/sale?size=9",
    "path": "/sale",
    "referrer": "https://www.tiktok.com/",
    "query": {"size": "9", "colour": ""},
}
CAMPAIGN = {"name": "spring", "source": "mail", "medium": "email", "term": "tent", "content": "top"}


def viewed(*conditions: Any, **members: Any) -> dict[str, Any]:
    """An audience of those who viewed a page."""
    rule = {"operator": "greaterThanInclusive", "conditions": list(conditions), **members}
    return nt_rules(nt_rule("page", **rule))


def performed(event: Any, *conditions: Any, **members: Any) -> dict[str, Any]:
    """An audience of those who performed an event."""
    rule = {"operator": "greaterThanInclusive", "conditions": list(conditions), **members}
    return nt_rules(nt_rule("track", value=event, **rule))


def faults_of(raw: Any) -> list[str]:
    """The faults of an audience that must be set aside and never match."""
    parsed = parse(raw)
    assert parsed.faults == ()
    assert [one.tree for one in parsed.audiences] == [Constant(False)]
    assert all(fault.audience_id == "a" and fault.file == "shop.yaml" for fault in parsed.set_aside)
    return shown(parsed.set_aside)


# Pages and events.


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (nt_condition("context_page_url", "contains", "size"), True),
        (nt_condition("context_page_url", "equal", "*"), True),
        (nt_condition("context_page_url", "equal", ""), False),
        (nt_condition("context_page_path", "equal", "/sale"), True),
        (nt_condition("context_page_referrer", "contains", "tiktok.com"), True),
        (nt_condition("context_page_query", "equal", "9", "size"), True),
        (nt_condition("context_page_query", "equal", "09", "size"), False),
        (nt_condition("context_page_query", "equal", "*", "size"), True),
        (nt_condition("context_page_query", "equal", "*", "colour"), False),
        (nt_condition("context_page_query", "equal", "9", "other"), False),
        (nt_condition("context_page_query", "equal", "9"), False),
        (nt_condition("context_campaign_name", "equal", "spring"), True),
        (nt_condition("context_campaign_source", "equal", "mail"), True),
        (nt_condition("context_campaign_medium", "equal", "email"), True),
        (nt_condition("context_campaign_term", "equal", "tent"), True),
        (nt_condition("context_campaign_content", "equal", "top"), True),
        (nt_condition("context_campaign_name", "equal", "Spring"), False),
        (nt_condition("properties", "equal", "tents", "category"), True),
        (nt_condition("properties", "equal", "3", "number"), True),
        (nt_condition("properties", "equal", "true", "flag"), True),
        (nt_condition("properties", "equal", "deep", "nested.name"), True),
        (nt_condition("properties", "equal", "tents"), False),
        (nt_condition("properties", "notEqual", "shoes", "category"), True),
        (nt_condition("properties", "notEqual", "shoes", "missing"), True),
    ],
    ids=lambda value: f"{value['key']['id']}-{value['value']}" if isinstance(value, dict) else None,
)
def test_where_condition(condition: dict[str, Any], expected: bool) -> None:
    """A where-condition reads its part of the event, by case and by whole value."""
    properties = {"category": "tents", "number": 3, "flag": True, "nested": {"name": "deep"}}
    event = make_event("page", page=PAGE, campaign=CAMPAIGN, properties=properties)
    assert is_member(viewed(condition), events=[event]) is expected


@pytest.mark.parametrize("type_", ["track", "screen", "component", "identify", "group"])
def test_only_page_events_are_pages(type_: str) -> None:
    """An event of another type is no page view, whatever page it happened on."""
    assert not is_member(viewed(), events=[make_event(type_, page=PAGE)])
    assert is_member(viewed(), events=[make_event("page", page=PAGE)])


def test_event_name() -> None:
    """A track rule asks for one name, by case, and `*` for any name."""
    event = make_event("track", event="addToCart")
    assert is_member(performed("addToCart"), events=[event])
    assert not is_member(performed("AddToCart"), events=[event])
    assert is_member(performed("*"), events=[event])
    assert not is_member(performed("*"), events=[make_event("page", event="addToCart")])
    for unfilled in ("", None):
        assert not is_member(performed(unfilled), events=[event])


def test_abandoned_cart() -> None:
    """A count below one says "never"."""
    group = [
        nt_rule("track", operator="greaterThanInclusive", value="addToCart"),
        nt_rule("track", operator="lessThan", value="purchase"),
    ]
    cart, purchase = (make_event("track", event=name) for name in ("addToCart", "purchase"))
    assert is_member(nt_rules({"all": group}), events=[cart])
    assert not is_member(nt_rules({"all": group}), events=[cart, purchase])
    assert not is_member(nt_rules({"all": group}))


@pytest.mark.parametrize("operator", COUNT_OPERATORS)
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_count_comparison(operator: str, number: int) -> None:
    """The operator of a page rule compares the number of views with the count."""
    expected = {
        "greaterThanInclusive": number >= 2,
        "greaterThan": number > 2,
        "equal": number == 2,
        "notEqual": number != 2,
        "lessThan": number < 2,
        "lessThanInclusive": number <= 2,
    }[operator]
    events = [make_event("page", page=PAGE)] * number
    assert is_member(viewed(operator=operator, count="2"), events=events) is expected
    for alias in BY_NAME[operator].aliases:
        assert is_member(viewed(operator=alias, count=2), events=events) is expected


def test_reading_2_aliases() -> None:
    """Names that no export shows are taken in every likely spelling."""
    seen = "notEqual doesNotEqual notContains doesNotContain endsWith matches matchesRegex regex"
    for operator in (*seen.split(), "lessThanOrEqual", "greaterThanOrEqual", "lessThanInclusive"):
        value = "5" if "Than" in operator else "a"
        audiences_of(nt_rules(nt_rule("identify", key="k", operator=operator, value=value)))


@pytest.mark.parametrize("count", [1, "1", 1.0, None, "", " 1 "], ids=repr)
def test_reading_4_count_is_a_number_or_its_text(count: Any) -> None:
    """A count may be written either way, and without one it is one."""
    event = make_event("page", page=PAGE)
    assert is_member(viewed(count=count), events=[event])
    assert not is_member(viewed(count=count))


@pytest.mark.parametrize("operator", [None, ""], ids=["null", "empty"])
def test_count_without_operator(operator: Any) -> None:
    """A page rule without an operator asks for at least as many as the count."""
    event = make_event("page", page=PAGE)
    assert is_member(viewed(operator=operator), events=[event, event])
    assert not is_member(viewed(operator=operator))


def test_reading_6_path_is_compared_with_its_slash() -> None:
    """A path is compared as it is sent, and begins with a slash."""
    event = make_event("page", page=PAGE)
    path = "context_page_path"
    assert is_member(viewed(nt_condition(path, "equal", "/sale")), events=[event])
    assert not is_member(viewed(nt_condition(path, "equal", "sale")), events=[event])


def test_reading_7_referrer_is_not_normalized() -> None:
    """A referrer equals the whole address only."""
    event = make_event("page", page=PAGE)
    referrer = "context_page_referrer"
    assert not is_member(viewed(nt_condition(referrer, "equal", "tiktok.com")), events=[event])
    whole = nt_condition(referrer, "equal", "https://www.tiktok.com/")
    assert is_member(viewed(whole), events=[event])


def test_reading_12_conditions_hold_on_one_event() -> None:
    """Several conditions must all be true of the same event."""
    path = nt_condition("context_page_path", "equal", "/sale")
    name = nt_condition("context_campaign_name", "equal", "spring")
    both = make_event("page", page=PAGE, campaign=CAMPAIGN)
    apart = [make_event("page", page=PAGE), make_event("page", campaign=CAMPAIGN)]
    assert is_member(viewed(path, name), events=[both])
    assert not is_member(viewed(path, name), events=apart)


def test_old_form_without_key_and_value() -> None:
    """The oldest exports leave out what is not used."""
    rule = {"type": "page", "count": 1, "operator": "greaterThanInclusive"}
    assert is_member(nt_rules(rule), events=[make_event("page")])


# Windows.


WINDOWS = [
    *(
        pytest.param({"conditions": [nt_condition(id_, "equal", "7")]}, id=f"condition-{id_}")
        for id_ in ("when", "time", "timeframe", "days", "last_days")
    ),
    pytest.param({"conditions": [nt_condition("days", "lessThanInclusive", 7)]}, id="number"),
    pytest.param({"conditions": [{"key": "days", "value": "7"}]}, id="bare-condition"),
    pytest.param(
        {"conditions": [{"key": {"id": "x", "category": {"name": "timeframe"}}, "value": "7"}]},
        id="by-category",
    ),
    pytest.param({"days": 7}, id="member-of-the-rule"),
    pytest.param({"when": "7"}, id="text-member-of-the-rule"),
    pytest.param({"days": 30, "when": 7}, id="the-narrowest-counts"),
]


@pytest.mark.parametrize("members", WINDOWS)
def test_reading_1_window(members: dict[str, Any]) -> None:
    """A window of days is seen in every likely form, and its oldest instant belongs to it."""
    event = make_event("page", page=PAGE)
    edge = NOW_MS - 7 * DAY_MS
    assert is_member(viewed(**members), events=[(event, edge)])
    assert not is_member(viewed(**members), events=[(event, edge - 1)])


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        pytest.param(
            {"conditions": [nt_condition("days", "equal", "soon")]},
            '/conditions/0/value: a window takes whole days from 1 to 3650, not "soon"',
            id="text",
        ),
        pytest.param(
            {"conditions": [nt_condition("days", "equal", 0)]},
            "/conditions/0/value: a window takes whole days from 1 to 3650, not 0",
            id="zero",
        ),
        pytest.param(
            {"conditions": [nt_condition("days", "greaterThan", 7)]},
            '/conditions/0/operator: "greaterThan" does not say how many days a window has',
            id="outside-a-window",
        ),
        pytest.param(
            {"days": float("nan")},
            "/days: a window takes whole days from 1 to 3650, not NaN",
            id="nan",
        ),
        pytest.param(
            {"days": {"value": 7}},
            "/days: a window takes whole days from 1 to 3650, not an object",
            id="object",
        ),
        pytest.param(
            {"within": 7},
            '/within: unknown key "within" (did you mean "when"?)',
            id="unknown-member",
        ),
        pytest.param(
            {"conditions": [nt_condition("time_window", "equal", 7)]},
            '/conditions/0/key: unknown condition "time_window" for this type of rule',
            id="unknown-condition",
        ),
    ],
)
def test_unknown_window(members: dict[str, Any], fault: str) -> None:
    """A window that is not understood sets the audience aside; leaving it out would over-match."""
    assert faults_of(viewed(**members)) == [f"shop.yaml#/audiences/0/nt_rules/any/0/all/0{fault}"]


# Rules over the profile.


def test_trait() -> None:
    """The trait in `key` is compared with `value`; a rule without a name matches nobody."""
    rule = nt_rule("identify", key="College student", value="true")
    assert is_member(nt_rules(rule), make_profile({"College student": True}))
    assert not is_member(nt_rules(rule), make_profile())
    nameless: list[Any] = ["", None, 5, {}]
    for unnamed in nameless:
        assert not is_member(nt_rules({**rule, "key": unnamed}), make_profile({"": "true"}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("continent", "EU"),
        ("country", "Germany"),
        ("countryCode", "DE"),
        ("city", "Berlin"),
        ("postalCode", "10119"),
        ("region", "State of Berlin"),
        ("regionCode", "BE"),
        ("timezone", "Europe/Berlin"),
    ],
)
def test_location(key: str, value: str) -> None:
    """Each part of the location is compared as text, and the count says nothing."""
    profile = make_profile(location={key: value})
    rule = nt_rule("location", key=key, value=value, count="5")
    assert is_member(nt_rules(rule), profile)
    assert not is_member(nt_rules({**rule, "value": f"{value}x"}), profile)
    assert not is_member(nt_rules(rule), make_profile())
    assert is_member(nt_rules({**rule, "operator": "notEqual"}), make_profile())


@pytest.mark.parametrize("sessions", [0, 1, 2, 10])
def test_returning_visitor(sessions: int) -> None:
    """A visitor returns from the second session on; a session count is a further condition."""
    profile = make_profile(session_count=sessions)
    rule = nt_rule("isReturningVisitor", value=True)
    more = {**rule, "conditions": [nt_condition("session_count", "greaterThan", "2")]}
    any_ = {**rule, "conditions": [nt_condition("session_count", "greaterThanInclusive", "1")]}
    assert is_member(nt_rules(rule), profile) is (sessions > 1)
    assert is_member(nt_rules({**rule, "value": "true"}), profile) is (sessions > 1)
    assert is_member(nt_rules({**rule, "value": False}), profile) is (sessions <= 1)
    assert is_member(nt_rules({**rule, "operator": "notEqual"}), profile) is (sessions <= 1)
    assert is_member(nt_rules(more), profile) is (sessions > 2)
    assert is_member(nt_rules(any_), profile) is (sessions > 1)


@pytest.mark.parametrize("device", ["desktop", "mobile", "tablet", "unknown"])
def test_device(device: str) -> None:
    """A device rule reads its condition; without one it matches nobody."""
    rule = nt_rule("device", conditions=[nt_condition("type", "equal", device)])
    assert is_member(nt_rules(rule), make_profile(device=device))
    assert not is_member(nt_rules(rule), make_profile(device="other"))
    assert not is_member(nt_rules(nt_rule("device")), make_profile(device=device))


# Groups.


def test_groups() -> None:
    """One group is enough, and all rules of it must hold."""
    a, b = (nt_rule("identify", key=key, value="1") for key in "ab")
    both, one = make_profile({"a": 1, "b": 1}), make_profile({"a": 1})
    assert is_member(nt_rules({"all": [a, b]}), both)
    assert not is_member(nt_rules({"all": [a, b]}), one)
    assert is_member(nt_rules(a, b), one)


@pytest.mark.parametrize(
    "raw", [{"any": []}, {"any": [{"all": []}]}], ids=["no-groups", "empty-group"]
)
def test_empty_rules_match_nobody(raw: dict[str, Any]) -> None:
    """No group, and a group without rules, match nobody."""
    assert not is_member({"id": "a", "nt_rules": raw}, make_profile({"a": 1}))


# What is not understood.


RULE = "shop.yaml#/audiences/0/nt_rules/any/0/all/0"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        pytest.param(
            nt_rule("Page"),
            f'{RULE}/type: unknown rule type "Page" (did you mean "page"?)',
            id="type",
        ),
        pytest.param(nt_rule("audience"), f'{RULE}/type: unknown rule type "audience"', id="type2"),
        pytest.param({}, f"{RULE}/type: unknown rule type null", id="no-type"),
        pytest.param("page", f'{RULE}: "rule" must be an object, not a text', id="no-object"),
        pytest.param(
            nt_rule("identify", key="k", operator="equalz", value="1"),
            f'{RULE}/operator: unknown operator "equalz" (did you mean "equal"?)',
            id="operator",
        ),
        pytest.param(
            nt_rule("identify", key="k", operator=["equal"], value="1"),
            f"{RULE}/operator: unknown operator a list",
            id="no-operator",
        ),
        pytest.param(
            nt_rule("page", operator="contains"),
            f'{RULE}/operator: "contains" does not compare a number of events',
            id="count-operator",
        ),
        pytest.param(
            nt_rule("page", operator="equal", count="many"),
            f'{RULE}/count: the count must be a whole number, not "many"',
            id="count",
        ),
        pytest.param(
            nt_rule("page", operator="equal", count=float("nan")),
            f"{RULE}/count: the count must be a whole number, not NaN",
            id="count-nan",
        ),
        pytest.param(
            nt_rule("page", operator="equal", count=-1),
            f"{RULE}/count: the count must be a whole number, not -1",
            id="count-negative",
        ),
        pytest.param(
            nt_rule(
                "page", operator="equal", conditions=[nt_condition("context_page", "equal", 1)]
            ),
            f'{RULE}/conditions/0/key: unknown condition "context_page" for this type of rule'
            ' (did you mean "context_page_url"?)',
            id="condition",
        ),
        pytest.param(
            nt_rule("page", operator="equal", conditions={"key": "x"}),
            f'{RULE}/conditions: "conditions" must be a list, not an object',
            id="conditions",
        ),
        pytest.param(
            nt_rule(
                "identify", key="k", conditions=[nt_condition("type", "equal", "x")], value="1"
            ),
            f'{RULE}/conditions/0/key: unknown condition "type" for this type of rule',
            id="condition-of-another-type",
        ),
        pytest.param(
            nt_rule("location", key="village", value="x"),
            f'{RULE}/key: unknown part of a location "village"',
            id="location",
        ),
        pytest.param(
            nt_rule("location", key=["city"], value="x"),
            f"{RULE}/key: unknown part of a location a list",
            id="location-list",
        ),
        pytest.param(
            nt_rule("isReturningVisitor", value="maybe"),
            f"{RULE}: a returning-visitor rule says equal true or false",
            id="returning",
        ),
        pytest.param(
            nt_rule("identify", key="k", value={"x": 1}),
            f"{RULE}: a condition compares with a text, a number or true/false, not an object",
            id="operand",
        ),
        pytest.param(
            nt_rule("identify", key="\ud800", value="x"),
            f"{RULE}: this text holds half of a surrogate pair",
            id="name",
        ),
        pytest.param(
            nt_rule("identify", key="k", operator="matches", value="(?=x)"),
            f"{RULE}: RE2 refuses the expression: invalid perl operator: (?="
            " (RE2 syntax: no look-around, no back-references)",
            id="regex",
        ),
    ],
)
def test_faulty_rule(rule: Any, fault: str) -> None:
    """A rule that is not understood sets its audience aside, with file, place and reason."""
    raw = {"id": "a", "nt_rules": {"any": [{"all": [rule]}]}}
    assert faults_of(raw) == [fault]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (None, ': "nt_rules" must be an object with "any", not null'),
        ([], ': "nt_rules" must be an object with "any", not a list'),
        ({}, '/any: "any" must be a list, not null'),
        ({"any": {}}, '/any: "any" must be a list, not an object'),
        ({"any": [{}]}, '/any/0/all: "all" must be a list, not null'),
        ({"any": [[]]}, '/any/0: "nt_rules" must be an object with "all", not a list'),
        ({"any": [], "none": []}, '/none: unknown key "none" (known are: any)'),
        ({"any": [{"all": [], "not": []}]}, '/any/0/not: unknown key "not" (known are: all)'),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_faulty_shape(raw: Any, fault: str) -> None:
    """Anything but an OR of ANDs sets the audience aside."""
    assert faults_of({"id": "a", "nt_rules": raw}) == [f"shop.yaml#/audiences/0/nt_rules{fault}"]


def test_every_fault_is_told() -> None:
    """One faulty audience tells all that is wrong with it."""
    rules = [nt_rule("x"), nt_rule("location", key="y"), nt_rule("page", operator="z")]
    assert len(faults_of(nt_rules(*rules))) == 3


def test_fault_beside_a_sound_rule() -> None:
    """In an OR with a sound rule a faulty one still sets the audience aside."""
    assert len(faults_of(nt_rules(nt_rule("x"), nt_rule("identify", key="k", value="*")))) == 1


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(("*", "days", "type", "equal", "contains", "properties", "track", "(?=")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("key", "operator", "value", "count", "conditions", "id", "category")),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
TYPES = st.sampled_from("page track identify location isReturningVisitor device".split())
RULES = st.builds(
    lambda type_, rest: {**rest, "type": type_},
    TYPES,
    st.dictionaries(
        st.sampled_from(("key", "operator", "value", "count", "conditions", "days")), JSON
    ),
)


@given(RULES | JSON)
def test_no_rule_breaks_the_parser(rule: Any) -> None:
    """Whatever stands in a rule, it parses, is set aside, or matches as it says."""
    parsed = parse({"id": "a", "nt_rules": {"any": [{"all": [rule]}]}})
    assert parsed.faults == ()
    assert not parsed.set_aside or parsed.audiences[0].tree == Constant(False)
