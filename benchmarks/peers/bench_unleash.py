"""UnleashClient: a client on a bootstrapped cache, which registers, fetches and reports nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import msgspec
from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

from benchmarks.peers.forms.unleash import VARIANTS, context_of, state_of
from benchmarks.peers.shapes import Pair, Prepared, as_texts
from benchmarks.plain import AudienceSpec, Visitor

label = "UnleashClient"
NEVER_S = 10**6


class Ready(msgspec.Struct, frozen=True):
    """A client and the names to ask it for."""

    client: UnleashClient
    names: list[str]


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the client; the cache is only read while it starts."""
    with tempfile.TemporaryDirectory() as folder:
        cache = FileCache("bench", directory=folder)
        cache.bootstrap_from_dict(state_of(audiences))
        client = UnleashClient(
            "http://127.0.0.1:9",
            "bench",
            cache=cache,
            disable_metrics=True,
            disable_registration=True,
            refresh_interval=NEVER_S,
        )
        client.initialize_client(fetch_toggles=False)
    ready = Ready(client, [audience.id for audience in audiences])
    return Prepared(ready, [context_of(one.id, as_texts(one.attributes)) for one in visitors])


def decide(engine: Ready, context: dict[str, Any]) -> list[Pair]:
    """Return the pairs of a visitor."""
    ask = engine.client.get_variant
    answers = ((name, ask(name, context)) for name in engine.names)
    return [(name, VARIANTS[one["name"]]) for name, one in answers if one["enabled"]]
