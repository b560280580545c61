"""eppo-server-sdk: a compiled client on a given configuration, without polling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import eppo_client
import msgspec
from eppo_client import AssignmentLogger, EppoClient
from eppo_client.config import Config

from benchmarks.peers.forms.eppo import configuration_of
from benchmarks.peers.shapes import Pair, Prepared, with_joined_lists
from benchmarks.plain import AudienceSpec, Visitor

label = "eppo-server-sdk"


class Ready(msgspec.Struct, frozen=True):
    """A client and the keys to ask it for."""

    client: EppoClient
    keys: list[str]


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the client; assignments are not logged."""
    configuration = eppo_client.Configuration(
        flags_configuration=msgspec.json.encode(configuration_of(audiences))
    )
    config = Config(
        api_key="none",
        base_url="http://127.0.0.1:9",
        assignment_logger=AssignmentLogger(),
        poll_interval_seconds=None,
        initial_configuration=configuration,
    )
    ready = Ready(eppo_client.init(config), [audience.id for audience in audiences])
    return Prepared(ready, [(one.id, with_joined_lists(one.attributes)) for one in visitors])


def decide(engine: Ready, visitor: tuple[str, dict[str, Any]]) -> list[Pair]:
    """Return the pairs of a visitor."""
    visitor_id, attributes = visitor
    assign = engine.client.get_integer_assignment
    return [
        (key, index)
        for key in engine.keys
        if (index := assign(key, visitor_id, attributes, -1)) >= 0
    ]
