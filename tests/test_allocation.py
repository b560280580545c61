"""Allocation against the formulas over fractions that it stands for, and its statistics."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.allocation import Allocation, allocate, explain_allocation, make_allocation
from edgewise.hashing import MODES, murmur3_32, xxh3_halves, xxh3_seed
from edgewise.model.experience import Experience

LAST_HASH = 2**32 - 1
DISTRIBUTIONS = [
    pytest.param((0.0, 1.0), id="personalization"),
    pytest.param((1.0,), id="baseline-only"),
    pytest.param((0.5, 0.5), id="halves"),
    pytest.param((1 / 3, 1 / 3, 1 / 3), id="thirds"),
    pytest.param((0.1,) * 10, id="ten-that-sum-below-one"),
    pytest.param((0.1, 0.9), id="control"),
    pytest.param((0.2, 0.3), id="gap"),
    pytest.param((0.0, 0.0, 1.0), id="empty-ranges"),
    pytest.param((0.7, 0.7), id="more-than-one"),
    pytest.param((1e-12, 1 - 1e-12), id="less-than-one-hash"),
    pytest.param((), id="none"),
]
TRAFFICS = [0.0, 5e-324, 1e-10, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.999999999999, 1 - 2**-53, 1.0]


def make_experience(
    mode: str,
    distribution: Sequence[float] = (0.5, 0.5),
    traffic: float = 1.0,
    id_: str = "experience1",
) -> Experience:
    return Experience(
        id=id_,
        kind="nt_experiment",
        audience_id=None,
        traffic_allocation=traffic,
        distribution=tuple(distribution),
        components=(),
        allocation=mode,
    )


def stable_ids(count: int) -> list[str]:
    numbers = random.Random(20240229)
    return [f"{numbers.getrandbits(256):064x}" for _ in range(count)]


def bucket_of(mode: str, hash_: int) -> float:
    return hash_ / 4294967295 if mode == "murmur3" else hash_ / 4294967296


def variant_by_formula(mode: str, distribution: Sequence[float], bucket: float) -> int:
    """The rule as it is documented: ranges of fractions, summed from the left for each of them."""
    for index in range(len(distribution)):
        start = left_sum(distribution[:index])
        end = left_sum(distribution[: index + 1])
        if start <= bucket and (bucket <= end if mode == "murmur3" else bucket < end):
            return index
    return 0


def left_sum(shares: Sequence[float]) -> float:
    total = 0.0
    for share in shares:
        total += share
    return total


def owner(allocation: Allocation, hash_: int) -> int:
    owners = (index for index, bound in enumerate(allocation.variant_bounds) if hash_ < bound)
    return next(owners, 0)


def hashes_around(bounds: Sequence[int]) -> Iterator[int]:
    for bound in (0, *bounds, LAST_HASH):
        for hash_ in range(bound - 40, bound + 41):
            if 0 <= hash_ <= LAST_HASH:
                yield hash_


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_variant_bounds(mode: str, distribution: tuple[float, ...]) -> None:
    """Around every bound the integer comparison gives the variant that the fractions give."""
    allocation = make_allocation(make_experience(mode, distribution))
    for hash_ in hashes_around(allocation.variant_bounds):
        expected = variant_by_formula(mode, distribution, bucket_of(mode, hash_))
        assert owner(allocation, hash_) == expected, hash_


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("traffic", TRAFFICS)
def test_traffic_bound(mode: str, traffic: float) -> None:
    """Around the traffic bound a hash is in the traffic iff its fraction is below the share."""
    bound = make_allocation(make_experience(mode, traffic=traffic)).traffic_bound
    for hash_ in hashes_around([bound]):
        assert (hash_ < bound) == (traffic > bucket_of(mode, hash_)), hash_


@given(
    mode=st.sampled_from(MODES),
    distribution=st.lists(st.floats(0, 1), max_size=6),
    traffic=st.floats(0, 1),
    hash_=st.integers(0, LAST_HASH),
)
def test_bounds_of_any_shares(
    mode: str, distribution: list[float], traffic: float, hash_: int
) -> None:
    """For any shares, any hash and the hashes next to each bound, integers and fractions agree."""
    allocation = make_allocation(make_experience(mode, distribution, traffic))
    near = [bound + step for bound in allocation.variant_bounds for step in (-1, 0)]
    for each in (hash_, *(near_hash for near_hash in near if 0 <= near_hash <= LAST_HASH)):
        bucket = bucket_of(mode, each)
        assert owner(allocation, each) == variant_by_formula(mode, distribution, bucket)
    assert (hash_ < allocation.traffic_bound) == (traffic > bucket_of(mode, hash_))


@given(
    mode=st.sampled_from(MODES),
    distribution=st.lists(st.floats(0, 1), max_size=4),
    traffic=st.floats(0, 1),
    id_=st.text(),
    stable_id=st.text(),
)
def test_allocate_by_formula(
    mode: str, distribution: list[float], traffic: float, id_: str, stable_id: str
) -> None:
    """A visitor gets what the documented formula says of its two hashes."""
    if mode == "murmur3":
        traffic_hash = murmur3_32(f"traffic-{id_}-{stable_id}")
        hash_ = murmur3_32(f"distribution-{id_}-{stable_id}")
    else:
        traffic_hash, hash_ = xxh3_halves(stable_id.encode(), xxh3_seed(id_))
    expected = None
    if traffic > bucket_of(mode, traffic_hash):
        expected = variant_by_formula(mode, distribution, bucket_of(mode, hash_))
    allocation = make_allocation(make_experience(mode, distribution, traffic, id_))
    assert allocate(allocation, stable_id) == expected


@pytest.mark.parametrize(
    ("stable_id", "index"),
    [pytest.param("123", 0, id="bucket-0.108"), pytest.param("456", 1, id="bucket-0.621")],
)
def test_known_visitors(stable_id: str, index: int) -> None:
    """The visitors of the clients' own examples land on the sides that their buckets say."""
    allocation = make_allocation(make_experience("murmur3"))
    assert allocate(allocation, stable_id) == index


