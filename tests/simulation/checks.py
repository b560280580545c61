"""What must hold once everybody is done: asked of the disk, of the reference and of the clients."""

from __future__ import annotations

from collections import Counter

import msgspec

from edgewise.decide import decide
from edgewise.decoding import decode_event
from edgewise.erasing import erase
from edgewise.history import catch_up
from edgewise.identity import Identity, Loaded
from edgewise.model.log import LogEntry
from edgewise.model.profiles import Erasure, Profile, Redirect
from edgewise.records import Records
from tests.simulation.disk import Disk
from tests.simulation.reference import Expected, Violation
from tests.simulation.rules import Revision
from tests.simulation.visitors import Shared

_LONGEST_WAY = 50


async def settle(disk: Disk, revision: Revision) -> None:
    """Let a process meet everything that was left half-done, and complete it."""
    identity = Identity(Records(disk), revision.ruleset)
    for key in disk.all_keys():
        await identity.load(key)


async def check_resolution(disk: Disk) -> None:
    """Every key is a living profile, or leads to one or to nothing; nothing is half-done."""
    records = Records(disk)
    for key in disk.all_keys():
        place, steps = key, 0
        while (found := await records.load(place)) is not None:
            steps += 1
            if steps > _LONGEST_WAY:
                raise Violation(f"{key[:8]} leads round in a circle")
            if isinstance(found.record, Erasure):
                raise Violation(f"{place[:8]} is still being erased")
            if isinstance(found.record, Profile):
                if found.record.merging_into:
                    raise Violation(f"{place[:8]} is still being merged")
                break
            place = found.record.profile_id


async def check_profiles(disk: Disk, revision: Revision, now_ms: int) -> None:
    """Every record is what its events make it, and so are tallies, memberships and the log."""
    logged: dict[str, list[LogEntry]] = {}
    for key, expected in list(disk.reference.profiles.items()):
        found = await Records(disk).load(key)
        if found is None or not isinstance(found.record, Profile):
            raise Violation(f"the profile {key[:8]} is gone")
        await catch_up(found.record, revision.ruleset.evaluator, disk)
        if differences := expected.differences(found.record):
            raise Violation(f"{key[:8]} (must be, is): {differences}")
        _check_tallies(found.record, expected, revision)
        _check_memberships(found.record, expected, revision, now_ms)
        for log_id in (key, *expected.absorbed):
            logged[log_id] = await disk.read_log(log_id)
        count = sum(len(logged[log_id]) for log_id in (key, *expected.absorbed))
        if count != len(expected.history):
            raise Violation(f"{key[:8]} counted {len(expected.history)} events, logged {count}")
    for log_id in disk.logged_ids():
        if log_id not in logged:
            raise Violation(f"the log of {log_id[:8]} belongs to nobody")
        if logged[log_id] != disk.reference.logs[log_id]:
            raise Violation(f"the log of {log_id[:8]} is not what was written")


def _check_tallies(profile: Profile, expected: Expected, revision: Revision) -> None:
    evaluator = revision.ruleset.evaluator
    counts: Counter[int] = Counter()
    times: dict[int, list[int]] = {}
    for entry_ms, event in expected.history:
        for matcher in evaluator.match_event(decode_event(_encoded(event))):
            if matcher.window_ms:
                times.setdefault(matcher.id, []).append(entry_ms)
            else:
                counts[matcher.id] += 1
    kept = {
        matcher_id: sorted(found)[-evaluator.matchers[matcher_id].kept :]
        for matcher_id, found in times.items()
    }
    if profile.counts != counts or profile.recent != kept:
        is_now = (profile.counts, profile.recent)
        raise Violation(f"tallies of {profile.id[:8]}: must be {(counts, kept)}, are {is_now}")


def _encoded(event: object) -> bytes:
    return msgspec.json.encode(event)


