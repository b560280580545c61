"""A service whose rules change while it runs: files, polls and webhooks reach it at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from edgewise.clock import now_ms
from edgewise.enriching import Enricher
from edgewise.errors import NotStarted, Unauthorized
from edgewise.explaining import Explanation, add_lines
from edgewise.keeping import KEPT_PROFILES
from edgewise.reload.reloader import Reloader
from edgewise.service import DecisionService
from edgewise.sources.contentful.webhooks import Headers, concerns, read_webhook, verify_webhook
from edgewise.sources.lines import LineFinder
from edgewise.stores.base import ServiceStore

_LOG = logging.getLogger("edgewise.live")

_NOT_STARTED = (
    "The service has no rules yet: it was not started, or its start failed; await its start()"
    " where the application starts, since a mounted one gets no lifespan."
)


class LiveService(DecisionService):
    """A decision service over the rulesets that a reloader keeps current."""

    def __init__(
        self,
        reloader: Reloader,
        store: ServiceStore,
        *,
        clock: Callable[[], int] = now_ms,
        enricher: Enricher | None = None,
        kept_profiles: int = KEPT_PROFILES,
    ) -> None:
        super().__init__(
            reloader.rulesets, store, clock=clock, enricher=enricher, kept_profiles=kept_profiles
        )
        self._reloader = reloader
        self._started = False
        self._may_warn = True

    async def start(self) -> None:
        """Load the rules and follow them, then get ready to serve.

        Errors: RulesError for faulty rules; SourceUnavailable where there are none to serve.
        """
        await self._reloader.start()
        await super().start()
        self._started = True

    async def stop(self) -> None:
        """Let go of the rules' sources and of the store."""
        try:
            await self._reloader.stop()
        finally:
            await super().stop()

    async def health(self) -> dict[str, object]:
        """Return what the service tells, and under `rules` how current its rules are and why.

        Shape: an environment that is not served yet stands under `rules` alone. Before the start
        `status` is "not_started", and `reason` says what to do.
        """
        rules = {
            f"{organization}/{environment}": msgspec.to_builtins(status)
            for (organization, environment), status in self._reloader.status().items()
        }
        health = {**await super().health(), "rules": rules}
        if self._waits_for_start():
            health |= {"status": NotStarted.code, "reason": _NOT_STARTED}
        return health

    async def explain(
        self, organization: str, environment: str, profile_id: str, audience_id: str | None = None
    ) -> Explanation:
        """Return why a profile gets what it gets now, with the lines of the conditions.

        Errors: as `read`, and InvalidData for an audience that does not exist.
        """
        explanation = await super().explain(organization, environment, profile_id, audience_id)
        finder = LineFinder(self._reloader.root.parent)
        await asyncio.to_thread(add_lines, explanation, finder.line_of)
        return explanation

    def _refuse_expected(self, organization: str, environment: str) -> None:
        self._require_start()
        if (organization, environment) in self._reloader.status():
            raise NotStarted(
                f"The rules of {organization}/{environment} are not there yet; /health tells why."
            )

    def _require_start(self) -> None:
        if self._waits_for_start():
            if self._may_warn:
                self._may_warn = False
                _LOG.error(_NOT_STARTED)
            raise NotStarted(_NOT_STARTED)

    def _waits_for_start(self) -> bool:
        return not (self._started or self.rulesets)

    def take_webhook(self, headers: Headers, body: bytes) -> None:
        """Refresh the sources that a webhook of Contentful concerns, in the background.

        Errors: Unauthorized where it brings the secret of no source; NotStarted.
        """
        known = []
        for follower in self._reloader.followers().values():
            try:
                verify_webhook(headers, follower.source.settings.webhook_secret)
            except Unauthorized:
                continue
            known.append(follower)
        if not known:
            self._require_start()
            raise Unauthorized("The secret of the webhook is missing or wrong.")
        notice = read_webhook(headers, body)
        for follower in known:
            if concerns(notice, follower.source.settings):
                follower.notice()
