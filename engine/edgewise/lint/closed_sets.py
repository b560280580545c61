"""Values of which only some can occur: codes of countries and continents, classes of devices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgewise.audiences.native import DEVICE_CLASSES
from edgewise.countries import COUNTRY_CODES
from edgewise.country_names import find_country
from edgewise.errors import Fault
from edgewise.lint.notes import Subject, all_tests, note, place_of, texts_of
from edgewise.lint.spaces import has_outer_space
from edgewise.model.audience import Attribute
from edgewise.operators import reference_test
from edgewise.parsing import closest

_CONTINENTS: Final = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
_COUNTRY: Final = Attribute("location", "countryCode")
_CONTINENT: Final = Attribute("location", "continent")
_DEVICE: Final = Attribute("device")
_SETS: Final = {
    _COUNTRY: ("country code (ISO 3166-1)", COUNTRY_CODES),
    _CONTINENT: ("code of a continent", frozenset(_CONTINENTS)),
    _DEVICE: ("class of a device", frozenset(DEVICE_CLASSES)),
}
_WHOLE: Final = ("equal", "in", "includes")
_PARTS: Final = ("contains", "startsWith", "endsWith")


def check_closed_sets(subject: Subject) -> Iterator[Fault]:
    """Warn of comparisons with what no visitor's country, continent or device is called."""
    for audience in subject.ruleset.audiences:
        for leaf, test in all_tests(audience.tree):
            if test.attribute not in _SETS or test.operator not in (*_WHOLE, *_PARTS):
                continue
            what, known = _SETS[test.attribute]
            holds = reference_test("equal" if test.operator in _WHOLE else test.operator)
            for text in texts_of(test):
                if has_outer_space(test, text):
                    continue
                if not any(holds(member, text) for member in known):
                    is_whole = test.operator in _WHOLE
                    message = f'"{text}" is no {what}' if is_whole else f'no {what} has "{text}"'
                    place = place_of(leaf.origin, audience.id)
                    yield note("impossible_value", place, message, _hint(test.attribute, text))


def _hint(attribute: Attribute, text: str) -> str:
    if attribute == _DEVICE:
        listed = f"one of {', '.join(DEVICE_CLASSES)}"
        return closest(text.strip(), DEVICE_CLASSES) or listed
    if attribute == _CONTINENT:
        listed = f"one of {', '.join(_CONTINENTS)}"
        return _write(_continent(text.strip())) or listed
    country = find_country(text)
    return _write(country.code if country else "") or 'codes are like "DE", in upper case'


def _write(code: str) -> str:
    return f'write "{code}"' if code else ""


def _continent(text: str) -> str:
    """The code that a name, or a code in other case, stands for."""
    names = {name.casefold(): code for code, name in _CONTINENTS.items()}
    codes = {code.casefold(): code for code in _CONTINENTS}
    return (names | codes).get(text.casefold(), "")
