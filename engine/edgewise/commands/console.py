"""The console that commands show tables and trees on."""

from __future__ import annotations

from rich.console import Console


class OutputConsole(Console):
    """A console that leaves to the command line what a pipe means that nobody reads any more."""

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError instead of ending the process with a status of its own."""
        raise BrokenPipeError
