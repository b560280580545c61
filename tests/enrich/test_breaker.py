"""A provider in trouble is left alone, and tried again with one question."""

from __future__ import annotations

from edgewise.enrich.breaker import FAULTS, PAUSE_S, Breaker
from tests.enrich.clock import Clock


def test_faults_in_a_row_begin_a_pause() -> None:
    """The fifth fault in a row begins it, and it ends by itself."""
    clock = Clock()
    breaker = Breaker(clock)
    assert [breaker.note_fault() for _ in range(FAULTS)] == [0, 0, 0, 0, PAUSE_S]
    assert not breaker.admits(0)
    clock.now_s += PAUSE_S - 1
    assert breaker.paused_s == 1
    clock.now_s += 1
    assert breaker.paused_s == 0
    assert breaker.admits(0)


def test_an_answer_in_between_starts_the_count_anew() -> None:
    """Single faults among answers begin no pause."""
    breaker = Breaker(Clock())
    for _ in range(FAULTS - 1):
        breaker.note_fault()
    breaker.note_answer()
    for _ in range(FAULTS - 1):
        breaker.note_fault()
    assert breaker.admits(20)


def test_one_question_is_tried_after_a_pause() -> None:
    """Until it is answered there is no second one; a fault begins the next pause at once."""
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAULTS):
        breaker.note_fault()
    clock.now_s += PAUSE_S
    assert not breaker.admits(1)
    assert breaker.note_fault() == PAUSE_S
    clock.now_s += PAUSE_S
    breaker.note_answer()
    assert breaker.admits(1)


def test_a_provider_says_how_long() -> None:
    """Its pause begins with the first fault, and a shorter one does not take its place."""
    clock = Clock()
    breaker = Breaker(clock)
    assert breaker.note_fault(300) == 300
    assert [breaker.note_fault() for _ in range(FAULTS)] == [0] * FAULTS
    assert breaker.paused_s == 300
