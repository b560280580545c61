"""Generated rules, profiles and events: few names and odd values, so that they often meet."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from edgewise.attributes import CAMPAIGN_MEMBERS, EVENT_SOURCES, LOCATION_MEMBERS, PROFILE_SOURCES
from edgewise.audiences.building import Builder
from edgewise.audiences.passes import simplify
from edgewise.model.audience import All, Attribute, Audience, Constant, Node, Not
from edgewise.model.audience import Any as AnyOf
from edgewise.model.event import Campaign, Context, Event, Page
from edgewise.model.profile import Location, Profile, Session
from edgewise.operators import COUNT_OPERATORS, OPERATORS, Operator
from edgewise.parsing import FaultList

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000

KEYS = ("k", "a.b", "a", "plan", "'\"\n#")
TEXTS = (
    *("", " ", "*", "a", "b", "ab", "a,b", "true", "false", "null", "NaN", "Infinity", "/a", "é"),
    *("42", "042", " 7 ", "7", "1e3", "1000", "0", "-0", "0.1", ".1", "1.", "0x10", "1_000", "٤٢"),
    *("2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T12:00:00+02:00", "2026-13-01", "20260131"),
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

texts = st.sampled_from(TEXTS)
any_texts = st.sampled_from((*TEXTS, *BROKEN_TEXTS))
numbers = st.sampled_from((*NUMBERS, *range(-3, 10)))
scalars = st.sampled_from((*SCALARS, *BROKEN_TEXTS))
json_values = st.sampled_from((*SCALARS, *BROKEN_TEXTS, *NESTED))
made_up = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
json_maps = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, json_values))

_OPERANDS: dict[str, st.SearchStrategy[Any]] = {
    "value": texts | numbers | st.booleans(),
    "text": texts | numbers,
    "number": numbers | texts,
    "time": texts,
    "values": st.lists(texts | numbers, max_size=3),
    "regex": st.sampled_from(REGEXES),
    "none": st.booleans(),
}
_SINGLE_KEY = {
    "location": tuple(LOCATION_MEMBERS),
    "campaign": CAMPAIGN_MEMBERS,
    **dict.fromkeys(("trait", "query", "property"), KEYS),
}


def _attributes(sources: list[str]) -> st.SearchStrategy[Attribute]:
    pairs = [Attribute(source, key) for source in sources for key in _SINGLE_KEY.get(source, ("",))]
    return st.sampled_from(pairs)


profile_attributes = _attributes(list(PROFILE_SOURCES))
event_attributes = _attributes([name for name in EVENT_SOURCES if name != "event_type"])


@st.composite
def conditions(draw: st.DrawFn, attributes: st.SearchStrategy[Attribute], builder: Builder) -> Node:
    """One condition, as both parsers make it of any operator and operand."""
    operator: Operator = draw(st.sampled_from(OPERATORS))
    operand = draw(_OPERANDS[operator.operand])
    return builder.condition(draw(attributes), operator, operand, draw(st.sampled_from(KEYS)))


@st.composite
def counts(draw: st.DrawFn, builder: Builder) -> Node:
    """One count of page or track events, with or without a window."""
    where = [builder.event_is(draw(st.sampled_from(("page", "track"))), "/type")]
    where += draw(st.lists(conditions(event_attributes, builder), max_size=2))
    operator = draw(st.sampled_from(COUNT_OPERATORS))
    count = draw(st.integers(0, 3))
    return builder.count(where, operator, count, draw(st.sampled_from((0, 0, 1, 7))), "/page")


@st.composite
def nodes(draw: st.DrawFn, leaves: st.SearchStrategy[Node], levels: int = 3) -> Node:
    """Trees over some leaves, with constants, repetitions and empty lists in them."""
    kind = draw(st.sampled_from("leaf leaf leaf all any not constant".split()))
    if kind == "leaf" or not levels:
        return draw(leaves)
    if kind == "constant":
        return Constant(draw(st.booleans()))
    inner = nodes(leaves, levels - 1)
    if kind == "not":
        return Not(draw(inner))
    children = tuple(draw(inner) for _ in range(draw(st.sampled_from((2, 3, 2, 1, 0)))))
    return All(children) if kind == "all" else AnyOf(children)


def profile_trees(*, missing_negated: bool = True) -> st.SearchStrategy[Node]:
    """Trees over a profile, not simplified."""
    return _PROFILE_TREES[missing_negated]


def event_trees() -> st.SearchStrategy[Node]:
    """Trees over an event, not simplified."""
    return nodes(conditions(event_attributes, Builder(FaultList(), strict=False)))


def _make_profile_trees(*, missing_negated: bool) -> st.SearchStrategy[Node]:
    builder = Builder(FaultList(), strict=False, missing_negated=missing_negated)
    condition = conditions(profile_attributes, builder)
    return nodes(st.one_of(condition, condition, condition, counts(builder)))


_PROFILE_TREES = {flag: _make_profile_trees(missing_negated=flag) for flag in (True, False)}


@st.composite
def audience_lists(draw: st.DrawFn) -> list[Audience]:
    """A few audiences with simplified trees."""
    trees = draw(
        st.lists(profile_trees(missing_negated=draw(st.booleans())), min_size=1, max_size=2)
    )
    return [Audience(id=f"a{i}", tree=simplify(tree)) for i, tree in enumerate(trees)]


@st.composite
def profiles(draw: st.DrawFn, matcher_ids: tuple[int, ...] = ()) -> Profile:
    """A profile with tallies for some matchers."""
    short = st.none() | any_texts
    return Profile(
        organization="o",
        environment="e",
        id="p",
        stable_id="p",
        created_ms=0,
        traits=draw(json_maps),
        location=Location(
            city=draw(short), country_code=draw(short), region=draw(short), timezone=draw(short)
        ),
        device=draw(st.sampled_from(("unknown", "desktop", "a"))),
        session=Session(count=draw(st.sampled_from((0, 1, 2, 7, 42)))),
        counts={id_: draw(st.integers(0, 4)) for id_ in matcher_ids if draw(st.booleans())},
        recent={
            id_: sorted(draw(st.lists(st.sampled_from(TIMES_MS), max_size=3)))
            for id_ in matcher_ids
            if draw(st.booleans())
        },
    )


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event of which anything may be missing."""
    short = st.none() | any_texts
    page = Page(path=draw(short), url=draw(short), referrer=draw(short), query=draw(json_maps))
    campaign = Campaign(name=draw(short), source=draw(short))
    context = Context(
        page=draw(st.sampled_from((page, None))), campaign=draw(st.sampled_from((campaign, None)))
    )
    return Event(
        type=draw(st.sampled_from(("page", "track", "identify"))),
        context=draw(st.sampled_from((context, context, None))),
        event=draw(short),
        properties=draw(st.none() | json_maps),
    )


def copy_of(profile: Profile) -> Profile:
    """Return an independent profile of the same content."""
    return msgspec.structs.replace(profile, counts={**profile.counts}, recent={**profile.recent})
