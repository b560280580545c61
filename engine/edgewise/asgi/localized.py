"""Answers in the language that a request asks for; rules see English, whatever is answered."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from edgewise.locales import DEFAULT_LOCALE
from edgewise.model.decision import Outcome
from edgewise.translation import translated

_NO_NAMES: Mapping[str, str] = {}


def localized(outcome: Outcome, locale: str) -> Outcome:
    """Return an outcome whose profile has the names of its country and city in a language."""
    if locale == DEFAULT_LOCALE:
        return outcome
    profile = outcome.profile
    names = profile.by_address.city_names if profile.by_address else _NO_NAMES
    location = translated(profile.location, names, locale)
    if location is profile.location:
        return outcome
    profile = msgspec.structs.replace(profile, location=location)
    return Outcome(profile, outcome.decision, outcome.ruleset, outcome.json)
