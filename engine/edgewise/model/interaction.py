"""What a visitor did with a component that was shown, and how much of that there was."""

from __future__ import annotations

import msgspec


class Interaction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One event about a component: it was seen, clicked, or had the pointer over it.

    Args:
        variant_index: 0, the baseline, where the event has none.
        view_id, hover_id: the same in all events about one view or one hover, each of which tells
            how long it has lasted so far.
    Units: durations are in milliseconds.
    """

    type: str
    experience_id: str | None = None
    variant_index: float | None = None
    view_id: str | None = None
    view_duration_ms: float | None = None
    hover_id: str | None = None
    hover_duration_ms: float | None = None


class VariantMetrics(msgspec.Struct, kw_only=True, rename="camel"):
    """What was done with one variant.

    Units: durations are sums over all views or hovers, in milliseconds.
    """

    variant_index: int
    views: int
    unique_viewers: int
    clicks: int
    hovers: int
    view_duration_ms: int
    hover_duration_ms: int


class ExperienceMetrics(msgspec.Struct, kw_only=True, rename="camel"):
    """What was done with the variants of one experience, as far back as the log reaches.

    Units: `since_ms` is when the oldest counted event arrived, in milliseconds since 1970; null
    where nothing was counted.
    """

    experience_id: str
    since_ms: int | None
    variants: list[VariantMetrics]
