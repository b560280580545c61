"""Experiences as a person writes them by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml

from edgewise.errors import Fault
from edgewise.experiences.native import parse_native_experience
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable

HERO: dict[str, Any] = {
    "id": "hero",
    "components": [{"entry": "hero-default", "variants": ["hero-returning"]}],
}
TWO_VARIANTS = [{"entry": "e", "variants": ["a", "b"]}]


def parse(raw: Any, default_allocation: str = "xxh3") -> Experience:
    experience, faults = parse_native_experience(raw, "demo.yaml", "/0", default_allocation)
    assert faults == []
    assert experience is not None
    return experience


def faults_of(raw: Any) -> list[Fault]:
    experience, faults = parse_native_experience(raw, "demo.yaml", "/0")
    assert (experience is None) == bool(faults)
    return faults


def test_whole_experience() -> None:
    """Every member of a written experience is read."""
    raw = yaml.safe_load(
        """
        id: homepage-hero
        name: Hero
        description: Who comes back sees another hero
        type: experiment
        audience: returning
        traffic: 0.5
        distribution: [0.5, 0.25, 0.25]
        sticky: true
        allocation: murmur3
        components:
          - entry: hero-default
            variants: [hero-welcome-back, {hidden: true}]
          - variable: button-colour
            baseline: grey
            variants: [green]
        """
    )
    assert parse(raw) == Experience(
        id="homepage-hero",
        kind="nt_experiment",
        audience_id="returning",
        traffic_allocation=0.5,
        distribution=(0.5, 0.25, 0.25),
        components=(
            EntryReplacement("hero-default", ("hero-welcome-back", "")),
            InlineVariable("button-colour", "grey", ("green",)),
        ),
        allocation="murmur3",
        name="Hero",
        description="Who comes back sees another hero",
        sticky=True,
        file="demo.yaml",
        pointer="/0",
    )


def test_defaults() -> None:
    """What is left out: a personalization for everyone, all of whom get its one variant."""
    experience = parse(HERO)
    assert experience.kind == "nt_personalization"
    assert experience.audience_id is None
    assert experience.traffic_allocation == 1
    assert experience.distribution == (0.0, 1.0)
    assert experience.sticky is False
    assert experience.allocation == "xxh3"


@pytest.mark.parametrize(
    ("variants", "distribution"),
    [
        pytest.param(["a"], (1 / 2, 1 / 2), id="one-variant"),
        pytest.param(["a", "b"], (1 / 3, 1 / 3, 1 / 3), id="two-variants"),
    ],
)
def test_experiments_split_evenly(variants: list[str], distribution: tuple[float, ...]) -> None:
    """An experiment without a distribution splits evenly over baseline and longest component."""
    components = [
        {"entry": "short", "variants": ["x"]},
        {"entry": "long", "variants": variants},
    ]
    raw = HERO | {"type": "experiment", "components": components}
    assert parse(raw).distribution == distribution


def test_allocation_of_the_environment() -> None:
    """The environment's allocation counts where the experience says none."""
    assert parse(HERO, "murmur3").allocation == "murmur3"
    assert parse(HERO | {"allocation": "xxh3"}, "murmur3").allocation == "xxh3"


@pytest.mark.parametrize("value", ["text", "", 1, 2.5, True, {"a": [None, {"b": 1}]}], ids=str)
def test_variable_values(value: Any) -> None:
    """A variable's value may be a text, number, boolean or object, and is kept as written."""
    raw = HERO | {"components": [{"variable": "v", "baseline": value, "variants": [value]}]}
    assert parse(raw).components == (InlineVariable("v", value, (value,)),)


def test_whole_and_decimal_numbers_are_one_type() -> None:
    """A variable may be 1 for some and 1.5 for others."""
    raw = HERO | {"components": [{"variable": "v", "baseline": 1, "variants": [1.5]}]}
    assert parse(raw).components == (InlineVariable("v", 1, (1.5,)),)


