"""What a reloader knows about one environment, and what it tells about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgewise.errors import Fault
from edgewise.reload.following import Follower
from edgewise.reload.reading import Stamp
from edgewise.sources.contentful.live import SourceStatus
from edgewise.values import time_text


class Refusal(msgspec.Struct, frozen=True):
    """One reason why rules are refused; `line` is 0 where it is not known."""

    code: str
    reason: str
    file: str
    line: int
    pointer: str


class ReloadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator wants to know about the rules of one environment.

    Args:
        loaded_at: when those in use were loaded, in ISO 8601; empty before there are any.
        refused_at: since when newer ones are refused; empty where none are.
        refused: why.
        source: where more of the rules come from, and how old they are; None without one.
    """

    loaded_at: str
    refused_at: str = ""
    refused: list[Refusal] = []
    source: SourceStatus | None = None


class Environment:
    """One folder of rules, with what was last made of it.

    Shape: `stamp` and `version` are those of the files and the source that were last tried, with
    or without success; `stamp` is None before the first time. `gone_at_s` is since when the rules
    are gone, by the clock of the event loop, and `gone_for_good` whether that was told as for good;
    both are None while they are there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stamp: Stamp | None = None
        self.version = ""
        self.gone_at_s: float | None = None
        self.gone_for_good: bool | None = None
        self.follower: Follower | None = None
        self.faults: tuple[Fault, ...] = ()
        self._loaded_ms = 0
        self._refused_ms = 0

    @property
    def source_version(self) -> str:
        """The version of the source's rules, empty without a source or before it has any."""
        return self.follower.source.version if self.follower else ""

    @property
    def had_files(self) -> bool:
        """Whether there were rule files when they were last looked at, or before they were gone."""
        return bool(self.stamp) or self.gone_at_s is not None

    def accept(self, now_ms: int) -> None:
        """Note that the rules were taken into use."""
        self.faults, self._loaded_ms, self._refused_ms = (), now_ms, 0

    def forgive(self) -> None:
        """Note that nothing is wrong any more, though there are no rules to take into use yet."""
        self.faults, self._refused_ms = (), 0

    def refuse(self, faults: Sequence[Fault], now_ms: int) -> None:
        """Note why the rules were not taken into use."""
        self._refused_ms = self._refused_ms if self.faults else now_ms
        self.faults = tuple(faults)

    def status(self) -> ReloadStatus:
        """Return what an operator wants to know."""
        return ReloadStatus(
            loaded_at=_second(self._loaded_ms),
            refused_at=_second(self._refused_ms),
            refused=[
                Refusal(fault.code, str(fault), fault.file, fault.line, fault.pointer)
                for fault in self.faults
            ],
            source=self.follower.source.status() if self.follower else None,
        )


def _second(time_ms: int) -> str:
    return time_text(time_ms // 1000 * 1000) if time_ms else ""
