"""What a condition means, operator by operator and reading by reading."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from edgewise.audiences.building import (
    MAX_COUNT_IN_WINDOW,
    Builder,
    make_matcher,
)
from edgewise.model.audience import (
    All,
    Attribute,
    Constant,
    CountTest,
    Leaf,
    Node,
    Not,
    Test,
)
from edgewise.model.audience import Any as AnyOf
from edgewise.operators import BY_NAME
from edgewise.parsing import FaultList
from tests.rules import is_member, make_profile, native, nt_rule, nt_rules, trait_condition

CITY = Attribute("location", "city")
TRAIT = Attribute("trait", "k")


def strict_faults(attribute: Attribute, operator: str, operand: Any) -> list[tuple[str, str, str]]:
    """Code, message and hint of what a person's condition gets wrong."""
    faults = FaultList()
    Builder(faults, strict=True).condition(attribute, BY_NAME[operator], operand, "/x")
    return [(fault.code, fault.message, fault.hint) for fault in faults.faults]


def holds(operator: str, operand: Any, value: Any) -> bool:
    """Whether a trait of this value satisfies a lenient condition, by every evaluator."""
    rule = nt_rules(nt_rule("identify", key="k", operator=operator, value=operand))
    return is_member(rule, make_profile({"k": value}))


