"""growthbook: one instance on given features, told about each visitor in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from growthbook import GrowthBook

from benchmarks.peers.forms.growthbook import features_of
from benchmarks.peers.shapes import Pair, Prepared
from benchmarks.plain import AudienceSpec, Visitor

label = "growthbook"


class Ready(msgspec.Struct, frozen=True):
    """An instance and the keys to ask it for."""

    instance: GrowthBook
    keys: list[str]


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the instance: without a client key it asks no server."""
    ready = Ready(GrowthBook(features=features_of(audiences)), [one.id for one in audiences])
    return Prepared(ready, [{"id": one.id, **one.attributes} for one in visitors])


def decide(engine: Ready, attributes: dict[str, Any]) -> list[Pair]:
    """Return the pairs of a visitor."""
    engine.instance.set_attributes(attributes)
    ask = engine.instance.eval_feature
    return [(key, index) for key in engine.keys if (index := ask(key).value) is not None]
