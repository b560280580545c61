"""What the HTTP face needs from the engine behind it, and what can be set about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from edgewise.asgi.client_address import AddressSettings
from edgewise.asgi.klaviyo_settings import KlaviyoSettings
from edgewise.checks import require, require_kind, require_whole
from edgewise.decoding import MAX_EVENTS, Update
from edgewise.enriching import Sender
from edgewise.explaining import Explanation
from edgewise.ingest.insights import Visit
from edgewise.model.decision import Outcome
from edgewise.model.event import Resolved
from edgewise.model.forced import ForcedVariant
from edgewise.model.imports import ImportedProfile
from edgewise.model.interaction import ExperienceMetrics
from edgewise.secret import NO_SECRET, Secret


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one request, and the token of those who run the server.

    Args:
        max_batch_bytes: what a batch or an import may hold, which is about many profiles.
        admin_token: without one the routes that need it do not exist.
        preview_secret: what links to variants are signed with; without one there are none.
        default_environment: organization and environment of the short paths; without one there are
            none.
        klaviyo: who may send events as to Klaviyo; without keys nobody may.
        addresses: whose word is taken for where a request comes from.
    Errors: SettingsError for what cannot be.
    """

    max_body_bytes: int = 1024 * 1024
    max_batch_bytes: int = 5 * 1024 * 1024
    max_events: int = MAX_EVENTS
    admin_token: Secret = NO_SECRET
    preview_secret: Secret = NO_SECRET
    default_environment: tuple[str, str] | None = None
    klaviyo: KlaviyoSettings = KlaviyoSettings()
    addresses: AddressSettings = AddressSettings()

    def __post_init__(self) -> None:
        require_whole(self, 1, "max_body_bytes", "max_batch_bytes", "max_events")
        require_kind(self, Secret, "an edgewise.secret.Secret", "admin_token", "preview_secret")
        require_kind(self, KlaviyoSettings, "KlaviyoSettings", "klaviyo")
        require_kind(self, AddressSettings, "AddressSettings", "addresses")
        _check_environment(self.default_environment)


def _check_environment(names: object) -> None:
    parts = names if isinstance(names, tuple) else ()
    holds = len(parts) == 2 and all(isinstance(part, str) and part for part in parts)
    expected = 'organization and environment, such as ("demo", "main")'
    require(names is None or holds, "default_environment", expected, repr(names))


class Service(Protocol):
    """The engine as the HTTP face sees it; its methods raise what `problems` has rows for."""

    async def start(self) -> None:
        """Open what the service needs; requests come only afterwards."""

    async def stop(self) -> None:
        """Finish what was begun and let go of files and connections."""

    def environment_exists(self, organization: str, environment: str) -> None:
        """Raise ConfigNotFound, or NotStarted, unless a ruleset is served under these names."""

    async def health(self) -> dict[str, object]:
        """Return what an operator wants to know, as a JSON object; `status` is "ok" if all is."""
        ...

    async def update(
        self,
        organization: str,
        environment: str,
        profile_id: str | None,
        update: Update,
        *,
        preflight: bool,
        forced: ForcedVariant | None = None,
        sender: Sender | None = None,
    ) -> Outcome:
        """Apply events to a profile, a new one where there is no id; a preflight keeps nothing."""
        ...

    def locate(self, address: str) -> Resolved | None:
        """Return where an address is that stands in a request, None where nothing is known."""
        ...

    async def apply_batch(
        self,
        organization: str,
        environment: str,
        groups: Mapping[str, Update],
        *,
        preflight: bool,
    ) -> list[Outcome]:
        """Apply events to several profiles, by the names of those; a preflight keeps nothing."""
        ...

    async def enqueue_import(
        self, organization: str, environment: str, profiles: Sequence[ImportedProfile]
    ) -> bool:
        """Keep events that are applied later; return whether the environment is served."""
        ...

    async def read(
        self,
        organization: str,
        environment: str,
        profile_id: str,
        *,
        forced: ForcedVariant | None = None,
    ) -> Outcome:
        """Return a profile as it is, with what is decided for it now."""
        ...

    async def explain(
        self, organization: str, environment: str, profile_id: str, audience_id: str | None = None
    ) -> Explanation:
        """Return why a profile gets what it gets now, of one audience or of all."""
        ...

    async def keep_interactions(
        self, organization: str, environment: str, visits: Sequence[Visit]
    ) -> None:
        """Keep what visitors did with components, each message once."""

    async def metrics(
        self, organization: str, environment: str, experience_id: str
    ) -> ExperienceMetrics:
        """Return what was done with the variants of an experience, as far as it is kept."""
        ...

    async def erase(self, organization: str, environment: str, profile_id: str) -> None:
        """Remove a profile, its aliases and its log."""