@pytest.mark.parametrize(
    "distribution", [[0.2, 0.3], [0, 0], [1, 0], [0.1, 0.9000000000001]], ids=str
)
def test_distributions(distribution: list[float]) -> None:
    """Shares may add up to less than 1, and to 1 but for the inexactness of decimals."""
    assert parse(HERO | {"distribution": distribution}).distribution == tuple(distribution)


@pytest.mark.parametrize(
    ("raw", "code", "pointer", "hint"),
    [
        pytest.param("hero", "wrong_type", "", "", id="no-object"),
        pytest.param({**HERO, "id": None}, "missing_key", "/id", "", id="no-id"),
        pytest.param(
            HERO | {"id": dt.date(2024, 1, 1)},
            "wrong_type",
            "/id",
            'put it in quotes: "2024-01-01"',
            id="date-as-id",
        ),
        pytest.param(
            HERO | {"id": 12}, "wrong_type", "/id", 'put it in quotes: "12"', id="number-as-id"
        ),
        pytest.param(
            HERO | {"trafic": 1}, "unknown_key", "/trafic", 'did you mean "traffic"?', id="key"
        ),
        pytest.param(
            HERO | {"type": "experimnt"},
            "unknown_value",
            "/type",
            'did you mean "experiment"?',
            id="type",
        ),
        pytest.param(
            HERO | {"audience": None},
            "empty_value",
            "/audience",
            "give it one or remove it",
            id="null-audience",
        ),
        pytest.param(HERO | {"audience": ""}, "missing_key", "/audience", "", id="empty-audience"),
        pytest.param(
            HERO | {"traffic": 50},
            "out_of_range",
            "/traffic",
            "for 50 percent write 0.5",
            id="percent",
        ),
        pytest.param(HERO | {"traffic": True}, "wrong_type", "/traffic", "", id="traffic-boolean"),
        pytest.param(HERO | {"sticky": "true"}, "wrong_type", "/sticky", "", id="sticky"),
        pytest.param(
            HERO | {"allocation": "xxhash"},
            "unknown_value",
            "/allocation",
            'did you mean "xxh3"?',
            id="allocation",
        ),
        pytest.param(HERO | {"distribution": 1}, "wrong_type", "/distribution", "", id="one-share"),
        pytest.param(
            HERO | {"distribution": []}, "missing_key", "/distribution", "", id="no-share"
        ),
        pytest.param(
            HERO | {"distribution": [-0.5, 1]}, "out_of_range", "/distribution/0", "", id="negative"
        ),
        pytest.param(
            HERO | {"distribution": [0.2, 0.2, 0.6]},
            "distribution_length",
            "/distribution",
            "give 2 shares, the baseline's first",
            id="too-many-shares",
        ),
        pytest.param(
            HERO | {"distribution": [0.6, 0.6]}, "distribution_sum", "/distribution", "", id="sum"
        ),
        pytest.param(
            HERO | {"components": TWO_VARIANTS},
            "distribution_missing",
            "",
            "say which share of the visitors gets which variant, the baseline's first",
            id="no-distribution",
        ),
        pytest.param({"id": "hero"}, "missing_key", "", "", id="no-components"),
        pytest.param(
            HERO | {"components": []}, "missing_key", "/components", "", id="empty-components"
        ),
        pytest.param(HERO | {"components": {}}, "wrong_type", "/components", "", id="components"),
    ],
)
def test_faults(raw: Any, code: str, pointer: str, hint: str) -> None:
    """A slip is one fault, at its place and with its remedy."""
    (fault,) = faults_of(raw)
    assert (fault.code, fault.pointer, fault.hint) == (code, "/0" + pointer, hint)


