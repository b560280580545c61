"""The events of a batch by profile, and whether there are not too many of anything."""

from __future__ import annotations

from edgewise.decoding import Update
from edgewise.errors import InvalidData

MAX_IDENTIFIES = 50
MAX_PROFILES = 50


def group_events(update: Update) -> dict[str, Update]:
    """Return the events of each profile, in the order in which the profiles first appear.

    Shape: the key is what names the profile in the event, its `anonymousId`, or its `userId` where
    it has only that.

    Errors: InvalidData for an event without a name, and where there are more than 50 identify
        events or 50 profiles; the message names the first event that is at fault.
    """
    groups: dict[str, list[int]] = {}
    identifies = 0
    for index, event in enumerate(update.events):
        place = f"events[{index}]"
        name = event.anonymous_id or event.user_id
        if not name:
            raise InvalidData(f"{place}.anonymousId: required where there is no userId")
        identifies += event.type == "identify"
        if identifies > MAX_IDENTIFIES:
            raise InvalidData(f"{place}.type: expected at most {MAX_IDENTIFIES} identify events")
        group = groups.get(name)
        if group is None:
            if len(groups) == MAX_PROFILES:
                raise InvalidData(f"{place}.anonymousId: expected at most {MAX_PROFILES} profiles")
            group = groups[name] = []
        group.append(index)
    return {
        name: Update(
            [update.events[place] for place in places],
            [update.raws[place] for place in places],
            update.features,
            places,
        )
        for name, places in groups.items()
    }
