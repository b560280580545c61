"""One attempt at an update: load → fold → decide → save, unless somebody got in between.

A visitor who was here a moment ago is not loaded: see `edgewise.keeping`.
"""

from __future__ import annotations

import msgspec

from edgewise.applying import apply_events
from edgewise.decoding import Update
from edgewise.identity import Identity, Loaded
from edgewise.keeping import Kept, KeptRecords
from edgewise.model.decision import Outcome
from edgewise.model.event import Resolved
from edgewise.receiving import claimed_ids, receive
from edgewise.records import ID_LENGTH, Records, id_for_name
from edgewise.ruleset import Ruleset
from edgewise.standing import Standing
from edgewise.stores.codec import decode_own_profile, encode_profile


class UpdateRequest(msgspec.Struct, frozen=True, gc=False):
    """One request for an update, the same on each attempt.

    Args:
        name: the id or name that it was sent to; empty where it named none.
        new_id: the id of the profile that is made in that case.
        resolved: what was found out for it.
    """

    name: str
    new_id: str
    update: Update
    arrival_ms: int
    resolved: Resolved | None = None


async def apply_update(
    records: Records, ruleset: Ruleset, request: UpdateRequest, keeper: KeptRecords | None = None
) -> Outcome:
    """Return a profile after a request, which is saved.

    Args:
        keeper: has the records of recent visitors, and keeps this one for the next update; None
            keeps nothing.
    Errors: NamespaceMismatch; InvalidData where it would be too large; Conflict and StoreBusy,
        after which the record is not kept any more.
    """
    identity = Identity(records, ruleset)
    arrival_ms = request.arrival_ms
    received = receive(request.update, request.name, arrival_ms)
    kept = keeper.take(kept_key(ruleset, request.new_id)) if keeper is not None else None
    loaded, last = _found(kept, ruleset) if kept is not None else (None, None)
    if loaded is None:
        loaded = await _load(identity, request)
    for user_id in claimed_ids(received):
        loaded, last = await identity.claim(loaded, user_id, arrival_ms), None
    applied = await apply_events(identity, loaded, received, arrival_ms, request.resolved, last)
    profile, standing = applied.profile, applied.standing
    if applied.entries:
        value = encode_profile(profile)
        version = await records.save_encoded(profile, value, loaded.version, applied.entries)
        if keeper is not None:
            keeper.keep(profile.id, value, version, standing, ruleset)
    elif kept is not None:
        # Nothing was written, which would have failed if what was kept is old.
        return await apply_update(records, ruleset, request, keeper)
    return Outcome(profile, standing.decision, ruleset.digest, standing.json)


def kept_key(ruleset: Ruleset, name: str) -> str:
    """Return under what the record is kept that an id or a name most likely stands for: its id."""
    if len(name) == ID_LENGTH:
        return name
    return id_for_name(ruleset.names, name)


def _found(kept: Kept, ruleset: Ruleset) -> tuple[Loaded | None, Standing | None]:
    """The profile that is kept, and what was decided for it, as far as a ruleset may use them."""
    profile, last = decode_own_profile(kept.value), kept.standing_of(ruleset)
    if last is None and not ruleset.serves(profile):
        return None, None
    return Loaded(profile, kept.version), last


async def _load(identity: Identity, request: UpdateRequest) -> Loaded:
    if request.name:
        return await identity.find_or_create(request.name, request.arrival_ms)
    return await identity.create(request.new_id, request.arrival_ms)
