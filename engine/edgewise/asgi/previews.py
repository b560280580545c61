"""Preview tokens in requests: found in a header or a page's address, and told of in answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from starlette.types import Scope

from edgewise.asgi.body import header
from edgewise.asgi.cors import Headers
from edgewise.attributes import page_of
from edgewise.clock import now_ms
from edgewise.decoding import Update
from edgewise.model.decision import Decision
from edgewise.model.event import Event
from edgewise.model.forced import ForcedVariant
from edgewise.previews import PARAMETER, find_token, read_preview
from edgewise.secret import Secret

PREVIEW_SECRET_VARIABLE = "EDGEWISE_PREVIEW_SECRET"
PREVIEW_HEADER: Final = b"x-edgewise-preview"


class FoundPreview(msgspec.Struct, frozen=True):
    """What a request wants to look at, or why it may not; neither where it does not ask."""

    forced: ForcedVariant | None = None
    refused: str = ""


NO_PREVIEW = FoundPreview()


class Previews:
    """Finds the preview of a request.

    Args:
        secret: what tokens are signed with.
        clock: the time in milliseconds since 1970.
    """

    def __init__(self, secret: Secret, clock: Callable[[], int] = now_ms) -> None:
        self._secret = secret
        self._clock = clock

    def find(
        self, organization: str, environment: str, scope: Scope, events: Iterable[Event] = ()
    ) -> FoundPreview:
        """Return what the header asks for, or else the address of a page in its events.

        A token that is forged, old or for another environment forces nothing, and is told about.
        """
        token = header(scope, PREVIEW_HEADER).decode("ascii", "replace") or _token_of(events)
        return self._read(organization, environment, token)

    def without_forced(self, organization: str, environment: str, update: Update) -> Update:
        """Return the events of a report without those about what a preview on their page showed.

        Source: browsers report views apart from the request that showed the variant.
        """
        kept = []
        for position, event in enumerate(update.events):
            forced = self._read(organization, environment, _token_of((event,))).forced
            if forced is None or forced.experience_id != event.experience_id:
                kept.append(position)
        if len(kept) == len(update.events):
            return update
        events = [update.events[position] for position in kept]
        return Update(events, [update.raws[position] for position in kept], update.features)

    def _read(self, organization: str, environment: str, token: str) -> FoundPreview:
        if not token:
            return NO_PREVIEW
        found = read_preview(token, self._secret.reveal(), organization, environment, self._clock())
        return FoundPreview(refused=found) if isinstance(found, str) else FoundPreview(found)


def preview_headers(found: FoundPreview, decision: Decision) -> Headers:
    """Return what an answer says about a preview, nothing where none was asked for."""
    if found.refused:
        return ((PREVIEW_HEADER, f"refused; {found.refused}".encode()),)
    if found.forced is None:
        return ()
    shown = {(one.experience_id, one.variant_index) for one in decision.variants}
    if (found.forced.experience_id, found.forced.variant_index) in shown:
        return ((PREVIEW_HEADER, b"forced"),)
    return ((PREVIEW_HEADER, b"refused; unknown variant"),)


def _token_of(events: Iterable[Event]) -> str:
    """The token of the last event that has one; a page's query may have lost its address."""
    found = ""
    for event in events:
        page = page_of(event)
        query: Any = (page.query or {}).get(PARAMETER)
        found = (query if isinstance(query, str) else "") or find_token(page.url or "") or found
    return found
