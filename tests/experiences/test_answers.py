"""What an experience adds to an answer at each variant index."""

from __future__ import annotations

from typing import Any

import msgspec

from edgewise.experiences.answers import selected_variants
from edgewise.model.decision import SelectedVariant
from edgewise.model.experience import EntryReplacement, Experience, InlineVariable


def experience_of(
    *components: EntryReplacement | InlineVariable,
    distribution: tuple[float, ...] = (0.5, 0.25, 0.25),
    sticky: bool = False,
) -> Experience:
    return Experience(
        id="exp-1",
        kind="nt_experiment",
        audience_id=None,
        traffic_allocation=1.0,
        distribution=distribution,
        components=components,
        allocation="murmur3",
        sticky=sticky,
    )


def decoded(variant: SelectedVariant) -> tuple[Any, list[Any]]:
    changes = [msgspec.json.decode(change) for change in variant.changes_json]
    return msgspec.json.decode(variant.experience_json), changes


def maps_of(experience: Experience) -> list[dict[str, str]]:
    return [decoded(variant)[0]["variants"] for variant in selected_variants(experience)]


def test_entry_replacements() -> None:
    """Each index maps every baseline to its variant, and index 0 to itself."""
    experience = experience_of(
        EntryReplacement("B", ("V1", "V2")), EntryReplacement("C", ("W1", "W2"))
    )
    assert [decoded(variant) for variant in selected_variants(experience)] == [
        ({"experienceId": "exp-1", "variantIndex": 0, "variants": {"B": "B", "C": "C"}}, []),
        ({"experienceId": "exp-1", "variantIndex": 1, "variants": {"B": "V1", "C": "W1"}}, []),
        ({"experienceId": "exp-1", "variantIndex": 2, "variants": {"B": "V2", "C": "W2"}}, []),
    ]


def test_struct_fields() -> None:
    """Position i of the answers is variant index i of this experience."""
    variants = selected_variants(experience_of())
    assert [(variant.experience_id, variant.variant_index) for variant in variants] == [
        ("exp-1", 0),
        ("exp-1", 1),
        ("exp-1", 2),
    ]


def test_hidden_variant_is_the_empty_text() -> None:
    """A hidden variant replaces its baseline by nothing."""
    assert maps_of(experience_of(EntryReplacement("B", ("", "V2"))))[1] == {"B": ""}


def test_component_with_fewer_variants_shows_its_baseline() -> None:
    """Beyond its last variant a component maps its baseline to itself."""
    experience = experience_of(EntryReplacement("B", ("V1", "V2")), EntryReplacement("C", ("W1",)))
    assert maps_of(experience)[2] == {"B": "V2", "C": "C"}


def test_sticky_is_said_only_when_true() -> None:
    """A sticky experience says so at every index, any other says nothing."""
    sticky = [decoded(each)[0] for each in selected_variants(experience_of(sticky=True))]
    assert [answer["sticky"] for answer in sticky] == [True, True, True]
    loose = [decoded(each)[0] for each in selected_variants(experience_of())]
    assert not any("sticky" in answer for answer in loose)


def test_changes() -> None:
    """A variable is a change at every index, with the baseline's value where it has no variant."""
    experience = experience_of(
        InlineVariable("colour", "grey", ("green", "blue")),
        InlineVariable("json", {"a": 1}, ({"a": 2},)),
    )
    meta = [{"experienceId": "exp-1", "variantIndex": index} for index in range(3)]
    values = [("grey", {"a": 1}), ("green", {"a": 2}), ("blue", {"a": 1})]
    for variant, (colour, flag) in zip(selected_variants(experience), values, strict=True):
        index = variant.variant_index
        assert decoded(variant)[1] == [
            {"key": "colour", "value": colour, "type": "Variable", "meta": meta[index]},
            {"key": "json", "value": flag, "type": "Variable", "meta": meta[index]},
        ]


def test_variables_are_no_variants() -> None:
    """An experience of variables alone has an empty variant map, which is still there."""
    assert maps_of(experience_of(InlineVariable("colour", "grey", ("green",)))) == [{}, {}, {}]


def test_falsy_values_are_kept() -> None:
    """A change may say false, 0 or the empty text."""
    experience = experience_of(
        InlineVariable("on", True, (False, False)), InlineVariable("n", 1, (0, 0))
    )
    values = [change["value"] for change in decoded(selected_variants(experience)[1])[1]]
    assert values == [False, 0]


def test_first_of_two_components_counts() -> None:
    """Where two components replace the same, the answer has the first of them."""
    experience = experience_of(
        EntryReplacement("B", ("V1", "V2")),
        EntryReplacement("B", ("W1", "W2")),
        InlineVariable("k", 0, (1, 2)),
        InlineVariable("k", 5, (6, 7)),
    )
    answer, changes = decoded(selected_variants(experience)[1])
    assert answer["variants"] == {"B": "V1"}
    assert [change["value"] for change in changes] == [1]


def test_empty_distribution_has_a_baseline() -> None:
    """Without any share there is still index 0, which such an allocation gives."""
    assert maps_of(experience_of(EntryReplacement("B", ("V",)), distribution=())) == [{"B": "B"}]


def test_hostile_ids_and_values() -> None:
    """Quotes, control characters and foreign scripts come through as they are."""
    text = '"\\\u0000\u2028</script>größe🦊'
    experience = experience_of(
        EntryReplacement(text, (text, "")), InlineVariable(text, text, (text,))
    )
    answer, changes = decoded(selected_variants(experience)[1])
    assert answer["variants"] == {text: text}
    assert (changes[0]["key"], changes[0]["value"]) == (text, text)
