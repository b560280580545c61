"""What the places of a location are called in the language of a visitor.

Countries have names in the languages below, from the Common Locale Data Repository; cities have
those that the database of locations came with. Without a name in a language, English stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import takewhile

import msgspec
from babel import Locale

from edgewise.country_names import find_country
from edgewise.model.profiles import Location

# Those with a name for every country. Only these are ever loaded, since each takes a megabyte of
# memory for good and a visitor may ask for any.
_LOCALES = frozenset(
    """
    af am ar as az be bg bn bs ca cs cy da de el es et eu fa fi fil fr fr_CA ga gl gu he hi hr hu
    hy id is it ja ka kk km kn ko ky lb lo lt lv mk ml mn mr ms mt my nb ne nl nn or pa pl ps pt
    pt_PT ro ru si sk sl sq sr sr_Latn sv sw ta te th tr uk ur uz vi zh zh_Hant zu
    """.split()
)
# Languages that have an older tag too, and regions where another script is written.
_OTHER_TAGS = {
    "in": "id",
    "iw": "he",
    "no": "nb",
    "tl": "fil",
    "sr_ME": "sr_Latn",
    "zh_HK": "zh_Hant",
    "zh_MO": "zh_Hant",
    "zh_TW": "zh_Hant",
}
# The form of a language that databases have names of cities in, by the locale of its countries.
_CITY_TAGS = {"pt": "pt-BR", "zh": "zh-CN"}


class _Language(msgspec.Struct, frozen=True):
    """The names of countries by their code, and the tags that a city's names may have."""

    countries: Mapping[str, str]
    city_tags: tuple[str, ...]


def translated(location: Location, city_names: Mapping[str, str], locale: str) -> Location:
    """Return a location with the names of its country and city in a language.

    The same location comes back for English, and where no name is known. What the location does
    not tell is not added.

    Args:
        city_names: by language tag, of the very city that the location tells.
        locale: a language tag; `de-AT` gets the names of `de`, an unknown language English ones.

    Cost: a few microseconds, and some milliseconds when a language is asked for the first time.
    Source: the client SDKs say that `locale` translates `location.city` and `location.country`.
    """
    language = _language_of(locale)
    if language is None:
        return location
    country, city = location.country, location.city
    if country is not None and location.country_code is not None:
        # What a visitor said lies on top of what was found, so the code may be another country's.
        named = find_country(country)
        code = named.code if named else location.country_code
        country = language.countries.get(code) or country
    if city is not None and city_names:
        city = next(filter(None, map(city_names.get, language.city_tags)), city)
    if country == location.country and city == location.city:
        return location
    return msgspec.structs.replace(location, country=country, city=city)


# Tags are a visitor's to choose, so only so many are kept.
@lru_cache(maxsize=1024)
def _language_of(locale: str) -> _Language | None:
    """The names for a tag; None where they are the English ones."""
    language, *others = locale.lower().split("-")
    if language == "en":
        return None
    language = _OTHER_TAGS.get(language, language)
    # Behind a single letter come extensions, which say nothing about the language.
    parts = list(takewhile(lambda part: len(part) > 1, others))
    scripts = [part.title() for part in parts if len(part) == 4 and part.isalpha()]
    regions = [part.upper() for part in parts if len(part) == 2]
    # What is written in a named script is so in every region.
    names = [*(f"{language}_{one}" for one in [*scripts, *regions][:1]), language]
    locales = (_OTHER_TAGS.get(name, name) for name in names)
    known = next((name for name in locales if name in _LOCALES), "")
    tags = (*(name.replace("_", "-") for name in names), _CITY_TAGS.get(known, language))
    return _Language(_countries_in(known) if known else {}, tags)


@cache
def _countries_in(name: str) -> Mapping[str, str]:
    """The names of all territories in one of the locales above."""
    return dict(Locale.parse(name).territories)