@pytest.mark.parametrize(
    ("operator", "operand", "value", "expected"),
    [
        pytest.param("equal", "a", "a", True, id="equal-text"),
        pytest.param("equal", "a", "A", False, id="equal-case-3"),
        pytest.param("equal", "42", 42, True, id="equal-number-text"),
        pytest.param("equal", 42, "42", True, id="equal-text-number"),
        pytest.param("equal", "42", "042", True, id="equal-both-parse-as-numbers"),
        pytest.param("equal", "42", " 42 ", True, id="equal-spaces-around-a-number"),
        pytest.param("equal", "1000", "1e3", True, id="equal-exponent"),
        pytest.param("equal", "42", 42.0, True, id="equal-float"),
        pytest.param("equal", "42", 43, False, id="equal-other-number"),
        pytest.param("equal", "true", True, True, id="equal-boolean"),
        pytest.param("equal", "true", "true", True, id="equal-text-of-a-boolean"),
        pytest.param("equal", True, True, True, id="equal-boolean-operand"),
        pytest.param("equal", "1", True, False, id="true-is-not-one"),
        pytest.param("equal", "0", False, False, id="false-is-not-zero"),
        pytest.param("equal", "a,b", ["a", "b"], True, id="equal-joined-list"),
        pytest.param("equal", "a", ["a", "b"], False, id="equal-is-not-membership"),
        pytest.param("equal", "7", [7], True, id="equal-list-of-one"),
        pytest.param("equal", "x", {"x": 1}, False, id="equal-object"),
        pytest.param("equal", "NaN", float("nan"), True, id="equal-nan-as-text"),
        pytest.param("notEqual", "a", "b", True, id="not-equal"),
        pytest.param("notEqual", "a", "a", False, id="not-equal-same"),
        pytest.param("contains", "a", "bab", True, id="contains"),
        pytest.param("contains", "A", "bab", False, id="contains-case"),
        pytest.param("contains", "b", ["a", "bc"], True, id="contains-in-joined-list"),
        pytest.param("contains", "a,b", ["a", "b"], True, id="contains-over-the-comma"),
        pytest.param("contains", "4", 42, True, id="contains-in-a-number"),
        pytest.param("contains", "ru", True, True, id="contains-in-a-boolean"),
        pytest.param("contains", "a", {"a": "a"}, False, id="contains-in-an-object"),
        pytest.param("notContains", "a", "b", True, id="not-contains"),
        pytest.param("startsWith", "ab", "abc", True, id="starts-with"),
        pytest.param("startsWith", "b", "abc", False, id="does-not-start-with"),
        pytest.param("endsWith", "bc", "abc", True, id="ends-with"),
        pytest.param("endsWith", "b", "abc", False, id="does-not-end-with"),
        pytest.param("matches", "^a.c$", "abc", True, id="matches"),
        pytest.param("matches", "b", "abc", True, id="matches-unanchored"),
        pytest.param("matches", "^b", "abc", False, id="does-not-match"),
        pytest.param("matches", "^42$", 42, True, id="matches-a-number"),
        pytest.param("equal", "4929123456789012345", "4929123456789012345", True, id="same-id"),
        pytest.param("equal", "4929123456789012345", 4929123456789012345, True, id="id-number"),
        pytest.param("equal", "4929123456789012345", "4929123456789012346", False, id="next-id"),
        pytest.param("equal", "1" * 23, float("1" * 23), True, id="beyond-64-bits"),
        pytest.param("equal", "1" + "0" * 23, "1e23", True, id="exponent"),
        pytest.param("greaterThan", "5", 6, True, id="greater"),
        pytest.param("greaterThan", "5", 5, False, id="greater-not-equal"),
        pytest.param("greaterThan", "5", "10", True, id="greater-as-numbers"),
        pytest.param("greaterThan", "5", "a", False, id="greater-text"),
        pytest.param("greaterThan", "5", True, False, id="greater-boolean"),
        pytest.param("greaterThan", "5", float("inf"), True, id="greater-infinity"),
        pytest.param("greaterThan", "5", float("nan"), False, id="greater-nan"),
        pytest.param("greaterThan", "5", 2**70, True, id="greater-huge"),
        pytest.param("greaterThanInclusive", "5", 5, True, id="at-least"),
        pytest.param("greaterThanInclusive", "5", 4, False, id="at-least-less"),
        pytest.param("lessThan", "5", 4, True, id="less"),
        pytest.param("lessThan", "5", 5, False, id="less-not-equal"),
        pytest.param("lessThan", "5", float("nan"), False, id="less-nan"),
        pytest.param("lessThanInclusive", "5", 5, True, id="at-most"),
        pytest.param("lessThanInclusive", "5", 6, False, id="at-most-more"),
        pytest.param("in", ["a", 42], "42", True, id="in"),
        pytest.param("in", ["a", 42], "b", False, id="not-in-the-list"),
        pytest.param("notIn", ["a", 42], "b", True, id="not-in"),
        pytest.param("includes", "b", ["a", "b"], True, id="includes"),
        pytest.param("includes", "b", ["a", "bc"], False, id="includes-whole-members"),
        pytest.param("includes", "b", "b", True, id="includes-in-a-single-value"),
        pytest.param("includes", 7, ["7", None], True, id="includes-a-number"),
        pytest.param("notIncludes", "b", ["a"], True, id="not-includes"),
        pytest.param("before", "2026-01-31", "2026-01-30", True, id="before"),
        pytest.param("before", "2026-01-31", "2026-01-31", False, id="before-not-equal"),
        pytest.param("before", "2026-01-31", "soon", False, id="before-no-date"),
        pytest.param("before", "2026-01-31", 5, False, id="before-number"),
        pytest.param("onOrBefore", "2026-01-31", "2026-01-31T00:00:00Z", True, id="on-or-before"),
        pytest.param("after", "2026-01-31", "2026-01-31T01:00:00+02:00", False, id="offset"),
        pytest.param("after", "2026-01-31", "2026-01-31T00:00:01", True, id="after"),
        pytest.param("onOrAfter", "2026-01-31", "2026-01-31", True, id="on-or-after"),
        pytest.param("exists", True, "a", True, id="exists"),
        pytest.param("exists", "", 0, True, id="zero-exists"),
        pytest.param("exists", True, False, True, id="false-exists"),
        pytest.param("exists", True, "", False, id="empty-text-does-not-exist"),
        pytest.param("exists", True, [], False, id="empty-list-does-not-exist"),
        pytest.param("exists", True, {}, True, id="object-exists"),
        pytest.param("exists", "false", "a", False, id="exists-false"),
    ],
)
def test_condition_on_a_value(operator: str, operand: Any, value: Any, expected: bool) -> None:
    """A value satisfies a condition as the table of operators says, whatever its type."""
    assert holds(operator, operand, value) is expected


@pytest.mark.parametrize("operator", [name for name, row in BY_NAME.items() if row.name == name])
@pytest.mark.parametrize("traits", [{}, {"k": None}], ids=["missing", "null"])
def test_missing_value(operator: str, traits: dict[str, Any]) -> None:
    """A missing value satisfies the negative operators and no other."""
    filled: dict[str, Any] = {"time": "2026-01-31", "number": "5", "values": ["a"]}
    operand = filled.get(BY_NAME[operator].operand, "a")
    rule = nt_rules(nt_rule("identify", key="k", operator=operator, value=operand))
    assert is_member(rule, make_profile(traits)) is bool(BY_NAME[operator].negates)


