"""launchdarkly-server-sdk: a client on a data file, without events and diagnostics."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from ldclient import Context
from ldclient.client import LDClient
from ldclient.config import Config
from ldclient.integrations import Files

from benchmarks.peers.forms.launchdarkly import context_of, document_of
from benchmarks.peers.shapes import Pair, Prepared
from benchmarks.plain import AudienceSpec, Visitor

label = "launchdarkly-server-sdk"


def prepare(audiences: Sequence[AudienceSpec], visitors: Sequence[Visitor]) -> Prepared:
    """Return the client. Its file source is slow where PyYAML is installed, which is not here."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.json"
        file.write_bytes(msgspec.json.encode(document_of(audiences)))
        config = Config(
            "none",
            base_uri="http://127.0.0.1:9",
            events_uri="http://127.0.0.1:9",
            stream_uri="http://127.0.0.1:9",
            update_processor_class=Files.new_data_source(paths=[str(file)]),
            send_events=False,
            diagnostic_opt_out=True,
        )
        client = LDClient(config)
    return Prepared(client, [context_of(one.id, one.attributes) for one in visitors])


def decide(engine: LDClient, attributes: dict[str, Any]) -> list[Pair]:
    """Return the pairs of a visitor; the state of all at once costs half of asking one by one."""
    values = engine.all_flags_state(Context.from_dict(attributes)).to_values_map()
    return [(key, index) for key, index in values.items() if index is not None]