def _check_memberships(
    profile: Profile, expected: Expected, revision: Revision, now_ms: int
) -> None:
    must = {rule.audience_id for rule in revision.rules if rule.holds(expected.history, now_ms)}
    if expected.traits.get("plan", ("", 0))[0] == "pro":
        must.add("pro")
    found = set(decide(revision.ruleset, profile, now_ms).audiences)
    if found != must:
        raise Violation(f"audiences of {profile.id[:8]}: must be {must}, are {found}")


def check_events(disk: Disk, shared: Shared) -> None:
    """Every acknowledged event is counted in one living profile, unless it was erased there."""
    reference = disk.reference
    places = Counter(
        number for expected in reference.profiles.values() for number in expected.numbers
    )
    repeated = [number for number, count in places.items() if count > 1]
    if repeated:
        raise Violation(f"events {repeated} are counted in several profiles")
    counted = set(reference.counted)
    for number in counted:
        if number not in places and number not in reference.erased:
            raise Violation(f"event {number} was counted and is gone")
    for number in shared.acknowledged:
        if number not in counted:
            raise Violation(f"event {number} was acknowledged and never counted")


def check_no_resends_counted(disk: Disk) -> None:
    """Where nothing was erased, no event was ever counted twice, wherever it was sent."""
    repeated = [n for n, count in Counter(disk.reference.counted).items() if count > 1]
    if repeated:
        raise Violation(f"events {repeated} were counted twice")


async def check_families(disk: Disk, shared: Shared, revision: Revision) -> None:
    """Names that were said to be one visitor lead to one profile, and others to another one."""
    families = _Families()
    for one, other in [*shared.joined, *shared.answered]:
        families.join(one, other)
    identity = Identity(Records(disk), revision.ruleset)
    ends: dict[str, str] = {}
    for name in families.names():
        found = await identity.find(name)
        if not isinstance(found, Loaded):
            raise Violation(f"the name {name[:8]} leads nowhere")
        root = families.root(name)
        if ends.setdefault(root, found.profile.id) != found.profile.id:
            raise Violation(f"{name[:8]} leads to another profile than {root[:8]}")
    if len(set(ends.values())) != len(ends):
        raise Violation("two visitors have become one")


class _Families:
    """Which names belong together."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def names(self) -> list[str]:
        return list(self._parents)

    def root(self, name: str) -> str:
        while (parent := self._parents.setdefault(name, name)) != name:
            name = parent
        return name

    def join(self, one: str, other: str) -> None:
        self._parents[self.root(one)] = self.root(other)


async def dangling_redirects(disk: Disk) -> set[str]:
    """Return the keys of redirects that lead to nothing, at once or after other redirects."""
    records = Records(disk)
    dangling = set()
    for key in disk.all_keys():
        place: str = key
        while (found := await records.load(place)) is not None:
            if not isinstance(found.record, Redirect):
                break
            place = found.record.profile_id
        else:
            dangling.add(key)
    return dangling


async def check_redirects(disk: Disk) -> None:
    """Where nothing was erased, no redirect leads to nothing."""
    if dangling := await dangling_redirects(disk):
        raise Violation(f"{sorted(dangling)} lead to nothing")


async def check_erasures(disk: Disk) -> None:
    """Every profile can be erased without a rest: no name, no redirect and no log of it is left.

    A profile knows of a name before the name leads to it. Where it is erased between these two
    writes, the redirect leads to nothing, and whoever is created anew at its end does not know of
    it. No write of one key can rule that out, so such a redirect may be left, like one that still
    leads to nothing.
    """
    records = Records(disk)
    dangling = await dangling_redirects(disk)
    for key in disk.all_keys():
        found = await records.load(key)
        if found is not None and isinstance(found.record, Profile):
            await erase(records, found.record, found.version)
    left = {*disk.all_keys(), *disk.logged_ids()} - dangling - disk.reference.adrift
    if left:
        raise Violation(f"{sorted(left)} were left by erasures")
