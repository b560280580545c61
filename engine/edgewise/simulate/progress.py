"""How far a simulation is, on a terminal: with rate and time left, and nothing elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from edgewise.simulate.running import Progress

_NOTEWORTHY = 0.05
"""How far off an estimated total may be before it is shown anew."""


class _Rate(ProgressColumn):
    """How many per second."""

    def render(self, task: Task) -> Text:
        """Return the rate, a dash as long as there is none."""
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "-", style="cyan")


class TerminalProgress(Progress):
    """Shows bars on a console; to be used as a context manager."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._estimate = 0
        self._scan = self._bars.add_task("Reading", total=None)
        self._replay = self._bars.add_task("Replaying", total=None, visible=False)

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def scanning(self, lines: int, share: float | None) -> None:
        """Show the number of lines that were read, of about how many."""
        self._bars.update(self._scan, completed=lines)
        total = round(lines / share) if share else None
        if total and abs(total - self._estimate) > _NOTEWORTHY * total:
            # With another total, rates are measured anew.
            self._estimate = total
            self._bars.update(self._scan, total=total)

    def replaying(self, total: int) -> None:
        """Show the replay instead of the scan."""
        self._bars.update(self._scan, visible=False)
        self._bars.update(self._replay, total=total, visible=True)

    def replayed(self, requests: int) -> None:
        """Show that so many more requests were replayed."""
        self._bars.advance(self._replay, requests)
