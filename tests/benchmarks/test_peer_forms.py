"""Rules said in each library's own form, without the libraries."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from benchmarks.peers import shapes
from benchmarks.peers.forms import (
    datalogic,
    eppo,
    flagsmith,
    growthbook,
    launchdarkly,
    posthog,
    statsig,
    unleash,
)
from benchmarks.plain import AudienceSpec, Condition
from benchmarks.workloads import w

WORKLOAD = w(10)
TEXT_OPERATORS: dict[str, Callable[[Any, str], bool]] = {
    "contains": lambda value, operand: operand in value,
    "prefix": lambda value, operand: value.startswith(operand),
    "member": lambda value, operand: operand in value,
}
CONDITIONS = {
    "eq": Condition("plan", "eq", "pro"),
    "eq_true": Condition("returning", "eq", True),
    "neq": Condition("plan", "neq", "pro"),
    "in": Condition("plan", "in", ["pro", "team"]),
    "contains": Condition("email", "contains", "@a.b"),
    "prefix": Condition("page", "prefix", "/a.b"),
    "gt": Condition("company.size", "gt", 10),
    "member": Condition("tags", "member", "vip"),
}


SAID: list[tuple[Callable[[Condition], Any], str, Any]] = [
    (datalogic.condition_of, "eq", {"===": [{"var": "plan"}, "pro"]}),
    (datalogic.condition_of, "neq", {"!==": [{"var": "plan"}, "pro"]}),
    (datalogic.condition_of, "in", {"in": [{"var": "plan"}, ["pro", "team"]]}),
    (datalogic.condition_of, "contains", {"in": ["@a.b", {"var": "email"}]}),
    (datalogic.condition_of, "prefix", {"starts_with": [{"var": "page"}, "/a.b"]}),
    (datalogic.condition_of, "gt", {">": [{"var": "company.size"}, 10]}),
    (datalogic.condition_of, "member", {"in": ["vip", {"var": "tags"}]}),
    (eppo.condition_of, "eq", ("plan", "ONE_OF", ["pro"])),
    (eppo.condition_of, "eq_true", ("returning", "ONE_OF", ["true"])),
    (eppo.condition_of, "neq", ("plan", "NOT_ONE_OF", ["pro"])),
    (eppo.condition_of, "in", ("plan", "ONE_OF", ["pro", "team"])),
    (eppo.condition_of, "contains", ("email", "MATCHES", r"@a\.b")),
    (eppo.condition_of, "prefix", ("page", "MATCHES", r"^/a\.b")),
    (eppo.condition_of, "gt", ("company.size", "GT", 10)),
    (eppo.condition_of, "member", ("tags", "MATCHES", ",vip,")),
    (flagsmith.condition_of, "eq", ("plan", "EQUAL", "pro")),
    (flagsmith.condition_of, "eq_true", ("returning", "EQUAL", "true")),
    (flagsmith.condition_of, "neq", ("plan", "NOT_EQUAL", "pro")),
    (flagsmith.condition_of, "in", ("plan", "IN", ["pro", "team"])),
    (flagsmith.condition_of, "contains", ("email", "CONTAINS", "@a.b")),
    (flagsmith.condition_of, "prefix", ("page", "REGEX", r"^/a\.b")),
    (flagsmith.condition_of, "gt", ("company.size", "GREATER_THAN", "10")),
    (flagsmith.condition_of, "member", ("tags", "CONTAINS", ",vip,")),
    (posthog.condition_of, "eq", ("plan", "exact", ["pro"], "person")),
    (posthog.condition_of, "eq_true", ("returning", "exact", ["true"], "person")),
    (posthog.condition_of, "neq", ("plan", "is_not", ["pro"], "person")),
    (posthog.condition_of, "in", ("plan", "exact", ["pro", "team"], "person")),
    (posthog.condition_of, "contains", ("email", "icontains", "@a.b", "person")),
    (posthog.condition_of, "prefix", ("page", "starts_with", "/a.b", "person")),
    (posthog.condition_of, "gt", ("company.size", "gt", 10, "person")),
    (posthog.condition_of, "member", ("tags", "icontains", ",vip,", "person")),
]


@pytest.mark.parametrize(
    ("say", "condition", "expected"),
    [pytest.param(*row, id=f"{row[0].__module__.rpartition('.')[2]}-{row[1]}") for row in SAID],
)
def test_a_condition_is_said_in_the_librarys_own_words(
    say: Callable[[Condition], Any], condition: str, expected: Any
) -> None:
    """A condition keeps its attribute, its operator's meaning and its operand."""
    said = say(CONDITIONS[condition])
    assert said == expected or tuple(said.values()) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("eq", {"plan": "pro"}, id="eq"),
        pytest.param("neq", {"plan": {"$ne": "pro"}}, id="neq"),
        pytest.param("in", {"plan": {"$in": ["pro", "team"]}}, id="in"),
        pytest.param("contains", {"email": {"$regex": r"@a\.b"}}, id="contains"),
        pytest.param("prefix", {"page": {"$regex": r"^/a\.b"}}, id="prefix"),
        pytest.param("gt", {"company.size": {"$gt": 10}}, id="gt"),
        pytest.param("member", {"tags": {"$elemMatch": {"$eq": "vip"}}}, id="member"),
    ],
)
def test_growthbook_takes_a_group_as_one_object(condition: str, expected: object) -> None:
    """A condition is the member of its attribute."""
    assert growthbook.conditions_of([CONDITIONS[condition]]) == expected


