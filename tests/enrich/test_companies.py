"""A company is kept as it was found, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.enrich.companies import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_MEMBERS,
    decode_company,
    encode_company,
)
from edgewise.enrich.provider import ProviderFault
from tests.enrich.albacross_api import COMPANY

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abé\0", max_size=3), inner)
    ),
    max_leaves=20,
)


def nested(depth: int) -> dict[str, Any]:
    """Objects in each other."""
    return {"in": nested(depth - 1)} if depth > 1 else {}


def test_a_company_comes_back() -> None:
    """Names, numbers, nulls and nested objects are as they were, and belong to who reads them."""
    data = encode_company(COMPANY)
    assert decode_company(data) == COMPANY
    assert decode_company(data)["address"] is not decode_company(data)["address"]


@given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=4))
def test_any_object_comes_back_or_is_refused(company: dict[str, Any]) -> None:
    """Nothing is changed on the way, and nothing but a ProviderFault is raised."""
    try:
        data = encode_company(company)
    except ProviderFault:
        return
    assert decode_company(data) == company


@pytest.mark.parametrize(
    ("company", "problem"),
    [
        pytest.param(["SE"], "no object", id="list"),
        pytest.param("SE", "no object", id="text"),
        pytest.param({"a": float("nan")}, "cannot", id="nan"),
        pytest.param({"a": [float("-inf")]}, "cannot", id="infinity"),
        pytest.param({"a": 2**64}, "cannot", id="integer-above"),
        pytest.param({"a": -(2**63) - 1}, "cannot", id="integer-below"),
        pytest.param({"a": {1: "b"}}, "cannot", id="key-that-is-no-text"),
        pytest.param({"a": b"b"}, "cannot", id="bytes"),
        pytest.param({"a": {"b", "c"}}, "cannot", id="set"),
        pytest.param({"a": "\ud83d"}, "surrogate", id="half-a-pair"),
        pytest.param({"\ud83d": 1}, "surrogate", id="half-a-pair-as-key"),
        pytest.param(nested(MAX_DEPTH + 1), "deeper", id="deep"),
        pytest.param({"a": [0] * MAX_MEMBERS}, "members", id="many"),
        pytest.param({"a": "b" * MAX_BYTES}, "bytes", id="large"),
    ],
)
def test_what_a_profile_cannot_hold_is_refused(company: Any, problem: str) -> None:
    """The fault says what is wrong with it, and shows nothing of it."""
    with pytest.raises(ProviderFault, match=problem) as refused:
        encode_company(company)
    assert refused.value.pause_s == 0


def test_limits_themselves_are_kept() -> None:
    """As deep and as many as there may be is fine."""
    for company in (nested(MAX_DEPTH), {"a": [0] * (MAX_MEMBERS - 1)}, {"a": 2**64 - 1}):
        assert decode_company(encode_company(company)) == company