def test_whole_traffic() -> None:
    """Traffic 1 includes every hash with xxh3, and all but the greatest with murmur3."""
    assert make_allocation(make_experience("xxh3", traffic=1.0)).traffic_bound == 2**32
    assert make_allocation(make_experience("murmur3", traffic=1.0)).traffic_bound == LAST_HASH


@pytest.mark.parametrize("mode", MODES)
def test_no_traffic(mode: str) -> None:
    """Traffic 0 includes nobody."""
    allocation = make_allocation(make_experience(mode, traffic=0.0))
    assert allocation.traffic_bound == 0
    assert {allocate(allocation, stable_id) for stable_id in stable_ids(1000)} == {None}


@given(
    mode=st.sampled_from(MODES),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
    stable_id=st.text(),
)
def test_raising_traffic_moves_nobody(mode: str, shares: list[float], stable_id: str) -> None:
    """Who is in the traffic stays in it, with the same variant, when the share is raised."""
    before = allocate(make_allocation(make_experience(mode, traffic=shares[0])), stable_id)
    after = allocate(make_allocation(make_experience(mode, traffic=shares[1])), stable_id)
    assert before in (None, after)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "distribution",
    [
        pytest.param((0.5, 0.5), id="halves"),
        pytest.param((1 / 3, 1 / 3, 1 / 3), id="thirds"),
        pytest.param((0.1, 0.6, 0.05, 0.25), id="uneven"),
    ],
)
def test_distribution_within_four_sigma(mode: str, distribution: tuple[float, ...]) -> None:
    """Of many visitors, each variant gets its share within four standard deviations."""
    count = 40_000
    allocation = make_allocation(make_experience(mode, distribution))
    seen = Counter(allocate(allocation, stable_id) for stable_id in stable_ids(count))
    for index, share in enumerate(distribution):
        sigma = math.sqrt(count * share * (1 - share))
        assert abs(seen[index] - count * share) < 4 * sigma, index


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("traffic", [0.01, 0.3, 0.9])
def test_traffic_within_four_sigma(mode: str, traffic: float) -> None:
    """Of many visitors, the traffic share takes part within four standard deviations."""
    count = 40_000
    allocation = make_allocation(make_experience(mode, traffic=traffic))
    inside = sum(allocate(allocation, stable_id) is not None for stable_id in stable_ids(count))
    assert abs(inside - count * traffic) < 4 * math.sqrt(count * traffic * (1 - traffic))


