"""The rules and events of W_event: a site whose sections are each asked for by the same 25 rules.

20 of them count page views and hold for any page of their section, 5 count purchases. A larger
ruleset has more sections, so that an event satisfies 20 matchers whatever the size.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec

from benchmarks.plain import NOW_MS, hex_id
from edgewise.model.event import Event, ReceivedEvent

HITS_PER_EVENT = 20
TRACKS_PER_SECTION = 5
RULES_PER_SECTION = HITS_PER_EVENT + TRACKS_PER_SECTION
COUNTS = (1, 2, 3, 5, 10)
WINDOWS = (0, 0, 1, 7, 30, 90)
DAY_MS = 24 * 60 * 60 * 1000


def section_rules(section: str) -> list[dict[str, Any]]:
    """What a section of a site is asked for: 20 rules that any of its pages satisfies."""
    wheres: tuple[dict[str, Any], ...] = (
        {"path": {"starts with": f"/{section}/"}},
        {"path": {"contains": f"{section}/item"}},
        {"url": {"contains": f"example.com/{section}"}},
        {"url": {"matches": f"/{section}/item-[0-9]+"}},
        {"query": {"category": section}},
        {"utm campaign": f"sale-{section}"},
        {"property": {"category": section}},
        {"referrer": {"ends with": f"/{section}"}},
        {"path": {"starts with": f"/{section}"}, "query": {"category": [section, "all"]}},
        {"url": {"contains": section}, "utm source": {"does not equal": "partner"}},
    )
    rules = []
    for number in range(HITS_PER_EVENT):
        window = WINDOWS[number % len(WINDOWS)] if number < len(wheres) else 1 + number
        rule = {
            "has viewed page": wheres[number % len(wheres)],
            "at least": COUNTS[number % len(COUNTS)],
        }
        rules.append(rule | ({"within": f"{window} days"} if window else {}))
    rules += [
        {
            "has performed event": f"buy-{section}",
            "where": {"property": {"amount": {"greater than": 10 * number}}},
            "at least": 1 + number,
        }
        for number in range(TRACKS_PER_SECTION)
    ]
    return rules


def section_page(section: str, chance: random.Random) -> dict[str, Any]:
    """Return a view of one of the pages of a section, as a client sends it."""
    path = f"/{section}/item-{chance.randrange(1000)}"
    return {
        "type": "page",
        "messageId": hex_id(chance),
        "properties": {"category": section, "title": f"Item of {section}"},
        "context": {
            "campaign": {"name": f"sale-{section}", "source": "newsletter"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120",
            "page": {
                "path": path,
                "url": f"https://www.example.com{path}?category={section}",
                "query": {"category": section},
                "referrer": f"https://www.example.com/{section}",
                "search": f"?category={section}",
            },
        },
    }


def received(event: dict[str, Any], time_ms: int = NOW_MS) -> ReceivedEvent:
    """Return an event as the engine folds it."""
    raw = msgspec.json.encode(event)
    decoded = msgspec.json.decode(raw, type=Event)
    key = int(event["messageId"][:16], 16)
    return ReceivedEvent(event=decoded, time_ms=time_ms, message_key=key, raw=raw)
