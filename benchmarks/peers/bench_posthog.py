"""posthog: a client that evaluates given definitions locally and sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from posthog import Posthog

from benchmarks.peers.forms.posthog import VARIANTS, definitions_of
from benchmarks.peers.shapes import Pair, Prepared, with_joined_lists
from benchmarks.plain import AudienceSpec, Visitor

label = "posthog"


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the client: without a personal key it loads no definitions of its own."""
    client = Posthog("none", host="http://127.0.0.1:9", send=False, sync_mode=True)
    client.feature_flags = definitions_of(audiences)
    return Prepared(client, [(one.id, with_joined_lists(one.attributes)) for one in visitors])


def decide(engine: Posthog, visitor: tuple[str, dict[str, Any]]) -> list[Pair]:
    """Return the pairs of a visitor."""
    visitor_id, attributes = visitor
    values = engine.get_all_flags(
        visitor_id, person_properties=attributes, only_evaluate_locally=True
    )
    return [(key, VARIANTS[value]) for key, value in values.items() if value]
