"""Times on the command line are ISO 8601, and what is shown can be given back."""

from __future__ import annotations

import pytest

from edgewise.commands.times import time_option
from edgewise.errors import InputError
from edgewise.values import time_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("2026-11-01", "2026-11-01T00:00:00Z", id="day"),
        pytest.param("2026-11-01T12:00+02:00", "2026-11-01T10:00:00Z", id="offset"),
        pytest.param("2026-11-01T12:00:00.250Z", "2026-11-01T12:00:00.250Z", id="milliseconds"),
    ],
)
def test_times_are_shown_as_they_can_be_given(text: str, shown: str) -> None:
    """A time is shown in UTC, and means the same when it is given back."""
    time_ms = time_option("--at", text, "2026-11-01")
    assert time_text(time_ms) == shown
    assert time_option("--at", shown, "2026-11-01") == time_ms


def test_what_is_no_time_is_told_with_an_example() -> None:
    """The message names the option and shows how a time is written."""
    with pytest.raises(InputError) as caught:
        time_option("--at", "noon", "2026-11-01")
    assert str(caught.value) == '--at: "noon" is no time; write it like 2026-11-01'
