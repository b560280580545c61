"""Experiences in the form of a content platform."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import Fault
from edgewise.experiences.nt_config import parse_nt_experience
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable

CONFIG: dict[str, Any] = {
    "traffic": 0.5,
    "distribution": [0.3333333333333333, 0.3333333333333333, 0.3333333333333333],
    "distributionType": "even-split",
    "primaryMetric": "",
    "sticky": True,
    "components": [
        {
            "type": "EntryReplacement",
            "baseline": {"id": "B"},
            "variants": [{"id": "V1", "hidden": False}, {"id": "", "hidden": True}],
        },
        {
            "type": "InlineVariable",
            "key": "json",
            "valueType": "Object",
            "baseline": {"value": {"flag": False}},
            "variants": [{"value": {"flag": True}}],
        },
    ],
}
RAW: dict[str, Any] = {
    "nt_experience_id": "exp-1",
    "nt_name": "Hero",
    "nt_description": "For all",
    "nt_type": "nt_experiment",
    "nt_audience": "audience-1",
    "nt_config": CONFIG,
    "nt_metadata": {"type": "origin"},
}


def parse(raw: Any) -> Experience:
    experience, faults = parse_nt_experience(raw, "cms", "/0")
    assert faults == []
    assert experience is not None
    return experience


def faults_of(raw: Any) -> list[Fault]:
    experience, faults = parse_nt_experience(raw, "cms", "/0")
    assert (experience is None) == bool(faults)
    return faults


def with_component(component: Any) -> dict[str, Any]:
    return RAW | {"nt_config": CONFIG | {"components": [component]}}


def test_whole_experience() -> None:
    """Every member that matters is read, and the others are skipped."""
    assert parse(RAW) == Experience(
        id="exp-1",
        kind="nt_experiment",
        audience_id="audience-1",
        traffic_allocation=0.5,
        distribution=(0.3333333333333333,) * 3,
        components=(
            EntryReplacement("B", ("V1", "")),
            InlineVariable("json", {"flag": False}, ({"flag": True},)),
        ),
        allocation="murmur3",
        name="Hero",
        description="For all",
        sticky=True,
        form="nt_config",
        file="cms",
        pointer="/0",
    )


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({}, id="absent"),
        pytest.param({"nt_config": None}, id="null"),
        pytest.param({"nt_config": {}}, id="empty"),
        pytest.param(
            {"nt_config": dict.fromkeys(["traffic", "distribution", "components", "sticky"])},
            id="null-members",
        ),
    ],
)
def test_defaults(config: dict[str, Any]) -> None:
    """What nt_config leaves out has the defaults of clients: above all, nobody takes part."""
    experience = parse({"id": "e", "nt_type": "nt_personalization"} | config)
    assert experience.traffic_allocation == 0
    assert experience.distribution == (0.5, 0.5)
    assert experience.components == ()
    assert experience.sticky is False
    assert experience.audience_id is None


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        pytest.param({"nt_experience_id": "a", "id": "b"}, "a", id="both"),
        pytest.param({"nt_experience_id": None, "id": "b"}, "b", id="null"),
        pytest.param({"nt_experience_id": "", "id": "b"}, "b", id="empty"),
        pytest.param({"id": "b"}, "b", id="absent"),
    ],
)
def test_id(ids: dict[str, Any], expected: str) -> None:
    """An experience without an id of its own goes by the id of its entry."""
    assert parse({"nt_type": "nt_experiment"} | ids).id == expected


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        pytest.param({"id": "V", "hidden": False}, "V", id="entry"),
        pytest.param({"id": "V"}, "V", id="without-hidden"),
        pytest.param({"id": "V", "hidden": None}, "V", id="null-hidden"),
        pytest.param({"id": "", "hidden": True}, "", id="hidden"),
        pytest.param({"id": "", "hidden": False}, "", id="placeholder"),
        pytest.param({"id": "V", "hidden": True}, "", id="hidden-with-an-id"),
        pytest.param({"hidden": True}, "", id="hidden-without-an-id"),
    ],
)
def test_entry_variants(variant: Any, expected: str) -> None:
    """A variant is its entry's id, or the empty text where nothing is to be shown."""
    (component,) = parse(
        with_component({"baseline": {"id": "B"}, "variants": [variant]})
    ).components
    assert component == EntryReplacement("B", (expected,))


def test_component_without_a_baseline_entry() -> None:
    """A component whose baseline was not chosen yet replaces nothing."""
    raw = with_component({"baseline": {"id": ""}, "variants": [{"id": "V"}]})
    assert parse(raw).components == ()


@pytest.mark.parametrize("value", ["text", "", 12345, 1.5, True, {"a": [None]}], ids=str)
def test_variable_values(value: Any) -> None:
    """A variable's value is kept as authored."""
    raw = with_component(
        {
            "type": "InlineVariable",
            "key": "k",
            "valueType": "String",
            "baseline": {"value": value},
            "variants": [{"value": value}],
        }
    )
    assert parse(raw).components == (InlineVariable("k", value, (value,)),)


@pytest.mark.parametrize("distribution", [[], [0.7, 0.7], [0.1], [0.25] * 4], ids=str)
def test_distributions_are_taken_as_they_are(distribution: list[float]) -> None:
    """A distribution may not fit the variants nor add up to 1: clients go by its ranges."""
    raw = RAW | {"nt_config": CONFIG | {"distribution": distribution}}
    assert parse(raw).distribution == tuple(distribution)


