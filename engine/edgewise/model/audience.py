"""Condition trees: what both rule forms parse to, and what every evaluator reads.

A tree is made of `All`, `Any`, `Not` and `Constant` nodes over `Leaf`s. A leaf holds one test and
the place it was written at. Tests compare by meaning, leaves do not: the place is not part of it.
"""

from __future__ import annotations

import msgspec

Operand = str | int | float | None | tuple[str | int | float, ...]


class Attribute(msgspec.Struct, frozen=True, order=True):
    """What a test reads: a source and, where the source holds many values, a key.

    Shape: `source` is a name of `edgewise.attributes.SOURCES`; `key` is the trait, location
    member, query parameter or property name, or empty.
    """

    source: str
    key: str = ""


class Test(msgspec.Struct, frozen=True):
    """A condition on one attribute.

    Shape: `operator` is the name of a positive row of `edgewise.operators.OPERATORS`; negative
    ones parse to `Not`. The operand's type says how values compare: numbers as numbers, texts as
    texts, tuples member by member. Times are milliseconds since 1970.
    """

    __test__ = False

    attribute: Attribute
    operator: str
    operand: Operand = None


class Matcher(msgspec.Struct, frozen=True, weakref=True):
    """Which events count: a tree over one event, and how much of the past must be kept.

    Args:
        id: 64-bit digest of the meaning (tree, window, kept times); what the tallies are keyed by.
        tree: a condition tree over the event's attributes, the type and name of it included.
        window_ms: only events this young count; 0 is for ever.
        kept: how many of the newest times a record keeps; 0 without a window.
    """

    id: int
    tree: Node
    window_ms: int = 0
    kept: int = 0


class CountTest(msgspec.Struct, frozen=True):
    """A condition on how many events a matcher has counted."""

    matcher: Matcher
    operator: str
    count: int


class Leaf(msgspec.Struct, frozen=True, tag=True):
    """One test, and the JSON Pointer of the place where it was written."""

    test: Test | CountTest
    origin: str = ""


class Reference(msgspec.Struct, frozen=True, tag=True):
    """Another audience by id; linking replaces it by that audience's tree."""

    audience_id: str
    origin: str = ""


class Constant(msgspec.Struct, frozen=True, tag=True):
    """Always this value; what folding leaves of tests that cannot vary."""

    value: bool


class Not(msgspec.Struct, frozen=True, tag=True):
    """True where the child is false."""

    child: Node


class All(msgspec.Struct, frozen=True, tag=True):
    """True where every child is; true without children."""

    children: tuple[Node, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """True where one child is; false without children."""

    children: tuple[Node, ...]


Node = Leaf | Reference | Constant | Not | All | Any


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """A named rule over a profile.

    Args:
        tree: the condition tree after all passes; `Constant(False)` for a faulty audience.
        form: "native" or "nt_rules", the form it was written in.
        file, pointer: where it was written.
    """

    id: str
    tree: Node
    name: str = ""
    description: str = ""
    form: str = "native"
    file: str = ""
    pointer: str = ""
