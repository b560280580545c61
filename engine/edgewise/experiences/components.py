"""What both forms of experiences share: values of variables, and the longest component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from edgewise.model.experience import EntryReplacement, InlineVariable
from edgewise.parsing import FaultList, kind_of, quote_hint

Component = EntryReplacement | InlineVariable

PERSONALIZATION: Final = "nt_personalization"
EXPERIMENT: Final = "nt_experiment"


def variant_count(components: Iterable[Component]) -> int:
    """Return the number of variants of the longest component, the baseline not counted."""
    return max((len(component.variants) for component in components), default=0)


def check_variable_value(value: Any, pointer: str, faults: FaultList) -> bool:
    """Return whether clients accept a value of a variable; add a fault for each part they do not.

    Source: clients reject a whole answer in which a change holds null or a list.
    """
    before = len(faults)
    if not isinstance(value, (str, bool, int, float, Mapping)):
        message = f"a variable's value cannot be {kind_of(value)}"
        hint = quote_hint(value) or "a text, number, boolean or object is possible"
        faults.at(pointer, "invalid_variable_value", message, hint)
    else:
        faults.json_value(value, pointer)
    return len(faults) == before
