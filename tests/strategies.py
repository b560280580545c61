"""Generated rules, profiles and events: few names and odd values, so that they often meet.

Their parts are made once, by chance under a fixed seed, and what is drawn are positions in these
pools: a thousand draws then take a second, and counterexamples still shrink.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

from edgewise.attributes import CAMPAIGN_MEMBERS, EVENT_SOURCES, LOCATION_MEMBERS, PROFILE_SOURCES
from edgewise.audiences.building import Builder
from edgewise.audiences.evaluator import matchers_of
from edgewise.audiences.passes import simplify
from edgewise.model.audience import All, Attribute, Audience, Constant, Node, Not
from edgewise.model.audience import Any as AnyOf
from edgewise.model.event import Campaign, Context, Event, Page
from edgewise.model.profiles import Location, Profile, Session
from edgewise.operators import COUNT_OPERATORS, OPERATORS
from edgewise.parsing import FaultList

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000

KEYS = ("k", "a.b", "a", "plan", "'\"\n#")
TEXTS = (
    *("", " ", "*", "a", "b", "ab", "a,b", "true", "false", "null", "NaN", "Infinity", "/a", "é"),
    *("42", "042", " 7 ", "7", "1e3", "1000", "0", "-0", "0.1", ".1", "1.", "0x10", "1_000", "٤٢"),
    *("2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T12:00:00+02:00", "2026-13-01", "20260131"),
    *("9007199254740993", "9007199254740992"),
    *("x\u2028y", "a\0b", "😀", "a" * 70, "1" * 70),
)
NUMBERS: tuple[int | float, ...] = (
    *(0, 1, -1, 2, 7, 42, 1000, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 20260131),
    *(0.0, -0.0, 0.1, 42.0, 1.5, 1e3, 1e21, 1e-7, 1e300, 5e-324),
)
BEYOND: tuple[int | float, ...] = (2**70, -(10**400), float("nan"), float("inf"), float("-inf"))
REGEXES = ("a", "^a", "a$", "^$", ".", r"\d+", "(?i)A", "[a-c]+", r"\bx", "a|é", "^(a|b)*$", "\0")
TIMES_MS = (NOW_MS, NOW_MS - 1, NOW_MS - DAY_MS, NOW_MS - DAY_MS - 1, NOW_MS - 7 * DAY_MS, 0)

SCALARS: tuple[Any, ...] = (*TEXTS, *NUMBERS, *BEYOND, None, True, False)
# Half surrogate pairs: the decoder repairs them, an embedding caller may not.
BROKEN_TEXTS = ("\udc80", "a\udc80b", "\ud83d")
NESTED: tuple[Any, ...] = (
    *([], [""], [None], ["a"], ["a", "b"], ["a,b"], [42], ["42"], ["042", 7], [1, None, "b"]),
    *([True], [[]], [[1, "a"], 2], [{}], [{"b": 1}], [float("nan")], [2**70, "1e3"]),
    *({}, {"b": None}, {"b": "a"}, {"b": {"c": 42}}, {"b": [1]}, {"": 1}),
)

_CHANCE = Random(20260131)
_T = TypeVar("_T")


def _one(choices: Sequence[_T]) -> _T:
    return _CHANCE.choice(choices)


def _some(choices: Sequence[_T], most: int) -> list[_T]:
    return [_one(choices) for _ in range(_CHANCE.randint(0, most))]


# Rules.

ROWS = {row.name: row for row in OPERATORS}
ANY_TEXT = (*TEXTS, *BROKEN_TEXTS)
ANY_VALUE: tuple[Any, ...] = (*SCALARS, *BROKEN_TEXTS, *NESTED)
_SCALAR_OPERANDS = (*TEXTS, *NUMBERS, True, False)
OPERANDS: dict[str, list[Any]] = {
    "value": [*_SCALAR_OPERANDS],
    "text": [*TEXTS, *NUMBERS],
    "number": [*NUMBERS, *TEXTS],
    "time": [*TEXTS],
    "values": [_some(_SCALAR_OPERANDS, 3) for _ in range(60)],
    "regex": [*REGEXES],
    "none": [True, False],
}
_KEYS_OF: dict[str, Sequence[str]] = {
    "location": tuple(LOCATION_MEMBERS),
    "campaign": CAMPAIGN_MEMBERS,
    **dict.fromkeys(("trait", "query", "property"), KEYS),
}
_BUILDERS = [
    Builder(FaultList(), strict=False, missing_negated=missing_negated)
    for missing_negated in (True, True, False)
]


def _attribute(sources: Sequence[str]) -> Attribute:
    source = _one(sources)
    return Attribute(source, _one(_KEYS_OF.get(source, ("",))))


def _condition(sources: Sequence[str]) -> Node:
    """One condition, as both parsers make it of any operator and operand."""
    operator = _one(OPERATORS)
    operand = _one(OPERANDS[operator.operand])
    return _one(_BUILDERS).condition(_attribute(sources), operator, operand, _one(KEYS))


def _count() -> Node:
    """One count of page or track events, with or without a window."""
    builder = _BUILDERS[0]
    where = [builder.event_is(_one(("page", "track")), "/type"), *_some(EVENT_CONDITIONS, 2)]
    count, days = _CHANCE.randint(0, 3), _one((0, 0, 1, 7))
    return builder.count(where, _one(COUNT_OPERATORS), count, days, "/page")


# Traits meet most, for they hold any value; conditions that nothing can satisfy teach little.
_PROFILE_SOURCES = ("trait", "trait", "trait", *PROFILE_SOURCES)
_EVENT_SOURCES = [name for name in EVENT_SOURCES if name != "event_type"]
PROFILE_CONDITIONS = [_condition(_PROFILE_SOURCES) for _ in range(1500)]
EVENT_CONDITIONS = [_condition(_EVENT_SOURCES) for _ in range(1000)]
COUNTS = [_count() for _ in range(60)]
MATCHER_IDS = sorted({matcher.id for tree in COUNTS for matcher in matchers_of(tree)})


# Profiles and events.


def _json_map() -> dict[str, Any]:
    return {key: _one(ANY_VALUE) for key in (*KEYS, "other") if _CHANCE.random() < 0.6}


def _profile() -> Profile:
    short = (None, *ANY_TEXT)
    location: dict[str, Any] = {name: _one(short) for name in LOCATION_MEMBERS.values()}
    return Profile(
        organization="o",
        environment="e",
        id="p",
        stable_id="p",
        created_ms=0,
        traits=_json_map(),
        location=Location(**location),
        device=_one(("unknown", "desktop", "a")),
        session=Session(count=_one((0, 1, 2, 7, 42))),
        counts={id_: _CHANCE.randint(0, 4) for id_ in MATCHER_IDS if _CHANCE.random() < 0.5},
        recent={id_: sorted(_some(TIMES_MS, 4)) for id_ in MATCHER_IDS if _CHANCE.random() < 0.7},
    )


def _event() -> Event:
    """An event of which anything may be missing."""
    short = (None, *ANY_TEXT)
    names = ("path", "url", "referrer")
    page = Page(query=_json_map(), **{name: _one(short) for name in names})
    campaign = Campaign(**{name: _one(short) for name in CAMPAIGN_MEMBERS})
    context = Context(page=_one((page, page, None)), campaign=_one((campaign, campaign, None)))
    return Event(
        type=_one(("page", "track", "identify")),
        context=_one((context, context, context, None)),
        event=_one(short),
        properties=_one((_json_map(), None)),
    )


profiles = st.sampled_from([_profile() for _ in range(400)])
events = st.sampled_from([_event() for _ in range(400)])
made_up = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


# Trees.


@st.composite
def _trees(draw: st.DrawFn, leaves: st.SearchStrategy[Node], levels: int = 3) -> Node:
    kind = draw(st.sampled_from(_KINDS))
    if kind == "leaf" or not levels:
        return draw(leaves)
    if kind == "constant":
        return Constant(draw(st.booleans()))
    inner = _trees(leaves, levels - 1)
    if kind == "not":
        return Not(draw(inner))
    children = tuple(draw(inner) for _ in range(draw(st.sampled_from((2, 3, 2, 1, 0)))))
    return All(children) if kind == "all" else AnyOf(children)


_KINDS = "leaf leaf leaf all any not constant".split()

profile_trees = _trees(st.sampled_from([*PROFILE_CONDITIONS, *COUNTS * 8]))
event_trees = _trees(st.sampled_from(EVENT_CONDITIONS))
audience_lists = st.lists(profile_trees, min_size=1, max_size=3).map(
    lambda trees: [Audience(id=f"a{i}", tree=simplify(tree)) for i, tree in enumerate(trees)]
)
"""A few audiences; trees over a profile or an event come with constants and repetitions."""