@pytest.mark.parametrize("operator", ["notEqual", "notContains", "notIn", "notIncludes"])
def test_negation_of_missing_values_can_be_switched_off(operator: str) -> None:
    """Where an environment says so, a negative operator holds for present values only."""
    rule = nt_rules(nt_rule("identify", key="k", operator=operator, value="a"))
    assert is_member(rule, make_profile({"k": "b"}), missing_negated=False)
    assert not is_member(rule, make_profile({"k": "a"}), missing_negated=False)
    assert not is_member(rule, make_profile(), missing_negated=False)


# Readings of open points; the numbers are those of the list of open points.


def test_reading_3_text_compares_with_case() -> None:
    """Texts differ when their case does."""
    assert not holds("equal", "gold", "Gold")


def test_reading_5_inclusive_order_with_a_text_is_equality() -> None:
    """An app-written `>=` or `<=` with a text means that text, and `>` and `<` never hold."""
    assert holds("greaterThanInclusive", "Owner", "Owner")
    assert holds("lessThanInclusive", "Owner", "Owner")
    assert not holds("greaterThanInclusive", "Owner", "Z")
    assert not holds("greaterThan", "Owner", "Z")
    assert not holds("lessThan", "Owner", "A")
    assert not holds("greaterThan", "Owner", "Owner")


@pytest.mark.parametrize("operator", ["equal", "contains", "includes"])
def test_reading_11_star_alone_is_any_value(operator: str) -> None:
    """`*` holds for whatever is set."""
    assert all(holds(operator, "*", value) for value in ("a", 0, False, ["a"], "*"))
    unset: list[Any] = ["", None, []]
    assert not any(holds(operator, "*", value) for value in unset)


@pytest.mark.parametrize(
    ("operator", "operand"), [("equal", "/blog/*"), ("startsWith", "*"), ("contains", "a*")]
)
def test_reading_11_star_elsewhere_is_a_star(operator: str, operand: str) -> None:
    """Inside a longer text, or after another operator, `*` stands for itself."""
    assert not holds(operator, operand, "/blog/a")
    assert holds(operator, operand, operand)


def test_reading_11_not_equal_to_star_is_not_set() -> None:
    """`does not equal *` holds where nothing is set."""
    assert is_member(
        nt_rules(nt_rule("identify", key="k", operator="notEqual", value="*")), make_profile()
    )
    assert not holds("notEqual", "*", "a")


def test_reading_13_list_is_joined_with_commas() -> None:
    """A list reads as its members with commas between, and `contains` sees each of them."""
    features = ["Process Management", "Boards"]
    assert holds("contains", "Process Management", features)
    assert holds("equal", "Process Management,Boards", features)
    assert not holds("equal", "Boards", features)


def test_reading_14_literal_trait_name_comes_before_the_path() -> None:
    """A dotted name is a trait of that name, and only otherwise a path."""
    rule = nt_rules(nt_rule("identify", key="a.b", value="x"))
    assert is_member(rule, make_profile({"a.b": "x", "a": {"b": "y"}}))
    assert is_member(rule, make_profile({"a": {"b": "x"}}))
    assert not is_member(rule, make_profile({"a.b": "y", "a": {"b": "x"}}))
    assert not is_member(rule, make_profile({"a": "x"}))


def test_reading_17_negative_operator_holds_for_a_missing_value() -> None:
    """Who has no plan is not on plan "gold"."""
    rule = nt_rules(nt_rule("identify", key="plan", operator="notEqual", value="gold"))
    assert is_member(rule, make_profile())


WITH_OPERAND = [name for name, row in BY_NAME.items() if row.operand != "none"]


@pytest.mark.parametrize("operator", WITH_OPERAND)
@pytest.mark.parametrize("operand", ["", None], ids=["empty", "null"])
def test_empty_operand_of_an_app_matches_nothing(operator: str, operand: Any) -> None:
    """A half-filled condition matches nobody, and neither does its negation."""
    odd: list[dict[str, Any]] = [{}, {"k": ""}, {"k": "a"}, {"k": []}]
    for traits in odd:
        rule = nt_rules(nt_rule("identify", key="k", operator=operator, value=operand))
        assert not is_member(rule, make_profile(traits))


