"""W_request: complete updates of known profiles, as a browser sends them.

Every body is one page event of a kilobyte with a message id of its own. The profiles have been
here before: each has a session and a few events, and the traits that its ruleset asks for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.plain import NOW_MS
from benchmarks.workloads import w, w_low
from edgewise.model.profiles import Profile
from edgewise.ruleset import Ruleset
from edgewise.sources.files import load_rules

DEMO_RULES = Path(__file__).parent.parent / "rules"
PROFILES = 2_000
BETWEEN_REQUESTS_MS = 20

_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/126.0.0.0 Safari/537.36"
)
_SEARCH = "?utm_source=newsletter&utm_campaign=autumn"
_PAGE = {
    "path": "/products/shoes/runner-7",
    "query": {"utm_source": "newsletter", "utm_campaign": "autumn"},
    "referrer": "https://www.example.com/",
    "search": _SEARCH,
    "url": f"https://shop.example.com/products/shoes/runner-7{_SEARCH}",
}


class Case(msgspec.Struct, frozen=True):
    """A ruleset and the profiles that are sent to it.

    Args:
        traits: what the profiles know about themselves, one entry per kind of visitor.
    """

    label: str
    ruleset: Ruleset
    traits: tuple[dict[str, object], ...] = ({},)

    def profiles(self, chance: random.Random) -> Iterator[Profile]:
        """Yield the profiles before their first event."""
        for number in range(PROFILES):
            profile_id = f"{chance.getrandbits(256):064x}"
            yield Profile(
                organization=self.ruleset.organization,
                environment=self.ruleset.environment,
                id=profile_id,
                stable_id=profile_id,
                created_ms=NOW_MS,
                traits=self.traits[number % len(self.traits)],
                matchers_digest=self.ruleset.evaluator.matchers_digest,
            )


def demo_case() -> Case:
    """Return the demo rules, with visitors that have said nothing about themselves."""
    return Case("demo rules", load_rules(DEMO_RULES)["demo", "main"])


def site_case(size: int) -> Case:
    """Return W(size): about 26 % of the audiences match."""
    workload = w(size)
    traits = tuple(visitor.attributes for visitor in workload.visitors)
    return Case(f"{size} audiences", workload.load(), traits)


def large_case() -> Case:
    """Return W_low(1,000), of whose audiences about 30 match."""
    workload = w_low(1000)
    traits = tuple(visitor.attributes for visitor in workload.visitors)
    return Case("1,000 audiences", workload.load(), traits)


def page_view(message_id: str, time_ms: int) -> bytes:
    """Return the body of an update with one page event, as the browser SDK builds it."""
    time = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    time = time.replace("+00:00", "Z")
    event = {
        "channel": "web",
        "context": {
            "library": {"name": "Ninetailed React Analytics SDK", "version": "7.26.0"},
            "userAgent": _AGENT,
            "campaign": {"source": "newsletter", "name": "autumn"},
            "locale": "de-DE",
            "page": _PAGE,
            "gdpr": {"isConsentGiven": True},
        },
        "messageId": message_id,
        "originalTimestamp": time,
        "timestamp": time,
        "sentAt": time,
        "type": "page",
        "properties": {**_PAGE, "category": "shoes", "title": "Runner 7"},
    }
    body = {"events": [event], "options": {"features": ["ip-enrichment", "location"]}}
    return json.dumps(body, separators=(",", ":")).encode()


def message_id(chance: random.Random) -> str:
    """Return a new message id: 36 characters, as clients make them."""
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
