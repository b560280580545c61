"""Seeded workloads: rules, profiles and events that every benchmark and every peer is given.

    W(N)        N audiences, each an OR of two ANDs of two or three conditions on distinct traits of
                twelve; about 26 % of them match a profile; an xxh3 experiment per audience
    W_low(N)    the same with narrow conditions; about 3 % match
    W_wide(N)   300 trait keys of which a profile has 20; over 500 different prefix, substring and
                regex operands at N = 1,000; about 1 % match
    W_event(N)  N page and track matchers with where-conditions, counts and windows; each event
                satisfies 20 of them, whatever N is

A workload holds the same twice: plain data for peers, and native documents with `Profile` and
`ReceivedEvent` Structs for the engine.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.plain import (
    NOW_MS,
    AudienceSpec,
    Condition,
    Visitor,
    Workload,
    hex_id,
    native_document,
    of_specs,
    profile_of,
)
from benchmarks.sections import DAY_MS, RULES_PER_SECTION, received, section_page, section_rules
from edgewise.fold import fold_events

SEED = 20_260_101

# --- W and W_low: twelve traits that every visitor has ----------------------------------------

PLANS = ("free", "starter", "pro", "team", "enterprise")
COUNTRIES = ("US", "DE", "FR", "GB", "NL", "ES", "IT", "SE", "PL", "BR", "IN", "JP")
CITIES = ("berlin", "paris", "london", "madrid", "rome", "oslo", "tokyo", "delhi", "lima", "wien")
UTM_SOURCES = ("google", "bing", "newsletter", "linkedin", "facebook", "direct", "partner")
UTM_MEDIA = ("cpc", "email", "social", "organic", "referral")
DEVICES = ("desktop", "mobile", "tablet")
SECTIONS = ("pricing", "blog", "docs", "product", "careers", "support", "checkout", "about")
DOMAINS = ("gmail.com", "outlook.com", "acme.com", "example.org", "uni.edu")
TAGS = ("vip", "beta", "trial", "churned", "partner", "student", "press", "internal")
SIZES = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000)


def visitor(chance: random.Random) -> Visitor:
    """Return a visitor of W: all twelve traits are present."""
    section, topic = chance.choice(SECTIONS), chance.choice(SECTIONS)
    path = f"/{section}/{topic}/{chance.randrange(100)}"
    return Visitor(
        hex_id(chance),
        {
            "plan": chance.choice(PLANS),
            "country": chance.choice(COUNTRIES),
            "city": chance.choice(CITIES),
            "utm_source": chance.choice(UTM_SOURCES),
            "utm_medium": chance.choice(UTM_MEDIA),
            "visits": chance.randrange(100),
            "returning": chance.random() < 0.5,
            "device": chance.choice(DEVICES),
            # One page in ten is archived, so that starting with a text differs from containing it.
            "page": f"/archive{path}" if chance.random() < 0.1 else path,
            "company": {"size": chance.choice(SIZES)},
            "email": f"u{chance.randrange(10_000)}@{chance.choice(DOMAINS)}",
            "tags": chance.sample(TAGS, chance.randrange(4)),
        },
    )


Maker = Callable[[random.Random], Condition]


def _broad(chance: random.Random) -> Condition:
    """A condition that holds for about half of the visitors."""
    pick = chance.choice
    return pick(
        (
            Condition("plan", "neq", pick(PLANS)),
            Condition("plan", "in", sorted(chance.sample(PLANS, 3))),
            Condition("country", "in", sorted(chance.sample(COUNTRIES, 6))),
            Condition("country", "neq", pick(COUNTRIES)),
            Condition("city", "neq", pick(CITIES)),
            Condition("city", "in", sorted(chance.sample(CITIES, 4))),
            Condition("utm_source", "in", sorted(chance.sample(UTM_SOURCES, 3))),
            Condition("utm_source", "neq", pick(UTM_SOURCES)),
            Condition("utm_medium", "eq", pick(UTM_MEDIA)),
            Condition("visits", "gt", chance.randrange(10, 90, 5)),
            Condition("returning", "eq", pick((True, False))),
            Condition("device", "eq", pick(DEVICES)),
            Condition("device", "in", sorted(chance.sample(DEVICES, 2))),
            Condition("page", "contains", f"/{pick(SECTIONS)}"),
            Condition("page", "prefix", f"/{pick(SECTIONS)}"),
            Condition("company.size", "gt", pick(SIZES[:-1])),
            Condition("email", "contains", f"@{pick(DOMAINS)}"),
            Condition("tags", "member", pick(TAGS)),
        )
    )


def _narrow(chance: random.Random) -> Condition:
    """A condition that holds for about a fifth of the visitors."""
    pick = chance.choice
    return pick(
        (
            Condition("plan", "eq", pick(PLANS)),
            Condition("country", "in", sorted(chance.sample(COUNTRIES, 3))),
            Condition("city", "eq", pick(CITIES)),
            Condition("utm_source", "eq", pick(UTM_SOURCES)),
            Condition("utm_medium", "eq", pick(UTM_MEDIA)),
            Condition("visits", "gt", chance.randrange(60, 95, 5)),
            Condition("device", "eq", pick(DEVICES)),
            Condition("returning", "eq", pick((True, False))),
            Condition("page", "contains", f"/{pick(SECTIONS)}"),
            Condition("page", "prefix", f"/{pick(SECTIONS)}"),
            Condition("company.size", "gt", pick(SIZES[5:-1])),
            Condition("email", "contains", f"@{pick(DOMAINS)}"),
            Condition("tags", "member", pick(TAGS)),
        )
    )


def _mixed(chance: random.Random) -> Condition:
    """Six broad conditions to one narrow one."""
    return _broad(chance) if chance.random() < 0.85 else _narrow(chance)


def _group(chance: random.Random, make: Maker, sizes: tuple[int, ...]) -> tuple[Condition, ...]:
    """Conditions on distinct attributes, as many as one of the sizes says."""
    wanted = chance.choice(sizes)
    group: dict[str, Condition] = {}
    while len(group) < wanted:
        condition = make(chance)
        group.setdefault(condition.attribute, condition)
    return tuple(group.values())


def _audiences(
    size: int, make_group: Callable[[random.Random], tuple[Condition, ...]], chance: random.Random
) -> tuple[AudienceSpec, ...]:
    return tuple(
        AudienceSpec(f"audience-{number:05}", (make_group(chance), make_group(chance)))
        for number in range(size)
    )


def w(size: int, profiles: int = 300) -> Workload:
    """Return W: about 26 % of the audiences match."""
    chance = random.Random(SEED + size)
    audiences = _audiences(size, lambda one: _group(one, _mixed, (2, 3)), chance)
    return of_specs("W", audiences, tuple(visitor(chance) for _ in range(profiles)))


def w_low(size: int, profiles: int = 300) -> Workload:
    """Return W_low: about 3 % of the audiences match."""
    chance = random.Random(SEED + size)
    audiences = _audiences(size, lambda one: _group(one, _narrow, (2, *[3] * 7)), chance)
    return of_specs("W_low", audiences, tuple(visitor(chance) for _ in range(profiles)))


# --- W_wide: many traits, few of them set -----------------------------------------------------

WIDE_KEYS = 300
WIDE_PRESENT = 20
WORDS = (
    "amber basil cedar delta ember fjord grove haven inlet jetty knoll larch maple north ocean "
    "pearl quartz ridge slate tulip umber vista willow xenon yarrow zephyr"
).split()


def _wide_value(number: int, chance: random.Random) -> Any:
    """A value of the kind that the trait with this number has."""
    if number < 200:
        first, second, third = chance.sample(WORDS, 3)
        return f"{first}-{second}-{third}-{chance.randrange(100)}"
    if number < 250:
        return chance.randrange(1000)
    if number < 275:
        return chance.random() < 0.5
    return chance.sample(WORDS, 3)


def _wide_condition(chance: random.Random) -> Condition:
    number = chance.randrange(WIDE_KEYS)
    key = f"trait_{number:03}"
    first, second = chance.sample(WORDS, 2)
    if number >= 275:
        return Condition(key, "member", first)
    if number >= 250:
        return Condition(key, "eq", chance.random() < 0.5)
    if number >= 200:
        return Condition(key, "gt", chance.randrange(1000))
    return chance.choice(
        (
            Condition(key, "prefix", first[: chance.randrange(1, 3)]),
            Condition(key, "prefix", f"{first}-{second}"),
            Condition(key, "contains", f"-{first[:3]}"),
            Condition(key, "contains", f"-{first}-{second[0]}"),
            Condition(key, "regex", f"-{first[0]}[a-z]+-{second[0]}"),
            Condition(key, "regex", f"^{first[0]}.*[{chance.randrange(5)}5-9]$"),
            Condition(key, "neq", f"{first}-{second}-pearl-7"),
        )
    )


def _wide_group(chance: random.Random) -> tuple[Condition, ...]:
    return _group(chance, _wide_condition, (2, 3))


def w_wide(size: int, profiles: int = 300) -> Workload:
    """Return W_wide: each visitor has 20 of the 300 traits that the audiences ask for."""
    chance = random.Random(SEED + size)
    visitors = tuple(
        Visitor(
            hex_id(chance),
            {
                f"trait_{number:03}": _wide_value(number, chance)
                for number in chance.sample(range(WIDE_KEYS), WIDE_PRESENT)
            },
        )
        for _ in range(profiles)
    )
    return of_specs("W_wide", _audiences(size, _wide_group, chance), visitors)


# --- W_event: rules that count events ---------------------------------------------------------


def w_event(size: int, profiles: int = 300) -> Workload:
    """Return W_event: one page event per profile, each of which has tallies of three sections."""
    chance = random.Random(SEED + size)
    # Names of one length: none of them occurs within another.
    sections = [f"part-{number:03}" for number in range(-(-size // RULES_PER_SECTION))]
    rules = [rule for section in sections for rule in section_rules(section)][:size]
    audiences = [{"id": f"audience-{number:05}", **rule} for number, rule in enumerate(rules)]
    workload = Workload(name="W_event", size=size, document=native_document(audiences), profiles=())
    ruleset = workload.load()
    pages = [received(section_page(chance.choice(sections), chance)) for _ in range(profiles)]
    visited = []
    for _ in range(profiles):
        profile = profile_of(Visitor(hex_id(chance), {}))
        for section in chance.sample(sections, min(3, len(sections))):
            past = received(section_page(section, chance), NOW_MS - chance.randrange(90) * DAY_MS)
            for _ in range(chance.randrange(1, 4)):
                fold_events(profile, [past], ruleset.fold_rules, past.time_ms)
        visited.append(profile)
    return msgspec.structs.replace(workload, profiles=tuple(visited), events=tuple(pages))