@pytest.mark.parametrize(
    ("component", "code", "pointer"),
    [
        pytest.param("x", "wrong_type", "", id="no-object"),
        pytest.param({"variants": ["a"]}, "ambiguous_component", "", id="neither"),
        pytest.param(
            {"entry": "e", "variable": "v", "variants": ["a"]}, "ambiguous_component", "", id="both"
        ),
        pytest.param({"entry": "", "variants": ["a"]}, "missing_key", "/entry", id="empty-entry"),
        pytest.param({"entry": 5, "variants": ["a"]}, "wrong_type", "/entry", id="entry-number"),
        pytest.param({"entry": "e"}, "missing_key", "", id="no-variants"),
        pytest.param(
            {"entry": "e", "variants": []}, "missing_key", "/variants", id="empty-variants"
        ),
        pytest.param(
            {"entry": "e", "variants": "a"}, "wrong_type", "/variants", id="variants-text"
        ),
        pytest.param(
            {"entry": "e", "variants": ["a"], "baseline": "x"}, "unknown_key", "/baseline", id="key"
        ),
        pytest.param(
            {"entry": "e", "variants": ["a", None]}, "wrong_type", "/variants/1", id="null-variant"
        ),
        pytest.param(
            {"entry": "e", "variants": [""]}, "invalid_variant", "/variants/0", id="empty"
        ),
        pytest.param(
            {"entry": "e", "variants": [{"hidden": False}]},
            "invalid_variant",
            "/variants/0",
            id="not-hidden",
        ),
        pytest.param(
            {"entry": "e", "variants": [{"id": "x"}]},
            "invalid_variant",
            "/variants/0",
            id="variant-object",
        ),
        pytest.param({"variable": "v", "variants": [1]}, "missing_key", "", id="no-baseline"),
        pytest.param(
            {"variable": "v", "baseline": None, "variants": [1]},
            "invalid_variable_value",
            "/baseline",
            id="null-value",
        ),
        pytest.param(
            {"variable": "v", "baseline": 1, "variants": [[1]]},
            "invalid_variable_value",
            "/variants/0",
            id="list-value",
        ),
        pytest.param(
            {"variable": "v", "baseline": 1, "variants": ["1"]},
            "mixed_value_types",
            "/variants/0",
            id="mixed-types",
        ),
        pytest.param(
            {"variable": "v", "baseline": 0, "variants": [False]},
            "mixed_value_types",
            "/variants/0",
            id="boolean-and-number",
        ),
        pytest.param(
            {"variable": "v", "baseline": {"day": dt.date(2024, 1, 1)}, "variants": [{}]},
            "wrong_type",
            "/baseline/day",
            id="date-inside",
        ),
        pytest.param(
            {"variable": "", "baseline": 1, "variants": [1]}, "missing_key", "/variable", id="name"
        ),
    ],
)
def test_component_faults(component: Any, code: str, pointer: str) -> None:
    """A slip in a component is one fault, at its place inside the component."""
    (fault,) = faults_of(HERO | {"components": [component]})
    assert (fault.code, fault.pointer) == (code, "/0/components/0" + pointer)
    assert (fault.file, fault.experience_id) == ("demo.yaml", "hero")


@pytest.mark.parametrize(
    "component",
    [{"entry": "e", "variants": ["a"]}, {"variable": "e", "baseline": 1, "variants": [2]}],
    ids=["entry", "variable"],
)
def test_duplicate_components(component: dict[str, Any]) -> None:
    """No two components replace the same entry or set the same variable."""
    (fault,) = faults_of(HERO | {"components": [component, component]})
    assert (fault.code, fault.pointer) == ("duplicate_component", "/0/components/1")


def test_an_entry_and_a_variable_may_share_a_name() -> None:
    """Entries and variables have names of their own."""
    components = [
        {"entry": "e", "variants": ["a"]},
        {"variable": "e", "baseline": 1, "variants": [2]},
    ]
    assert len(parse(HERO | {"components": components}).components) == 2


def test_all_faults_at_once() -> None:
    """An experience tells everything that is wrong with it, and nothing twice."""
    raw = {
        "naem": "x",
        "type": "experiment",
        "traffic": 2,
        "distribution": [0.5],
        "components": [{"entry": "e", "variants": ["a"]}],
    }
    assert [fault.code for fault in faults_of(raw)] == [
        "missing_key",
        "unknown_key",
        "out_of_range",
        "distribution_length",
    ]


def test_fault_reads_as_a_sentence() -> None:
    """The text of a fault says file, place, slip and remedy."""
    (fault,) = faults_of(HERO | {"trafic": 1})
    assert str(fault) == 'demo.yaml#/0/trafic: unknown key "trafic" (did you mean "traffic"?)'
