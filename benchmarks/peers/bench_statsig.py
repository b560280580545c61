"""statsig-python-core: a compiled client that finds its specifications in a data store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from statsig_python_core import (
    DataStore,
    DataStoreResponse,
    ExperimentEvaluationOptions,
    Statsig,
    StatsigOptions,
    StatsigUser,
)

from benchmarks.peers.forms.statsig import GROUPS, specifications_of
from benchmarks.peers.shapes import Pair, Prepared, flat
from benchmarks.plain import AudienceSpec, Visitor

label = "statsig-python-core"


class Ready(msgspec.Struct, frozen=True):
    """A client, the names to ask it for, and an option that keeps exposures unsaid."""

    client: Statsig
    names: list[str]
    quiet: ExperimentEvaluationOptions


class Specifications(DataStore):  # type: ignore[misc] # Unknown where types are checked.
    """A store that holds specifications from the start."""

    content: str

    def get(self, key: str) -> DataStoreResponse:
        """Return the specifications, whatever the key."""
        return DataStoreResponse(result=self.content, time=1)


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the client, without network, log or disk."""
    store = Specifications()
    store.content = msgspec.json.encode(specifications_of(audiences)).decode()
    options = StatsigOptions(
        data_store=store,
        disable_network=True,
        disable_all_logging=True,
        disable_country_lookup=True,
        disable_disk_access=True,
        enable_id_lists=False,
        specs_url="http://127.0.0.1:9",
        log_event_url="http://127.0.0.1:9",
        output_log_level="none",
    )
    client = Statsig("secret-none", options)
    client.initialize().wait()
    quiet = ExperimentEvaluationOptions(disable_exposure_logging=True)
    ready = Ready(client, [audience.id for audience in audiences], quiet)
    return Prepared(ready, [(one.id, flat(one.attributes)) for one in visitors])


def decide(engine: Ready, visitor: tuple[str, dict[str, Any]]) -> list[Pair]:
    """Return the pairs of a visitor."""
    visitor_id, attributes = visitor
    user = StatsigUser(user_id=visitor_id, custom=attributes)
    ask, quiet = engine.client.get_experiment, engine.quiet
    return [
        (name, GROUPS[group])
        for name in engine.names
        if (group := ask(user, name, quiet).group_name) in GROUPS
    ]
