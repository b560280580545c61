"""What countries and cities are called in the languages of visitors."""

from __future__ import annotations

import msgspec
import pytest
from babel import Locale
from hypothesis import assume, given
from hypothesis import strategies as st

from edgewise import translation
from edgewise.countries import COUNTRY_CODES
from edgewise.errors import InvalidData
from edgewise.locales import parse_locale
from edgewise.model.profiles import Location
from edgewise.translation import translated

MUNICH = Location(city="Munich", country="Germany", country_code="DE", region="Bavaria")
NAMES = {"de": "München", "es": "Múnich", "fr": "Munich", "pt-BR": "Munique", "zh-CN": "慕尼黑"}

_PARTS = st.sampled_from(
    ["de", "DE", "en", "zh", "pt", "sr", "no", "Hant", "Latn", "TW", "419", "1996", "u", "x", "ab"]
)
_SHAPED = st.lists(_PARTS, min_size=1, max_size=5).map("-".join)
_LOCALES = st.one_of(_SHAPED, st.from_regex(r"[a-z]{2,3}(-[A-Z]{2})?", fullmatch=True))
_TEXTS = st.one_of(st.none(), st.sampled_from(["Munich", "Germany", "x"]))
_CODES = st.one_of(st.none(), st.sampled_from([*sorted(COUNTRY_CODES), "XX", "", "de"]))
_CITY_NAMES = st.dictionaries(st.sampled_from([*NAMES, "zh", ""]), st.sampled_from(["", "a", "b"]))


def names_in(locale: str) -> tuple[str | None, str | None]:
    """The names of city and country in a language."""
    found = translated(MUNICH, NAMES, locale)
    return found.city, found.country


@pytest.mark.parametrize(
    ("locale", "city", "country"),
    [
        pytest.param("de", "München", "Deutschland", id="language"),
        pytest.param("de-AT", "München", "Deutschland", id="region"),
        pytest.param("DE-at", "München", "Deutschland", id="any-case"),
        pytest.param("de-CH-1996", "München", "Deutschland", id="variant"),
        pytest.param("de-u-co-phonebk", "München", "Deutschland", id="extension"),
        pytest.param("de-x-zh", "München", "Deutschland", id="private-use"),
        pytest.param("es-419", "Múnich", "Alemania", id="numeric-region"),
        pytest.param("pt-BR", "Munique", "Alemanha", id="names-by-region"),
        pytest.param("pt", "Munique", "Alemanha", id="usual-region"),
        pytest.param("zh", "慕尼黑", "德国", id="chinese"),
        pytest.param("zh-CN", "慕尼黑", "德国", id="chinese-of-china"),
        pytest.param("zh-Hans-SG", "慕尼黑", "德国", id="simplified"),
        pytest.param("zh-TW", "Munich", "德國", id="chinese-of-taiwan"),
        pytest.param("zh-Hant", "Munich", "德國", id="traditional"),
        pytest.param("zh-Hant-CN", "Munich", "德國", id="script-before-region"),
        pytest.param("sr", "Munich", "Немачка", id="cyrillic"),
        pytest.param("sr-Latn-RS", "Munich", "Nemačka", id="latin"),
        pytest.param("sr-ME", "Munich", "Nemačka", id="script-of-the-region"),
        pytest.param("no", "Munich", "Tyskland", id="older-tag"),
        pytest.param("iw", "Munich", "גרמניה", id="another-older-tag"),
        pytest.param("ja", "Munich", "ドイツ", id="no-name-of-the-city"),
    ],
)
def test_names(locale: str, city: str, country: str) -> None:
    """Names come from the most specific form of the language that has them."""
    assert names_in(locale) == (city, country)


def test_region_may_have_names_of_its_own() -> None:
    """Portugal calls some countries otherwise than Brazil does."""
    location = Location(country="Netherlands", country_code="NL")
    names = [translated(location, {}, locale).country for locale in ("pt-BR", "pt-PT")]
    assert names == ["Países Baixos", "Países Baixos"]
    location = Location(country="Vietnam", country_code="VN")
    names = [translated(location, {}, locale).country for locale in ("pt-BR", "pt-PT")]
    assert names == ["Vietnã", "Vietname"]


@pytest.mark.parametrize("locale", ["en", "EN", "en-US", "en-GB-oxendict", "en-x-de"])
def test_english_is_left_as_it_is(locale: str) -> None:
    """For any English the very same location comes back."""
    assert translated(MUNICH, {**NAMES, "en": "Munich of the database"}, locale) is MUNICH


@pytest.mark.parametrize("locale", ["xx", "tlh", "xx-DE", "aa", ""])
def test_unknown_language_leaves_english(locale: str) -> None:
    """A language without names of its own gets the English ones."""
    assert translated(MUNICH, {}, locale) is MUNICH


def test_city_has_names_where_the_country_has_none() -> None:
    """A database may know names in a language whose countries are not known."""
    assert translated(MUNICH, {"gsw": "Münche"}, "gsw").city == "Münche"


def test_other_members_stay() -> None:
    """Nothing but city and country has a language, and the location that was given stays."""
    found = translated(MUNICH, NAMES, "de")
    assert found == msgspec.structs.replace(MUNICH, city="München", country="Deutschland")
    assert MUNICH.city == "Munich"


def test_nothing_is_added() -> None:
    """What the location does not tell is not told in another language either."""
    location = Location(country_code="DE")
    assert translated(location, NAMES, "de") is location


def test_country_without_a_code_stays() -> None:
    """A country that a client only named cannot be translated."""
    location = Location(country="Germany")
    assert translated(location, {}, "de") is location


def test_name_counts_where_the_code_is_of_another_country() -> None:
    """A visitor who said one of both keeps the country that is told in English."""
    found = translated(Location(country="France", country_code="GB"), {}, "de")
    assert (found.country, found.country_code) == ("Frankreich", "GB")
    unknown = Location(country="The Isles", country_code="GB")
    assert translated(unknown, {}, "de").country == "Vereinigtes Königreich"


@pytest.mark.parametrize("name", sorted(translation._LOCALES))
def test_language_has_all_countries(name: str) -> None:
    """Each of the languages has a name for every country that may stand in a profile."""
    countries = Locale.parse(name).territories
    assert [code for code in sorted(COUNTRY_CODES) if not countries.get(code)] == []
    germany = translated(Location(country="x", country_code="DE"), {}, name.replace("_", "-"))
    assert germany.country == countries["DE"]


@given(_LOCALES, _TEXTS, _TEXTS, _CODES, _CITY_NAMES)
def test_no_tag_fails(
    locale: str, city: str | None, country: str | None, code: str | None, names: dict[str, str]
) -> None:
    """Any language tag gives a location with the same members, none of them empty."""
    try:
        parse_locale(locale)
    except InvalidData:
        assume(False)
    found = translated(
        Location(city=city, country=country, country_code=code or None), names, locale
    )
    assert (found.city is None, found.country is None) == (city is None, country is None)
    assert "" not in (found.city, found.country)
    assert found.country_code == (code or None)


def test_tags_take_bounded_memory() -> None:
    """However many tags visitors make up, no more languages are loaded than there are."""
    for number in range(3000):
        translated(MUNICH, {}, f"de-x-{number}")
    assert translation._language_of.cache_info().currsize <= 1024
    assert translation._countries_in.cache_info().currsize <= len(translation._LOCALES)
