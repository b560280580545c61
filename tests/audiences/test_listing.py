"""Source for people: the functions of one audience, and what their constants stand for."""

from __future__ import annotations

from edgewise.audiences.listing import list_source
from tests.rules import audiences_of, native

LISTED = """\
def audience(profile, now_ms):
    location = profile.location
    counts = profile.counts
    return (
        (
            (location.country_code in _c0)  # shop.yaml#/audiences/0/is located at/country code
            and (counts.get(_c1, 0) >= _c2)  # shop.yaml#/audiences/0/has performed event
        )
    )

# matcher_0 counts events under _c1
def matcher_0(event):
    return (
        (
            (event.type == _c3)  # shop.yaml#/audiences/0/has performed event
            and (event.event == _c4)  # shop.yaml#/audiences/0/has performed event
        )
    )

_c0 = {'AT', 'DE'}
_c1 = 3856009696876297845
_c2 = 1
_c3 = 'track'
_c4 = 'order'"""


def test_listing() -> None:
    """An audience is shown with the matchers it counts with and a key to the constants."""
    [audience] = audiences_of(
        native(is_located_at={"country code": ["DE", "AT"]}, has_performed_event="order")
    )
    assert list_source(audience.tree) == LISTED


def test_shared_matcher_is_listed_once() -> None:
    """A matcher that two counts share is shown once."""
    [audience] = audiences_of(native(any=[{"has viewed page": "*", "exactly": n} for n in (1, 3)]))
    assert list_source(audience.tree).count("def matcher_") == 1