@pytest.mark.parametrize(
    ("condition", "attribute", "operation", "values", "negate"),
    [
        pytest.param("eq", "/plan", "in", ["pro"], False, id="eq"),
        pytest.param("neq", "/plan", "in", ["pro"], True, id="neq"),
        pytest.param("in", "/plan", "in", ["pro", "team"], False, id="in"),
        pytest.param("contains", "/email", "contains", ["@a.b"], False, id="contains"),
        pytest.param("prefix", "/page", "startsWith", ["/a.b"], False, id="prefix"),
        pytest.param("gt", "/company/size", "greaterThan", [10], False, id="gt"),
        pytest.param("member", "/tags", "in", ["vip"], False, id="member"),
    ],
)
def test_launchdarkly_takes_clauses_on_references(
    condition: str, attribute: str, operation: str, values: list[object], negate: bool
) -> None:
    """A clause refers to its attribute by a path of slashes and lists its operands."""
    clause = launchdarkly.clause_of(CONDITIONS[condition])
    assert (clause["attribute"], clause["op"]) == (attribute, operation)
    assert (clause["values"], clause["negate"]) == (values, negate)


@pytest.mark.parametrize(
    ("condition", "operator", "target"),
    [
        pytest.param("eq_true", "any_case_sensitive", ["true"], id="eq_true"),
        pytest.param("neq", "none_case_sensitive", ["pro"], id="neq"),
        pytest.param("in", "any_case_sensitive", ["pro", "team"], id="in"),
        pytest.param("contains", "str_contains_any", ["@a.b"], id="contains"),
        pytest.param("prefix", "str_starts_with_any", ["/a.b"], id="prefix"),
        pytest.param("gt", "gt", 10, id="gt"),
        pytest.param("member", "array_contains_any", ["vip"], id="member"),
    ],
)
def test_statsig_takes_conditions_on_custom_fields(
    condition: str, operator: str, target: object
) -> None:
    """A condition names its attribute as a custom field."""
    said = statsig.condition_of(CONDITIONS[condition])
    assert (said["operator"], said["targetValue"]) == (operator, target)
    assert said["additionalValues"] == {"custom_field": CONDITIONS[condition].attribute}


@pytest.mark.parametrize(
    ("condition", "operator", "operands"),
    [
        pytest.param("eq_true", "IN", ["true"], id="eq_true"),
        pytest.param("neq", "NOT_IN", ["pro"], id="neq"),
        pytest.param("in", "IN", ["pro", "team"], id="in"),
        pytest.param("contains", "STR_CONTAINS", ["@a.b"], id="contains"),
        pytest.param("prefix", "STR_STARTS_WITH", ["/a.b"], id="prefix"),
        pytest.param("gt", "NUM_GT", "10", id="gt"),
        pytest.param("member", "STR_CONTAINS", [",vip,"], id="member"),
    ],
)
def test_unleash_takes_constraints_of_texts(
    condition: str, operator: str, operands: object
) -> None:
    """A constraint holds texts only, and compares them with regard to case."""
    said = unleash.constraint_of(CONDITIONS[condition])
    assert said["operator"] == operator
    assert (said.get("value") or said["values"]) == operands
    assert not said["caseInsensitive"]


