"""What is asked for and not served is told, however much of it there is."""

from __future__ import annotations

import logging

import pytest

from edgewise.unserved import MOST_TOLD, PERIOD_MS, Unserved

SERVED = [("shop", "main"), ("shop", "staging")]
NOW_MS = 1_800_000_000_000


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The log, from warnings on."""
    caplog.set_level(logging.WARNING, "edgewise.service")
    return caplog


def test_a_name_is_told_once_in_a_while(log: pytest.LogCaptureFixture) -> None:
    """The first request for an environment is told, the next not before the time is over."""
    unserved = Unserved()
    for passed_ms in (0, 1, PERIOD_MS - 1):
        unserved.note("shop", "prod", SERVED, NOW_MS + passed_ms)
    (told,) = log.messages
    assert told == (
        "The environment 'shop/prod' was asked for, and is not served; served: shop/main,"
        " shop/staging"
    )
    unserved.note("shop", "prod", SERVED, NOW_MS + PERIOD_MS)
    assert len(log.messages) == 2


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (("shop", "stagng"), 'shop/staging"'),
        (("shp", "main"), 'shop/main"'),
        (("Shop", "Main"), 'shop/main"'),
        (("shop", "production"), None),
        (("another", "main"), None),
    ],
    ids=lambda value: "/".join(value) if isinstance(value, tuple) else None,
)
def test_a_name_that_is_nearly_right_is_told_with_the_right_one(
    asked: tuple[str, str], meant: str | None, log: pytest.LogCaptureFixture
) -> None:
    """Both parts must be near: what is the same in all names makes none of them alike."""
    Unserved().note(*asked, SERVED, NOW_MS)
    (told,) = log.messages
    assert told.partition('did you mean "')[2].partition("?")[0] == (meant or "")


def test_made_up_names_fill_neither_log_nor_memory(log: pytest.LogCaptureFixture) -> None:
    """Of many names the first are told, then that there are more; later it begins anew."""
    unserved = Unserved()
    for number in range(1000):
        unserved.note(f"x{number}", "main", SERVED, NOW_MS + number)
    assert len(log.messages) == MOST_TOLD + 1
    assert "More environments" in log.messages[-1]
    assert len(unserved._told) == MOST_TOLD + 1
    unserved.note("shop", "prod", SERVED, NOW_MS + PERIOD_MS)
    assert "'shop/prod'" in log.messages[-1]


def test_a_clock_that_goes_back_silences_nothing(log: pytest.LogCaptureFixture) -> None:
    """After a clock was corrected the next request is told."""
    unserved = Unserved()
    unserved.note("shop", "prod", SERVED, NOW_MS)
    unserved.note("shop", "prod", SERVED, NOW_MS - PERIOD_MS)
    assert len(log.messages) == 2


def test_names_cannot_pose_as_lines_of_the_log(log: pytest.LogCaptureFixture) -> None:
    """Line ends and other controls are written as escapes, and a long name is cut."""
    unserved = Unserved()
    unserved.note("a\nERROR: hacked\x1b[0m\u202e", "b" * 10_000, SERVED, NOW_MS)
    (told,) = log.messages
    assert told.isprintable()
    assert r"a\nERROR: hacked\x1b[0m\u202e/bbb" in told
    assert len(told) < 400
    unserved.note("c" * 10_000, "main", SERVED, NOW_MS)
    assert len(log.messages[-1]) < 400


def test_many_environments_are_not_all_listed(log: pytest.LogCaptureFixture) -> None:
    """Of very many environments some are listed, and how many more there are."""
    served = [("shop", f"e{number:03}") for number in range(200)]
    Unserved().note("nobody", "knows", served, NOW_MS)
    (told,) = log.messages
    assert "shop/e049 and 150 more" in told
    assert "e050" not in told
