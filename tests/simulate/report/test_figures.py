"""Numbers and times are written as people read them."""

from __future__ import annotations

import pytest

from edgewise.simulate.report.figures import confidence, probability


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
