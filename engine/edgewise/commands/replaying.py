"""A visitor as recorded requests leave it, replayed as `edgewise simulate` does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from edgewise.identity import Identity
from edgewise.model.event import ReceivedEvent, TimedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset
from edgewise.simulate.replay import Refusal, Replay
from edgewise.simulate.requests import Record, received_of, update_of
from edgewise.simulate.visitors import Visitor, Visitors


class _Unobserved:
    """An observer of a replay of which only the end matters."""

    def appeared(self, time_ms: int) -> None: ...

    def changed(self, before: Sequence[str], after: Sequence[str], time_ms: int) -> None: ...

    def merged(self, loser: Visitor, time_ms: int) -> None: ...


def replay_visitor(
    ruleset: Ruleset, records: Iterable[Record], name: str
) -> tuple[Profile, list[TimedEvent]] | None:
    """Return the profile that a name or an id stands for after some requests, with its events.

    None where there is none.

    Args:
        records: requests of the ruleset's environment, in the order in which they arrived.
    """
    visitors = Visitors()
    replay = Replay(ruleset, visitors, _Unobserved())
    done: list[tuple[str, Sequence[ReceivedEvent]]] = []
    for record in records:
        received = received_of(record, update_of(record))
        (visitor,) = replay.apply([(record, received)])
        if isinstance(visitor, Refusal):
            raise visitor
        done.append((visitor.profile.id, received))
    found = asyncio.run(Identity(visitors, ruleset).find(name))
    if found is None:
        return None
    own = {found.profile.id, *found.profile.absorbed}
    events = {item.message_key: item for id_, items in done if id_ in own for item in items}
    return found.profile, [(item.event, item.time_ms) for item in events.values()]
