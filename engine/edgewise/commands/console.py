"""The console that commands show tables and trees on."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console

# Wide enough that no line of a file breaks where programs look at it.
_FILE_WIDTH: Final = 400


class OutputConsole(Console):
    """Standard output: as wide as the terminal, or as wide as need be where it is none.

    It leaves to the command line what a pipe means that nobody reads any more.
    """

    def __init__(self) -> None:
        super().__init__(width=None if sys.stdout.isatty() else _FILE_WIDTH, highlight=False)

    def on_broken_pipe(self) -> None:
        """Raise BrokenPipeError instead of ending the process with a status of its own."""
        raise BrokenPipeError