@pytest.mark.parametrize("operator", TEXT_OPERATORS)
def test_an_escaped_pattern_finds_what_the_operator_finds(operator: str) -> None:
    """Where a library has patterns only, the pattern and the operator agree on every visitor."""
    found = [
        one
        for audience in w(100).audiences
        for group in audience.groups
        for one in group
        if one.operator == operator
    ]
    assert found
    for condition in found:
        pattern = eppo.condition_of(condition)["value"]
        for visitor in WORKLOAD.visitors:
            reshaped = shapes.with_joined_lists(visitor.attributes)[condition.attribute]
            plain = shapes.flat(visitor.attributes)[condition.attribute]
            matches = re.search(pattern, reshaped) is not None
            assert matches == TEXT_OPERATORS[operator](plain, condition.operand)


def test_visitors_are_reshaped_without_loss() -> None:
    """Nested attributes get dotted keys, lists joined texts, and everything can become a text."""
    attributes = {"company": {"size": 5}, "tags": ["a", "b"], "none": [], "returning": True}
    assert shapes.flat(attributes)["company.size"] == 5
    joined = shapes.with_joined_lists(attributes)
    assert (joined["tags"], joined["none"]) == (",a,b,", ",")
    assert shapes.as_texts(attributes) == {
        "company.size": "5",
        "tags": ",a,b,",
        "none": ",",
        "returning": "true",
    }


@pytest.mark.parametrize(
    ("form", "count"),
    [
        pytest.param(datalogic.rule_of, len, id="datalogic"),
        pytest.param(eppo.configuration_of, lambda said: len(said["flags"]), id="eppo"),
        pytest.param(growthbook.features_of, len, id="growthbook"),
        pytest.param(launchdarkly.document_of, lambda said: len(said["flags"]), id="launchdarkly"),
        pytest.param(flagsmith.segments_of, len, id="flagsmith"),
        pytest.param(posthog.definitions_of, len, id="posthog"),
        pytest.param(
            statsig.specifications_of, lambda said: len(said["dynamic_configs"]), id="statsig"
        ),
        pytest.param(unleash.state_of, lambda said: len(said["features"]), id="unleash"),
    ],
)
def test_every_audience_reaches_the_library_as_json(
    form: Callable[[tuple[AudienceSpec, ...]], Any], count: Callable[[Any], int]
) -> None:
    """A form holds an experiment for each audience and survives a round trip through JSON."""
    said = form(WORKLOAD.audiences)
    assert count(said) == len(WORKLOAD.audiences)
    assert msgspec.json.decode(msgspec.json.encode(said)) == said


def test_equal_conditions_are_shared_by_reference() -> None:
    """The specifications hold each condition once, and every rule refers to one that is there."""
    said = statsig.specifications_of(w(100).audiences)
    known = said["condition_map"]
    encoded = [msgspec.json.encode(one) for one in known.values()]
    assert len(set(encoded)) == len(encoded)
    configurations = [*said["feature_gates"].values(), *said["dynamic_configs"].values()]
    used = {key for one in configurations for rule in one["rules"] for key in rule["conditions"]}
    assert used == known.keys()


def test_no_form_needs_a_library() -> None:
    """The forms import nothing but this project and the standard library."""
    forms: list[ModuleType] = [datalogic, eppo, flagsmith, growthbook]
    forms += [launchdarkly, posthog, statsig, unleash]
    roots = set()
    for form in forms:
        for node in ast.walk(ast.parse(Path(str(form.__file__)).read_text())):
            if isinstance(node, ast.ImportFrom):
                roots.add(str(node.module).partition(".")[0])
    assert roots <= {*sys.stdlib_module_names, "benchmarks", "edgewise", "msgspec"}
