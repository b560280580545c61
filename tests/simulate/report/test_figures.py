"""Numbers and times are written as people read them."""

from __future__ import annotations

import pytest

from edgewise.simulate.report.figures import (
    confidence,
    place,
    probability,
    short_count,
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(9_999, "9,999", id="below-ten-thousand"),
        pytest.param(14_072, "14k", id="thousands"),
        pytest.param(999_400, "999k", id="many-thousands"),
        pytest.param(1_500_000, "1.5M", id="millions"),
        pytest.param(25_000_000_000, "25G", id="billions"),
    ],
)
def test_short_counts_fit_an_axis(number: int, text: str) -> None:
    """Large numbers are shortened to five characters or fewer."""
    assert short_count(number) == text


def test_places_stay_inside() -> None:
    """A share outside of 0..1 goes to the end that is nearer."""
    assert [place(share) for share in (-0.1, 0.5, 1.1)] == ["0.00%", "50.00%", "100.00%"]


def test_small_probabilities_keep_their_digits() -> None:
    """A p value that matters is not rounded to nothing."""
    assert [probability(p) for p in (0.5, 0.0123, 0.00012)] == ["0.50", "0.01", "0.00012"]


@pytest.mark.parametrize(
    ("found", "total", "low", "high"),
    [
        pytest.param(0, 0, 0.0, 1.0, id="nobody"),
        pytest.param(0, 10, 0.0, 0.2775, id="none-of-ten"),
        pytest.param(5, 10, 0.2366, 0.7634, id="half-of-ten"),
        pytest.param(81, 263, 0.2553, 0.3662, id="81-of-263"),
    ],
)
def test_confidence_interval(found: int, total: int, low: float, high: float) -> None:
    """The interval is Wilson's at 95%, for which these values are published or easily computed."""
    least, most = confidence(found, total)
    assert least == pytest.approx(low, abs=1e-4)
    assert most == pytest.approx(high, abs=1e-4)