@pytest.mark.parametrize(
    ("allocation", "default", "expected"),
    [
        pytest.param({}, "xxh3", "xxh3", id="default"),
        pytest.param({"allocation": "murmur3"}, "xxh3", "murmur3", id="own"),
    ],
)
def test_allocation(allocation: dict[str, Any], default: str, expected: str) -> None:
    """An experience's own allocation counts before the environment's."""
    experience, _ = parse_nt_experience(RAW | allocation, "", "", default)
    assert experience is not None
    assert experience.allocation == expected


@pytest.mark.parametrize(
    ("raw", "code", "pointer"),
    [
        pytest.param([], "wrong_type", "/0", id="no-object"),
        pytest.param({"nt_type": "nt_experiment"}, "missing_key", "/0", id="no-id"),
        pytest.param(RAW | {"nt_experience_id": 5}, "wrong_type", "/0/nt_experience_id", id="id"),
        pytest.param(RAW | {"nt_type": None}, "missing_key", "/0/nt_type", id="no-type"),
        pytest.param(RAW | {"nt_type": "experiment"}, "unknown_value", "/0/nt_type", id="type"),
        pytest.param(RAW | {"nt_audience": ""}, "missing_key", "/0/nt_audience", id="audience"),
        pytest.param(
            RAW | {"nt_audience": {"sys": {}}}, "wrong_type", "/0/nt_audience", id="audience-link"
        ),
        pytest.param(RAW | {"nt_config": "{}"}, "wrong_type", "/0/nt_config", id="config"),
        pytest.param(
            RAW | {"nt_config": {"traffic": 50}},
            "out_of_range",
            "/0/nt_config/traffic",
            id="traffic",
        ),
        pytest.param(
            RAW | {"nt_config": {"distribution": [0.5, "0.5"]}},
            "wrong_type",
            "/0/nt_config/distribution/1",
            id="share",
        ),
        pytest.param(
            RAW | {"nt_config": {"sticky": "yes"}}, "wrong_type", "/0/nt_config/sticky", id="sticky"
        ),
        pytest.param(
            RAW | {"allocation": "md5"}, "unknown_value", "/0/allocation", id="allocation"
        ),
    ],
)
def test_faults(raw: Any, code: str, pointer: str) -> None:
    """A slip sets the experience aside, with one fault at its place."""
    assert [(fault.code, fault.pointer) for fault in faults_of(raw)] == [(code, pointer)]


@pytest.mark.parametrize(
    ("component", "code", "pointer"),
    [
        pytest.param("x", "wrong_type", "", id="no-object"),
        pytest.param({"type": "Inlinevariable"}, "unknown_value", "/type", id="type"),
        pytest.param({"type": 5}, "wrong_type", "/type", id="type-number"),
        pytest.param({"variants": []}, "wrong_type", "/baseline", id="no-baseline"),
        pytest.param({"baseline": {}}, "missing_key", "/baseline", id="no-baseline-id"),
        pytest.param(
            {"baseline": {"id": "B"}, "variants": [None]}, "wrong_type", "/variants/0", id="null"
        ),
        pytest.param(
            {"baseline": {"id": "B"}, "variants": [{}]}, "missing_key", "/variants/0", id="no-id"
        ),
        pytest.param(
            {"baseline": {"id": "B"}, "variants": [{"id": "V", "hidden": "yes"}]},
            "wrong_type",
            "/variants/0/hidden",
            id="hidden",
        ),
        pytest.param(
            {"type": "InlineVariable", "baseline": {"value": 1}}, "missing_key", "", id="no-key"
        ),
        pytest.param(
            {"type": "InlineVariable", "key": "k", "baseline": {"value": None}},
            "invalid_variable_value",
            "/baseline/value",
            id="null-value",
        ),
        pytest.param(
            {
                "type": "InlineVariable",
                "key": "k",
                "baseline": {"value": 1},
                "variants": [{"value": 1}, {"value": [1]}],
            },
            "invalid_variable_value",
            "/variants/1/value",
            id="list-value",
        ),
        pytest.param(
            {"type": "InlineVariable", "key": "k", "baseline": {"value": {"a": float("nan")}}},
            "out_of_range",
            "/baseline/value/a",
            id="nan",
        ),
        pytest.param(
            {"type": "InlineVariable", "key": "k", "baseline": 1},
            "wrong_type",
            "/baseline",
            id="bare-value",
        ),
    ],
)
def test_component_faults(component: Any, code: str, pointer: str) -> None:
    """A slip in a component is a fault at its place inside the component."""
    (fault,) = faults_of(with_component(component))
    assert (fault.code, fault.pointer) == (code, "/0/nt_config/components/0" + pointer)
    assert fault.experience_id == "exp-1"
    assert fault.file == "cms"


def test_all_faults_at_once() -> None:
    """An experience tells everything that is wrong with it."""
    raw = {"nt_type": "x", "nt_config": {"traffic": 2, "components": [{}, 5]}}
    assert len(faults_of(raw)) == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    raw=st.dictionaries(st.sampled_from(sorted(RAW)), JSON)
    | st.builds(
        lambda config: RAW | {"nt_config": config},
        st.dictionaries(st.sampled_from(sorted(CONFIG)), JSON),
    )
    | st.builds(
        with_component,
        st.dictionaries(st.sampled_from(["type", "key", "baseline", "variants"]), JSON),
    )
    | JSON
)
def test_any_json(raw: Any) -> None:
    """Whatever a platform sends, there is an experience or there are faults, and nothing raises."""
    faults_of(raw)
