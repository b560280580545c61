"""Matched audiences → variants: only experiences that can apply are looked at, in answer order.

Each audience knows its experiences by rank, their place in the answer. Where the ranks ascend along
the audiences, as they do when ids follow each other, they come out sorted by themselves; otherwise
the few that apply are sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, pairwise
from operator import itemgetter
from typing import Final

import msgspec
from xxhash import xxh3_64_intdigest

from edgewise.allocation import Allocation, Picker, make_picker, two_way_bound
from edgewise.hashing import HASH_COUNT, low_bytes
from edgewise.model.decision import SelectedVariant
from edgewise.model.experience import Experience
from edgewise.model.profiles import Profile

# Most experiences are settled by one hash and one bound, without a call: (seed, bound, the variant
# below it, the other one, None). Any other has a picker as its last member, which decides alone.
Offer = tuple[int, int, SelectedVariant, SelectedVariant, Picker[SelectedVariant] | None]

_LOW_HALF: Final = HASH_COUNT - 1
_KEPT_ORDERS: Final = 1024


class ServedExperience(msgspec.Struct, frozen=True, kw_only=True):
    """An experience with everything that is worked out once: its allocation and its answers."""

    experience: Experience
    audience_id: str | None
    sticky: bool
    allocation: Allocation
    selected: tuple[SelectedVariant, ...]


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from matched audiences.

    Args:
        offers: by rank, which is the place in the answer.
        ranks_of: places of audiences → the ranks of their experiences and of those without an
            audience, ascending; what visitors have in common is sorted once.
        offers_in_order: by place of the audience its offers; None where the answer would have to
            be sorted.
        lone_offers: by place of the audience its only offer; None where one has none or several,
            or the answer would have to be sorted.
        hash_settles: whether one hash and one bound settle every offer.
        sticky: id of a sticky experience → its rank and its variants.
    """

    offers: tuple[Offer, ...]
    ranks_of: Callable[[tuple[int, ...]], tuple[int, ...]]
    offers_in_order: tuple[tuple[Offer, ...], ...] | None
    lone_offers: tuple[Offer, ...] | None
    hash_settles: bool
    sticky: dict[str, tuple[int, tuple[SelectedVariant, ...]]]

    def variants(self, places: Sequence[int], profile: Profile) -> list[SelectedVariant]:
        """Return the variants of a profile, in answer order.

        Args:
            places: of the audiences that the profile belongs to, ascending.
        Cost: about 0.2 us per experience that applies.
        """
        pinned = self._pinned(profile.assignments) if profile.assignments else None
        lone, in_order = self.lone_offers, self.offers_in_order
        if lone is not None and not pinned and len(places) > 1:
            # One call takes them all; with a single place it would give no tuple.
            return self._pick(itemgetter(*places)(lone), profile)
        if in_order is not None and not pinned:
            return self._pick(chain.from_iterable([in_order[place] for place in places]), profile)
        ranks = self.ranks_of(tuple(places))
        if not pinned:
            return self._pick([self.offers[rank] for rank in ranks], profile)
        offers = [pinned.get(rank) or self.offers[rank] for rank in sorted({*ranks, *pinned})]
        return self._pick(offers, profile)

    def _pick(self, offers: Iterable[Offer], profile: Profile) -> list[SelectedVariant]:
        stable_id, hash_of = profile.stable_id, xxh3_64_intdigest
        utf8 = stable_id.encode("utf-8", "surrogatepass")
        if self.hash_settles:
            return [
                below if hash_of(utf8, seed) & _LOW_HALF < bound else above
                for seed, bound, below, above, _ in offers
            ]
        low = utf8 if stable_id.isascii() else low_bytes(stable_id)
        picked: list[SelectedVariant] = []
        for seed, bound, below, above, pick in offers:
            if pick is None:
                picked.append(below if hash_of(utf8, seed) & _LOW_HALF < bound else above)
            elif (variant := pick(utf8, low)) is not None:
                picked.append(variant)
        return picked

    def _pinned(self, assignments: Mapping[str, int]) -> dict[int, Offer]:
        """Offers that leave no choice, by rank.

        A variant that has been taken out of its experience since cannot be kept.
        """
        pinned = {}
        for experience_id, index in assignments.items():
            rank, selected = self.sticky.get(experience_id, (0, ()))
            if index < len(selected):
                pinned[rank] = _certain(selected[index])
        return pinned


def make_selection(audience_ids: Sequence[str], served: Sequence[ServedExperience]) -> Selection:
    """Return the selection of some experiences.

    Args:
        audience_ids: in answer order; a place is a position in here.
        served: in answer order.
    """
    ranks_of: dict[str | None, list[int]] = {}
    for rank, one in enumerate(served):
        ranks_of.setdefault(one.audience_id, []).append(rank)
    for_all = tuple(ranks_of.get(None, ()))
    ranks = tuple(tuple(ranks_of.get(audience_id, ())) for audience_id in audience_ids)
    # Equal bounds are one object: what a decision touches should be little and near.
    bounds: dict[int, int] = {}
    offers = tuple(_offer(one, bounds) for one in served)
    in_order = not for_all and all(low < high for low, high in pairwise(chain.from_iterable(ranks)))
    lone = in_order and all(len(some) == 1 for some in ranks)
    return Selection(
        offers=offers,
        ranks_of=lru_cache(maxsize=_KEPT_ORDERS)(partial(_sorted_ranks, ranks, for_all)),
        offers_in_order=tuple(tuple(offers[rank] for rank in some) for some in ranks)
        if in_order
        else None,
        lone_offers=offers if lone else None,
        hash_settles=all(offer[-1] is None for offer in offers),
        sticky={
            one.experience.id: (rank, one.selected) for rank, one in enumerate(served) if one.sticky
        },
    )


def _sorted_ranks(
    ranks: Sequence[Sequence[int]], for_all: Sequence[int], places: tuple[int, ...]
) -> tuple[int, ...]:
    return tuple(sorted({*for_all, *chain.from_iterable([ranks[place] for place in places])}))


def _offer(served: ServedExperience, bounds: dict[int, int]) -> Offer:
    selected, allocation = served.selected, served.allocation
    bound = two_way_bound(allocation)
    if bound is None:
        return (0, 0, selected[0], selected[0], make_picker(allocation, selected))
    return (allocation.seed, bounds.setdefault(bound, bound), selected[0], selected[1], None)


def _certain(variant: SelectedVariant) -> Offer:
    return (0, HASH_COUNT, variant, variant, None)
