"""What visitors did with components: kept in logs of its own, and counted from there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec

from edgewise.identity import Identity
from edgewise.ingest.insights import Visit
from edgewise.model.interaction import ExperienceMetrics, Interaction, VariantMetrics
from edgewise.model.log import LogEntry, interaction_log, is_interaction_log
from edgewise.receiving import receive
from edgewise.stores.base import Store

_INTERACTION = msgspec.json.Decoder(Interaction)


async def keep_interactions(identity: Identity, visits: Sequence[Visit], arrival_ms: int) -> None:
    """Append what visitors did to the log of interactions of each; what it has is skipped.

    No profile is created: what an unknown visitor did is kept under the id that its profile would
    be given.

    Errors: NamespaceMismatch, Conflict, StoreBusy, after which nothing was kept.
    """
    entries = []
    for visit in visits:
        loaded = await identity.find_or_create(visit.name, arrival_ms)
        log_id = interaction_log(loaded.profile.id)
        entries += [
            LogEntry(
                identity.ruleset.names,
                log_id,
                item.message_key,
                item.time_ms,
                arrival_ms,
                item.raw,
            )
            for item in receive(visit.update, visit.name, arrival_ms)
        ]
    if entries:
        await identity.records.store.append(entries)


async def count_interactions(
    store: Store, environment: str, experience_id: str, variants: int
) -> ExperienceMetrics:
    """Return what was done with the variants of an experience, from the log.

    Args:
        environment: "organization/environment".
        variants: how many there are, the baseline included; views of any other are not counted. 0
            counts all, for an experience that is not known.
    Cost: one pass over the log of all environments, page by page with other work in between; memory
        in proportion to the views of this experience.
    """
    tallies: dict[int, _Tally] = defaultdict(_Tally)
    for index in range(variants):
        tallies[index] = _Tally()
    name = experience_id.encode()
    since_ms = None
    async for entry in store.scan_log():
        if entry.environment != environment or not is_interaction_log(entry.profile_id):
            continue
        # Nearly all entries are about others, and decoding costs more than finding that out.
        if name not in entry.event and b"\\" not in entry.event:
            continue
        interaction = _INTERACTION.decode(entry.event)
        index = int(interaction.variant_index or 0)
        if interaction.experience_id != experience_id or (variants and index >= variants):
            continue
        tallies[index].count(interaction, entry)
        since_ms = entry.arrival_ms if since_ms is None else min(since_ms, entry.arrival_ms)
    return ExperienceMetrics(
        experience_id=experience_id,
        since_ms=since_ms,
        variants=[tallies[index].total(index) for index in sorted(tallies)],
    )


class _Tally:
    """What was done with one variant.

    A view or hover that lasts is reported again and again, and counts once, as long as the longest
    of the reports says.
    """

    def __init__(self) -> None:
        self._viewers: set[str] = set()
        self._views: dict[tuple[str, str | int], float] = {}
        self._hovers: dict[tuple[str, str | int], float] = {}
        self._clicks = 0

    def count(self, interaction: Interaction, entry: LogEntry) -> None:
        """Add one event."""
        if interaction.type == "component_click":
            self._clicks += 1
            return
        if interaction.type == "component":
            self._viewers.add(entry.profile_id)
            kept, given = self._views, interaction.view_id
            duration_ms = interaction.view_duration_ms or 0
        else:
            kept, given = self._hovers, interaction.hover_id
            duration_ms = interaction.hover_duration_ms or 0
        key = (entry.profile_id, given or entry.message_key)
        kept[key] = max(kept.get(key, 0), duration_ms)

    def total(self, variant_index: int) -> VariantMetrics:
        """Return what there was."""
        return VariantMetrics(
            variant_index=variant_index,
            views=len(self._views),
            unique_viewers=len(self._viewers),
            clicks=self._clicks,
            hovers=len(self._hovers),
            view_duration_ms=round(sum(self._views.values())),
            hover_duration_ms=round(sum(self._hovers.values())),
        )