def chi_square(pairs: Counter[tuple[int, int]]) -> float:
    """The statistic of a contingency table against independence of its rows and columns."""
    total = pairs.total()
    rows: Counter[int] = Counter()
    columns: Counter[int] = Counter()
    for (row, column), count in pairs.items():
        rows[row] += count
        columns[column] += count
    return sum(
        (pairs[row, column] - rows[row] * columns[column] / total) ** 2
        / (rows[row] * columns[column] / total)
        for row in rows
        for column in columns
    )


# The value that four degrees of freedom exceed by chance once in ten thousand times.
CHI_SQUARE_4 = 23.51


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("other", ["experience2", "experience11", "Experience1", ""])
def test_experiences_are_independent(mode: str, other: str) -> None:
    """The variant of one experience says nothing about that of another with a like name."""
    thirds = (1 / 3, 1 / 3, 1 / 3)
    first = make_allocation(make_experience(mode, thirds))
    second = make_allocation(make_experience(mode, thirds, id_=other))
    pairs: Counter[tuple[int, int]] = Counter()
    for stable_id in stable_ids(30_000):
        indexes = allocate(first, stable_id), allocate(second, stable_id)
        assert indexes[0] is not None
        assert indexes[1] is not None
        pairs[indexes[0], indexes[1]] += 1
    assert chi_square(pairs) < CHI_SQUARE_4


@pytest.mark.parametrize("mode", MODES)
def test_traffic_and_distribution_are_independent(mode: str) -> None:
    """Which third of the traffic a visitor lies in says nothing about its variant."""
    allocation = make_allocation(make_experience(mode, (1 / 3, 1 / 3, 1 / 3)))
    pairs: Counter[tuple[int, int]] = Counter()
    for stable_id in stable_ids(30_000):
        explanation = explain_allocation(allocation, stable_id)
        assert explanation.variant_index is not None
        pairs[int(explanation.traffic_bucket * 3), explanation.variant_index] += 1
    assert chi_square(pairs) < CHI_SQUARE_4


def test_chi_square_sees_dependence() -> None:
    """The independence tests can fail: an experience depends on itself."""
    assert chi_square(Counter({(0, 0): 100, (1, 1): 100, (2, 2): 100})) > CHI_SQUARE_4


@given(mode=st.sampled_from(MODES), traffic=st.floats(0, 1), stable_id=st.text())
def test_explanation(mode: str, traffic: float, stable_id: str) -> None:
    """An explanation states the index that is allocated, and the numbers that lead to it."""
    distribution = (0.2, 0.3, 0.5)
    allocation = make_allocation(make_experience(mode, distribution, traffic))
    explanation = explain_allocation(allocation, stable_id)
    assert explanation.mode == mode
    assert explanation.variant_index == allocate(allocation, stable_id)
    assert explanation.in_traffic == (explanation.traffic_bucket < traffic)
    assert explanation.traffic_allocation == traffic
    assert explanation.ranges == ((0.0, 0.2), (0.2, 0.5), (0.5, 1.0))
    assert 0 <= explanation.distribution_bucket <= 1
    if explanation.variant_index is not None:
        start, end = explanation.ranges[explanation.variant_index]
        assert start <= explanation.distribution_bucket <= end


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "stable_id", ["", "\ud800", "\x00", "x" * 100_000], ids=lambda text: ascii(text)[:10]
)
def test_hostile_stable_ids(mode: str, stable_id: str) -> None:
    """Any text is a stable_id: none raises."""
    assert allocate(make_allocation(make_experience(mode)), stable_id) in (0, 1)
