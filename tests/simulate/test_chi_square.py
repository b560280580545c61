"""The chi-square test against published values."""

from __future__ import annotations

import pytest

from edgewise.simulate.chi_square import ratio_test, survival


@pytest.mark.parametrize(
    ("chi_square", "degrees", "p"),
    [
        pytest.param(0.0, 3, 1.0, id="nothing-off"),
        pytest.param(3.841458820694124, 1, 0.05, id="one-degree-at-5-percent"),
        pytest.param(5.991464547107979, 2, 0.05, id="two-degrees-at-5-percent"),
        pytest.param(6.634896601021213, 1, 0.01, id="one-degree-at-1-percent"),
        pytest.param(18.307038053275146, 10, 0.05, id="ten-degrees-at-5-percent"),
        pytest.param(0.710723021397324, 4, 0.95, id="left-tail"),
        pytest.param(124.34211340400407, 100, 0.05, id="a-hundred-degrees"),
        pytest.param(2.0, 2, 0.36787944117144233, id="an-exponential"),
        pytest.param(200.0, 2, 3.720075976020836e-44, id="far-out"),
    ],
)
def test_survival_has_the_published_values(chi_square: float, degrees: int, p: float) -> None:
    """The survival function agrees with tables of the distribution to 9 digits."""
    assert survival(chi_square, degrees) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 40])
def test_survival_falls_where_its_two_formulas_meet(degrees: int) -> None:
    """Around the place where the series gives way to the fraction nothing jumps."""
    meeting = degrees + 2.0
    left, right = (survival(meeting + shift, degrees) for shift in (-1e-9, 1e-9))
    assert left > right
    assert left == pytest.approx(right, rel=1e-8)


def test_split_as_planned() -> None:
    """Counts that agree with the shares have a p of 1, whatever the shares sum up to."""
    test = ratio_test([300, 100], [3, 1])
    assert test is not None
    assert (test.chi_square, test.degrees, test.p, test.too_few) == (0.0, 1, 1.0, False)


def test_split_is_off() -> None:
    """5,250 and 4,750 of 10,000 with equal shares are off by a chi-square of 25."""
    test = ratio_test([5250, 4750], [0.5, 0.5])
    assert test is not None
    assert test.chi_square == pytest.approx(25.0)
    assert test.p == pytest.approx(5.733e-7, rel=1e-3)


@pytest.mark.parametrize(
    ("observed", "shares"),
    [
        pytest.param([0, 0], [0.5, 0.5], id="nobody"),
        pytest.param([0, 9], [0.0, 1.0], id="only-one-variant-has-a-share"),
    ],
)
def test_nothing_to_compare(observed: list[int], shares: list[float]) -> None:
    """Without visitors or without a second share there is no test."""
    assert ratio_test(observed, shares) is None


def test_few_visitors_are_marked() -> None:
    """A variant that expects fewer than five visitors makes the test say that it says little."""
    test = ratio_test([3, 2], [0.5, 0.5])
    assert test is not None
    assert test.too_few
