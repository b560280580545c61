"""Cases run in processes of their own, and one that fails does not take the others with it."""

from __future__ import annotations

import pytest

from benchmarks.rows import Case
from benchmarks.runner import CaseFailed, run_case, run_cases


def test_failing_case_names_itself() -> None:
    """What a failing process wrote is told under the name of the case."""
    with pytest.raises(CaseFailed, match=r"(?s)broken: .*no_such_benchmark"):
        run_case(Case("broken", "no_such_benchmark"))


def test_cases_that_cannot_run_are_told_and_left_out() -> None:
    """A missing program and a failure leave the results without an answer, and say so."""
    told: list[str] = []
    cases = [Case("needy", "bench_decide", needs="no-such-program"), Case("broken", "no_such")]
    assert run_cases(cases, told.append).answers == {}
    assert told[0] == "needy: left out, since no-such-program is missing"
    assert told[1] == "broken"
    assert told[2].startswith("broken: ")
