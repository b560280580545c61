"""From matched audiences to variants."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from edgewise.allocation import allocate, make_allocation, make_picker
from edgewise.experiences.answers import selected_variants
from edgewise.model.experience import EntryReplacement, Experience
from edgewise.selection import Selection, ServedExperience, make_selection
from tests.rules import make_profile

AUDIENCES = ("a", "b", "c")
STABLE_IDS = ("", "visitor", "é", "訪問者", "\ud83d", *map(str, Random(3).sample(range(10**9), 30)))


def served(id_: str, audience_id: str | None, **more: object) -> ServedExperience:
    """An experience with two variants, as a ruleset holds it."""
    settings = {"traffic_allocation": 1.0, "distribution": (0.5, 0.5), "allocation": "xxh3"}
    experience = Experience(
        id=id_,
        kind="nt_experiment",
        audience_id=audience_id,
        components=(EntryReplacement("entry", ("first", "second")),),
        **{**settings, **more},  # type: ignore[arg-type]
    )
    return ServedExperience(
        experience=experience,
        audience_id=audience_id,
        sticky=experience.sticky,
        allocation=make_allocation(experience),
        selected=selected_variants(experience),
    )


def found(selection: Selection, places: Sequence[int], **profile: object) -> list[tuple[str, int]]:
    """Ids and variant indexes for a profile in the audiences at some places."""
    variants = selection.variants(places, make_profile(**profile))  # type: ignore[arg-type]
    return [(one.experience_id, one.variant_index) for one in variants]


def test_only_matched_audiences_lead_to_experiences() -> None:
    """An audience that does not match leads nowhere, one without experiences neither."""
    selection = make_selection(AUDIENCES, [served("x", "a"), served("y", "c")])
    assert [id_ for id_, _ in found(selection, [0])] == ["x"]
    assert [id_ for id_, _ in found(selection, [1, 2])] == ["y"]
    assert found(selection, []) == []


@pytest.mark.parametrize(
    "audience_ids",
    [
        pytest.param(("a", "b", "c"), id="one-each"),
        pytest.param(("c", "b", "a"), id="one-each-across"),
        pytest.param(("a", "b", "c", "c"), id="along-the-audiences"),
        pytest.param(("c", "a", "b", "a"), id="across-the-audiences"),
        pytest.param(("a", None, "c", None), id="some-for-everybody"),
    ],
)
def test_variants_come_in_the_order_of_experiences(audience_ids: tuple[str | None, ...]) -> None:
    """Whatever the order of the audiences, the answer keeps the order of the experiences."""
    experiences = [served(f"x{rank}", id_) for rank, id_ in enumerate(audience_ids)]
    selection = make_selection(AUDIENCES, experiences)
    for places in ([0, 1, 2], [0, 1], [1, 2], [2]):
        meant = {None, *(AUDIENCES[place] for place in places)}
        ids = [one.experience.id for one in experiences if one.audience_id in meant]
        assert [id_ for id_, _ in found(selection, places)] == ids


def test_everybody_gets_what_has_no_audience() -> None:
    """An experience without an audience applies to who is in none."""
    selection = make_selection(AUDIENCES, [served("x", None), served("y", "a")])
    assert [id_ for id_, _ in found(selection, [])] == ["x"]


@pytest.mark.parametrize("index", [0, 1])
def test_pinned_variant_stays(index: int) -> None:
    """A sticky variant that was seen is kept, in its place, also outside of the audience."""
    experiences = [served("x", "a"), served("y", "b", sticky=True), served("z", "c")]
    selection = make_selection(AUDIENCES, experiences)
    got = found(selection, [0, 2], assignments={"y": index})
    assert [id_ for id_, _ in got] == ["x", "y", "z"]
    assert got[1] == ("y", index)


def test_pin_without_its_variant_is_ignored() -> None:
    """A pinned variant that is gone, or of an experience that is not sticky, says nothing."""
    selection = make_selection(AUDIENCES, [served("x", "a", sticky=True), served("y", "b")])
    assert found(selection, [], assignments={"x": 2, "y": 1, "gone": 0}) == []


@pytest.mark.parametrize("mode", ["xxh3", "murmur3"])
@pytest.mark.parametrize(
    ("traffic", "distribution"),
    [
        pytest.param(1.0, (0.5, 0.5), id="two-way"),
        pytest.param(1.0, (0.0, 1.0), id="all-one-variant"),
        pytest.param(1.0, (0.2, 0.3), id="a-rest"),
        pytest.param(1.0, (0.2, 0.3, 0.5), id="three-way"),
        pytest.param(1.0, (1.0,), id="baseline-only"),
        pytest.param(0.4, (0.5, 0.5), id="some-traffic"),
        pytest.param(0.0, (0.5, 0.5), id="no-traffic"),
    ],
)
def test_selection_is_the_allocation(
    mode: str, traffic: float, distribution: tuple[float, ...]
) -> None:
    """By whichever short cut, a visitor gets what `allocate` says, whatever the id is made of."""
    one = served("x", "a", traffic_allocation=traffic, distribution=distribution, allocation=mode)
    selection = make_selection(AUDIENCES, [one])
    pick = make_picker(one.allocation, one.selected)
    for stable_id in STABLE_IDS:
        index = allocate(one.allocation, stable_id)
        expected = [] if index is None else [("x", index)]
        assert found(selection, [0], stable_id=stable_id) == expected
        utf8 = stable_id.encode("utf-8", "surrogatepass")
        low = stable_id.encode("utf-16-le", "surrogatepass")[::2]
        picked = pick(utf8, low)
        assert (None if picked is None else picked.variant_index) == index