@pytest.mark.parametrize(
    ("attribute", "operator", "operand", "fault"),
    [
        pytest.param(
            TRAIT,
            "equal",
            "",
            ("operand_invalid", "an empty value matches nothing", "compare with `is set`"),
            id="empty",
        ),
        pytest.param(
            TRAIT,
            "in",
            [],
            ("operand_invalid", "an empty list matches nothing", "list at least one value"),
            id="empty-list",
        ),
        pytest.param(
            TRAIT,
            "in",
            ["a", None],
            ("operand_invalid", "an empty value matches nothing", "remove it"),
            id="empty-member",
        ),
        pytest.param(
            TRAIT,
            "in",
            "a",
            ("wrong_type", '"is one of" must be a list of values, not a text', ""),
            id="no-list",
        ),
        pytest.param(
            TRAIT,
            "greaterThan",
            "x",
            ("operand_invalid", '"x" is no number', ""),
            id="no-number",
        ),
        pytest.param(
            TRAIT,
            "greaterThan",
            "2026-01-31",
            ("operand_invalid", '"2026-01-31" is no number', "dates need `before` or `after`"),
            id="a-date-for-a-number",
        ),
        pytest.param(
            TRAIT,
            "before",
            "tomorrow",
            (
                "operand_invalid",
                '"tomorrow" is no date or time',
                "write it like 2026-01-31 or 2026-01-31T18:00Z",
            ),
            id="no-date",
        ),
        pytest.param(
            TRAIT,
            "equal",
            {"a": 1},
            (
                "operand_invalid",
                "a condition compares with a text, a number or true/false, not an object",
                "",
            ),
            id="object",
        ),
        pytest.param(
            TRAIT,
            "equal",
            date(2026, 1, 31),
            (
                "operand_invalid",
                "a condition compares with a text, a number or true/false, not a date",
                'put it in quotes: "2026-01-31"',
            ),
            id="unquoted-date",
        ),
        pytest.param(
            TRAIT,
            "equal",
            float("nan"),
            ("out_of_range", "this number is none that JSON can carry", ""),
            id="nan",
        ),
        pytest.param(
            TRAIT,
            "lessThan",
            float("inf"),
            ("out_of_range", "this number is none that JSON can carry", ""),
            id="infinity",
        ),
        pytest.param(
            TRAIT,
            "equal",
            10**5000,
            ("out_of_range", "this number is none that JSON can carry", ""),
            id="huge",
        ),
        pytest.param(
            TRAIT,
            "equal",
            "\ud800",
            ("invalid_text", "this text holds half of a surrogate pair", ""),
            id="half-a-surrogate-pair",
        ),
        pytest.param(
            Attribute("trait", "\ud800"),
            "equal",
            "a",
            ("invalid_text", "this text holds half of a surrogate pair", ""),
            id="half-a-surrogate-pair-in-a-name",
        ),
        pytest.param(
            CITY,
            "equal",
            False,
            ("wrong_type", '"equals" must be a text, not a boolean', "put it in quotes"),
            id="boolean-for-a-text",
        ),
        pytest.param(
            CITY,
            "in",
            ["10119", 10117],
            (
                "wrong_type",
                '"is one of" must be a text, not a number',
                'put it in quotes: "10117"',
            ),
            id="number-for-a-text",
        ),
        pytest.param(
            TRAIT,
            "exists",
            "yes",
            ("wrong_type", '"is set" must be true or false, not a text', ""),
            id="set-or-not",
        ),
    ],
)
def test_fault_in_a_persons_condition(
    attribute: Attribute, operator: str, operand: Any, fault: tuple[str, str, str]
) -> None:
    """A condition that cannot mean anything is one fault that says what to write instead."""
    assert strict_faults(attribute, operator, operand) == [fault]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        pytest.param("(?=a)b", "invalid perl operator: (?=", id="look-ahead"),
        pytest.param("(?<!a)b", "invalid perl operator: (?<!", id="look-behind"),
        pytest.param(r"(a)\1", r"invalid escape sequence: \1", id="back-reference"),
        pytest.param("[a", "missing ]: [a", id="syntax"),
        pytest.param("a{5000}", "invalid repetition size: {5000}", id="repetition"),
        pytest.param(r"\pL{1000}", "pattern too large - compile failed", id="too-large"),
        pytest.param(r"[a-z]{9}\pL{400}", "too large", id="too-large-for-a-set"),
    ],
)
def test_regex_that_re2_refuses(
    pattern: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An expression outside RE2's reach is one clear fault, and nothing is printed."""
    hint = "RE2 syntax: no look-around, no back-references"
    message = f"RE2 refuses the expression: {reason}"
    assert strict_faults(TRAIT, "matches", pattern) == [("regex_invalid", message, hint)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("operator", "twin"),
    [
        ("greaterThan", "after"),
        ("greaterThanInclusive", "onOrAfter"),
        ("lessThan", "before"),
        ("lessThanInclusive", "onOrBefore"),
        ("before", "before"),
    ],
)
@pytest.mark.parametrize(
    "moment",
    [date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)],
    ids=["date", "time"],
)
def test_unquoted_dates_have_an_order(operator: str, twin: str, moment: date) -> None:
    """What YAML reads as a date compares in time, whichever words say it."""
    test = Test(TRAIT, twin, 1769817600000)
    assert trait_condition(operator, moment, strict=True) == Leaf(test, "#")


