"""The garbage collector rests only where it was told to."""

from __future__ import annotations

import gc

import pytest

from edgewise.garbage import calm_collector, resting_collector


def test_collector_rests_inside_the_block() -> None:
    """Inside it is off, and afterwards as before, also after an error."""
    with resting_collector():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), resting_collector():
        raise KeyError
    assert gc.isenabled()


def test_collector_that_was_off_stays_off() -> None:
    """Who has turned it off finds it off."""
    gc.disable()
    try:
        with resting_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_calm_collector_leaves_alone_what_is_there() -> None:
    """What was loaded is not looked at again, and what comes is looked at seldom."""
    before = gc.get_threshold()
    try:
        calm_collector()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
        assert gc.isenabled()
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
