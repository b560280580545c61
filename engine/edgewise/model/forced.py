"""A variant that somebody wants to look at, whatever the rules say."""

from __future__ import annotations

import msgspec


class ForcedVariant(msgspec.Struct, frozen=True):
    """One experience at one variant index, for one answer."""

    experience_id: str
    variant_index: int
