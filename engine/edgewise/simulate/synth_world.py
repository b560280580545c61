"""The small world that synthetic visitors live in: places, devices, campaigns, pages, hours.

Everything fits the demo rules, so that each of their audiences has members and non-members.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Choice(Generic[T]):
    """Draws from options with whole weights.

    Cost: 0.1 µs; each option takes as many places of a table as it weighs.
    """

    def __init__(self, weights: Mapping[T, int]) -> None:
        self._table = [option for option, weight in weights.items() for _ in range(weight)]
        self._count = len(self._table)

    def draw(self, chance: Random) -> T:
        """Return one option."""
        return self._table[int(chance.random() * self._count)]


HOUR_WEIGHTS = (12, 7, 4, 3, 3, 6, 16, 30, 42, 48, 50, 51, 56, 52, 48, 47, 49, 54, 64, 76, 86, 80,
                56, 29)  # fmt: skip
"""How traffic spreads over the hours of a day, in UTC, for a shop in Europe."""

DAY_WEIGHTS = (100, 97, 96, 98, 102, 115, 130)
"""How traffic spreads over a week, from Monday."""

# Country code, country, continent, city.
PLACES = Choice(
    {
        ("DE", "Germany", "EU", "Berlin"): 24,
        ("DE", "Germany", "EU", "Munich"): 14,
        ("AT", "Austria", "EU", "Innsbruck"): 9,
        ("CH", "Switzerland", "EU", "Bern"): 9,
        ("FR", "France", "EU", "Lyon"): 8,
        ("GB", "United Kingdom", "EU", "Leeds"): 10,
        ("NL", "Netherlands", "EU", "Utrecht"): 7,
        ("NO", "Norway", "EU", "Oslo"): 4,
        ("US", "United States", "NA", "Denver"): 11,
        ("CA", "Canada", "NA", "Calgary"): 4,
    }
)

AGENTS = Choice(
    {
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/141.0.0.0 Safari/537.36": 26,
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/18.1 Safari/605.1.15": 14,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15"
        " (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1": 30,
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/141.0.0.0 Mobile Safari/537.36": 24,
        "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/18.1 Mobile/15E148 Safari/604.1": 6,
    }
)

# UTM source, medium, name, and referrer.
ARRIVALS = Choice(
    {
        ("", "", "", ""): 34,
        ("", "", "", "https://www.google.com/"): 26,
        ("", "", "", "https://www.bing.com/"): 4,
        ("newsletter", "email", "weekly", ""): 10,
        ("newsletter", "email", "spring-letter", ""): 5,
        ("partners", "display", "spring-ads", "https://trails.example/"): 7,
        ("social", "social", "summit-stories", "https://social.example/"): 10,
        ("search", "cpc", "brand", "https://www.google.com/"): 4,
    }
)

PATHS = Choice(
    {
        "/": 20,
        "/sale": 9,
        "/products/boots": 10,
        "/products/tents": 7,
        "/products/ropes": 6,
        "/products/jackets": 11,
        "/guides/packing": 6,
        "/pricing": 3,
        "/account": 4,
        "/cart": 8,
    }
)
# Category and price of what is for sale.
PRODUCTS = {
    "/products/boots": ("hiking", 139),
    "/products/tents": ("camping", 249),
    "/products/ropes": ("climbing", 79),
    "/products/jackets": ("hiking", 189),
}
TIERS = Choice({"": 70, "silver": 20, "gold": 10})
INTERESTS = ("hiking", "climbing", "camping", "running")
