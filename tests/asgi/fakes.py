"""A service that remembers what it was asked, and a server that speaks bare ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message

from edgewise.decoding import Update
from edgewise.enriching import Sender
from edgewise.errors import ConfigNotFound
from edgewise.explaining import Explanation
from edgewise.ingest.insights import Visit
from edgewise.model.decision import Decision, Outcome, SelectedVariant
from edgewise.model.event import EventLocation, Resolved
from edgewise.model.forced import ForcedVariant
from edgewise.model.imports import ImportedProfile
from edgewise.model.interaction import ExperienceMetrics, VariantMetrics
from edgewise.model.profiles import LandingPage, Location, Profile, Session

BERLIN = "5.1.2.3"
BASE = "/v2/organizations/org/environments/main"


def outcome_of(profile_id: str = "p1", forced: ForcedVariant | None = None) -> Outcome:
    """Return an outcome with something of everything; `e1` has a second variant to be forced."""
    profile = Profile(
        organization="org",
        environment="main",
        id=profile_id,
        stable_id="s1",
        created_ms=1,
        traits={"plan": "pro"},
        location=Location(city="Berlin", country_code="DE"),
        session=Session(
            id="session",
            count=2,
            started_ms=10_000,
            last_ms=18_900,
            closed_ms=3_000,
            landing_page=LandingPage(path="/", query={"a": "1"}, url="https://example.com/?a=1"),
        ),
    )
    variants = [
        SelectedVariant(
            "e1",
            2 if forced == ForcedVariant("e1", 2) else 1,
            msgspec.Raw(b'{"experienceId":"e1"}'),
            (msgspec.Raw(b'{"key":"k"}'),),
        ),
        SelectedVariant("e2", 0, msgspec.Raw(b'{"experienceId":"e2"}'), ()),
    ]
    return Outcome(profile, Decision(["a1"], variants), "digest")


class FakeService:
    """Knows one environment, answers every request alike, or fails as it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.error: Exception | None = None
        self.start_error: Exception | None = None
        self.stop_error: Exception | None = None
        self.running = False
        self.status = "ok"

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error

    async def start(self) -> None:
        """Start, unless told to fail."""
        if self.start_error:
            raise self.start_error
        self.running = True

    async def stop(self) -> None:
        """Stop, unless told to fail."""
        self.running = False
        if self.stop_error:
            raise self.stop_error

    def environment_exists(self, organization: str, environment: str) -> None:
        """Know only org/main."""
        if (organization, environment) != ("org", "main"):
            raise ConfigNotFound

    async def health(self) -> dict[str, object]:
        """Be well, unless told to be otherwise."""
        self._note("health")
        return {"status": self.status}

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
        """Note the update."""
        self._note("update", profile_id, len(update.events), preflight)
        return outcome_of(profile_id or "new", forced)

    def locate(self, address: str) -> Resolved | None:
        """Know one address."""
        return Resolved(location=EventLocation(city="Berlin")) if address == BERLIN else None

    async def apply_batch(
        self,
        organization: str,
        environment: str,
        groups: Mapping[str, Update],
        *,
        preflight: bool,
    ) -> list[Outcome]:
        """Note the batch."""
        counts = {name: len(update.events) for name, update in groups.items()}
        self._note("batch", counts, preflight)
        return [outcome_of(name) for name in groups]

    async def enqueue_import(
        self, organization: str, environment: str, profiles: Sequence[ImportedProfile]
    ) -> bool:
        """Note the import."""
        self._note("import", organization, environment, list(profiles))
        return (organization, environment) == ("org", "main")

    async def read(
        self,
        organization: str,
        environment: str,
        profile_id: str,
        *,
        forced: ForcedVariant | None = None,
    ) -> Outcome:
        """Note the read."""
        self._note("read", profile_id)
        return outcome_of(profile_id, forced)

    async def explain(
        self, organization: str, environment: str, profile_id: str, audience_id: str | None = None
    ) -> Explanation:
        """Note the question."""
        self._note("explain", organization, environment, profile_id, audience_id)
        return Explanation(
            organization=organization,
            environment=environment,
            ruleset="digest",
            profile_id=profile_id,
            now_ms=1,
            audiences=[],
            experiences=[],
        )

    async def keep_interactions(
        self, organization: str, environment: str, visits: Sequence[Visit]
    ) -> None:
        """Note the visits."""
        counts = [(visit.name, len(visit.update.events)) for visit in visits]
        self._note("interactions", organization, environment, counts)

    async def metrics(
        self, organization: str, environment: str, experience_id: str
    ) -> ExperienceMetrics:
        """Note the question."""
        self._note("metrics", organization, environment, experience_id)
        variant = VariantMetrics(
            variant_index=0,
            views=3,
            unique_viewers=2,
            clicks=1,
            hovers=0,
            view_duration_ms=1500,
            hover_duration_ms=0,
        )
        return ExperienceMetrics(experience_id=experience_id, since_ms=1, variants=[variant])

    async def erase(self, organization: str, environment: str, profile_id: str) -> None:
        """Note the removal."""
        self._note("erase", profile_id)


def scope_of(method: str, raw_path: str | bytes, **members: Any) -> dict[str, Any]:
    """Return the scope of a request as a server would build it."""
    raw = raw_path if isinstance(raw_path, bytes) else raw_path.encode()
    return {
        "type": "http",
        "method": method,
        "path": raw.decode("ascii", "replace"),
        "raw_path": raw,
        "query_string": b"",
        "headers": [],
        **members,
    }


def serve(
    app: ASGIApp, scope: dict[str, Any], incoming: Sequence[Message] = ({"type": "http.request"},)
) -> list[Message]:
    """Run an application over one scope; return the messages that it sends."""
    messages = iter(incoming)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return sent


def header_of(message: Message, name: str) -> str:
    """Return a header of a response's first message; there may be only one of a name."""
    values = [value for key, value in message["headers"] if key == name.encode()]
    assert len(values) <= 1
    return values[0].decode() if values else ""
