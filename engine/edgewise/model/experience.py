"""Experiences: who takes part, in which proportions, and what each variant replaces."""

from __future__ import annotations

from typing import Any

import msgspec


class EntryReplacement(msgspec.Struct, frozen=True):
    """One content entry and what takes its place per variant index from 1; "" is hidden."""

    baseline: str
    variants: tuple[str, ...]


class InlineVariable(msgspec.Struct, frozen=True):
    """A named value and what it is per variant index from 1."""

    key: str
    baseline: Any
    variants: tuple[Any, ...]


class Experience(msgspec.Struct, frozen=True, kw_only=True):
    """An experience as its author defined it, validated.

    Args:
        kind: "nt_personalization" or "nt_experiment".
        audience_id: who takes part; None is everyone.
        traffic_allocation: share (0..1) of the audience that takes part.
        distribution: share per variant index, index 0 (the baseline) first.
        sticky: whether a seen variant is kept for good.
        allocation: "murmur3" or "xxh3".
        form: "native" or "nt_config", the form it was written in.
        file, pointer: where it was written.
    """

    id: str
    kind: str
    audience_id: str | None
    traffic_allocation: float
    distribution: tuple[float, ...]
    components: tuple[EntryReplacement | InlineVariable, ...]
    allocation: str
    name: str = ""
    description: str = ""
    sticky: bool = False
    form: str = "native"
    file: str = ""
    pointer: str = ""
