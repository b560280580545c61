"""Where a condition counts too few events, an explanation tells what comes nearest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edgewise.audiences.explain import ExplainedCondition, explain_tree
from edgewise.decoding import decode_event
from edgewise.model.document import RuleDocument
from edgewise.model.event import TimedEvent
from edgewise.model.profiles import Profile
from edgewise.ruleset import load_ruleset
from edgewise.tallies import count_event
from tests.serving import event

DAY_MS = 86_400_000
NOW_MS = 1_793_534_400_000  # 2026-11-01T12:00:00Z


def page(path: str, days: float = 0, **properties: Any) -> TimedEvent:
    """A view of a page, so many days ago."""
    raw = event("page", context={"page": {"path": path}}, properties=properties)
    return decode_event(msgspec.json.encode(raw)), NOW_MS - int(days * DAY_MS)


def buy(name: str) -> TimedEvent:
    """Something that was performed under a name."""
    raw = event("track", event=name, properties={})
    return decode_event(msgspec.json.encode(raw)), NOW_MS


def explained(
    rule: dict[str, Any], events: list[TimedEvent] | None, counted: int = 0
) -> ExplainedCondition:
    """One condition of a profile with some events.

    Args:
        counted: how many events more were counted than these.
    """
    document = RuleDocument("rules.yaml", {"audiences": [{"id": "a", **rule}]})
    ruleset = load_ruleset("shop", "main", [document])
    evaluator = ruleset.evaluator
    profile = Profile(organization="shop", environment="main", id="p", stable_id="p", created_ms=0)
    for one, time_ms in events or ():
        for matcher in evaluator.match_event(one):
            count_event(profile, matcher, time_ms)
    for matcher in evaluator.matchers.values():
        for _ in range(counted):
            count_event(profile, matcher, NOW_MS)
    return explain_tree(ruleset.audiences[0].tree, profile, NOW_MS, events)


SALE = {"has viewed page": {"path": "/sale"}}
ADD = {"has performed event": "add_to_cart"}
HIKING = {"has viewed page": {"path": {"starts with": "/p/"}, "property": {"category": "hiking"}}}


@pytest.mark.parametrize(
    ("rule", "events", "nearest"),
    [
        pytest.param(SALE, [], "there are no views of pages", id="nothing"),
        pytest.param(SALE, [buy("sale")], "there are no views of pages", id="another type"),
        pytest.param(ADD, [page("/")], 'there are no events "add_to_cart"', id="no event"),
        pytest.param(
            ADD,
            [page("/"), buy("search"), buy("addToCart")],
            'there are no events "add_to_cart" (did you mean "addToCart"?)',
            id="another spelling",
        ),
        pytest.param(
            SALE,
            [page("/a", 2), page("/b", 1), page("/c", 3)],
            'views of pages that do not match: 3, the nearest with path "/b"',
            id="the newest",
        ),
        pytest.param(
            HIKING,
            [page("/", 1), page("/p/1", 3, category="climbing"), page("/p/2", 4), page("/", 2)],
            'views of pages that do not match: 4, the nearest with property category "climbing"',
            id="the fewest conditions fail",
        ),
        pytest.param(
            HIKING,
            [page("/")],
            "views of pages that do not match: 1, the nearest with"
            ' path "/" and no property category',
            id="two conditions fail",
        ),
        pytest.param(
            {"has viewed page": {"path": {"does not contain": "sale"}}},
            [page("/sale/1")],
            'views of pages that do not match: 1, the nearest with path "/sale/1"',
            id="a negative condition",
        ),
        pytest.param(
            {**SALE, "at least": "twice", "within": "7 days"},
            [page("/sale", 8), page("/sale", 7)],
            "older than 7 days: 1, the newest of 2026-10-24T12:00:00Z",
            id="the edge of a window counts",
        ),
        pytest.param(
            {**SALE, "within": "7 days"},
            [page("/sale", 9), page("/sale", 8.5), page("/", 1)],
            'views of pages that do not match: 1, the nearest with path "/";'
            " older than 7 days: 2, the newest of 2026-10-24",
            id="too old",
        ),
        pytest.param({**SALE, "at least": "twice"}, [page("/sale")], "", id="all count"),
        pytest.param(SALE, None, "", id="not known"),
        pytest.param({**SALE, "fewer than": "once"}, [], "", id="nothing may count"),
    ],
)
def test_the_nearest_events_are_told(
    rule: dict[str, Any], events: list[TimedEvent] | None, nearest: str
) -> None:
    """How many are alike, and the values of the one that fails the fewest conditions."""
    assert explained(rule, events).nearest == nearest


@pytest.mark.parametrize(
    ("count", "told"),
    [
        pytest.param({"exactly": "twice"}, False, id="too many"),
        pytest.param({"at most": "twice"}, False, id="more than allowed"),
        pytest.param({"at least": "3 times"}, False, id="enough"),
        pytest.param({"exactly": "4 times"}, True, id="fewer than exactly"),
        pytest.param({"more than": "3 times"}, True, id="not more"),
    ],
)
def test_only_counts_that_are_too_small_need_help(count: dict[str, str], told: bool) -> None:
    """A count that does, or that is too great, tells nothing more."""
    condition = explained({**SALE, **count}, [page("/")], counted=3)
    assert condition.seen == 3
    assert bool(condition.nearest) is told


def test_what_must_not_count_needs_no_help() -> None:
    """Below `none` nothing is said of events that do not count."""
    condition = explained({"none": [SALE], "any": [ADD, {"session count": 3}]}, [page("/")])
    found, pending = {}, [condition]
    while pending:
        one = pending.pop()
        pending += one.children
        if one.seen is not None and not one.children:
            found[one.text.partition(",")[0]] = one.nearest
    assert found == {
        'views of pages with path equals "/sale"': "",
        'events "add_to_cart"': 'there are no events "add_to_cart"',
        "session count equals 3": "",
    }


def test_what_a_visitor_sent_is_shown_short_and_with_escapes() -> None:
    """A value neither fills an explanation nor steers a terminal, and nor does a name."""
    found = explained(HIKING, [page("/p/1", category="\x9b" + "x" * 9_999)])
    assert r'with property category "\x9bxxx' in found.nearest
    assert found.nearest.endswith("x…")
    assert len(found.nearest) < 300
    found = explained(ADD, [buy("add_to_cart\x1b")])
    assert r'(did you mean "add_to_cart\x1b"?)' in found.nearest