def test_negation_of_a_fault_never_matches() -> None:
    """The negative of a condition that is not understood lets nobody in."""
    faults = FaultList()
    node = Builder(faults, strict=False).condition(TRAIT, BY_NAME["notEqual"], {}, "")
    assert node == Constant(False)
    assert len(faults) == 1


def test_lists_mean_the_same_in_any_order() -> None:
    """Operands of `is one of` are sorted and free of repetitions."""
    assert trait_condition("in", ["b", 1, "a", "1"]) == trait_condition("in", ["a", "b", 1.0])


# Counts.


def count(operator: str, number: int, days: int = 0, where: Node | None = None) -> Node:
    """The tree of a count of page events."""
    builder = Builder(FaultList(), strict=False)
    conditions = [builder.event_is("page", ""), *([where] if where else [])]
    return builder.count(conditions, operator, number, days, "")


@pytest.mark.parametrize(
    ("operator", "number", "kept"),
    [
        ("greaterThanInclusive", 3, 3),
        ("lessThan", 3, 3),
        ("greaterThan", 3, 4),
        ("lessThanInclusive", 3, 4),
        ("equal", 3, 4),
        ("equal", 0, 1),
        ("lessThan", 0, 1),
    ],
)
def test_times_kept_for_a_window(operator: str, number: int, kept: int) -> None:
    """A window keeps as many times as can decide the comparison, and at least one."""
    node = count(operator, number, days=7)
    assert isinstance(node, Leaf)
    assert isinstance(node.test, CountTest)
    assert (node.test.matcher.kept, node.test.matcher.window_ms) == (kept, 7 * 86_400_000)


def test_count_without_a_window_keeps_no_times() -> None:
    """Without a window a number is enough."""
    node = count("equal", 3)
    assert isinstance(node, Leaf)
    assert isinstance(node.test, CountTest)
    assert (node.test.matcher.kept, node.test.matcher.window_ms) == (0, 0)


def test_not_equal_count_is_a_negation() -> None:
    """Evaluators only know positive comparisons."""
    assert count("notEqual", 3) == Not(count("equal", 3))


def test_count_of_nothing_never_holds() -> None:
    """Of events that cannot be, not even "fewer than one" holds: the rule is half-filled."""
    assert count("lessThan", 1, where=Constant(False)) == Constant(False)


def test_too_many_events_in_a_window() -> None:
    """A window counts up to a limit, above which the rule is a fault."""
    faults = FaultList()
    builder = Builder(faults, strict=False)
    where = [builder.event_is("page", "")]
    builder.count(where, "equal", MAX_COUNT_IN_WINDOW, 1, "")
    assert not len(faults)
    builder.count(where, "equal", MAX_COUNT_IN_WINDOW + 1, 1, "")
    assert [fault.code for fault in faults.faults] == ["count_invalid"]


def test_matcher_is_its_meaning() -> None:
    """Matchers of one meaning have one id, and place and order are not part of it."""
    one, two = trait_condition("equal", "1"), trait_condition("contains", "2")
    elsewhere = Leaf(Test(TRAIT, "equal", 1.0), "other.yaml#/x")
    assert make_matcher(All((one, two))).id == make_matcher(All((two, elsewhere))).id
    ids = {
        make_matcher(tree, window, kept).id
        for tree in (All((one, two)), AnyOf((one, two)), one)
        for window in (0, 1)
        for kept in (1, 2)
    }
    assert len(ids) == 12


def test_matcher_id_is_stable() -> None:
    """Stored tallies are found again by a later process: ids are a function of the meaning."""
    page = Builder(FaultList(), strict=False).event_is("page", "")
    assert make_matcher(page).id == 10116269329937683839


def test_native_and_app_forms_mean_the_same() -> None:
    """One condition has one tree, whichever form says it."""
    app = nt_rules(nt_rule("identify", key="k", operator="in", value=["a"]))
    assert is_member(app, make_profile({"k": "a"}))
    assert is_member(native(has_trait={"k": ["a"]}), make_profile({"k": "a"}))
