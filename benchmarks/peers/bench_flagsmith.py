"""flagsmith-flag-engine: the pure function that the vendor's client evaluates locally with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flag_engine.engine import get_evaluation_result

from benchmarks.peers.forms.flagsmith import ENVIRONMENT, features_of, segments_of
from benchmarks.peers.shapes import Pair, Prepared, with_joined_lists
from benchmarks.plain import AudienceSpec, Visitor

label = "flagsmith-flag-engine"


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the part of the context that is the same for every visitor."""
    engine = {
        "environment": ENVIRONMENT,
        "features": features_of(audiences),
        "segments": segments_of(audiences),
    }
    return Prepared(engine, [(one.id, with_joined_lists(one.attributes)) for one in visitors])


def decide(engine: dict[str, Any], visitor: tuple[str, dict[str, Any]]) -> list[Pair]:
    """Return the pairs of a visitor."""
    visitor_id, traits = visitor
    identity = {"identifier": visitor_id, "key": visitor_id, "traits": traits}
    result = get_evaluation_result({**engine, "identity": identity})
    return [(name, one["value"]) for name, one in result["flags"].items() if one["enabled"]]
