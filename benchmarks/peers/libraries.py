"""Which libraries are compared, and how far up their cost is bearable to measure."""

from __future__ import annotations

import msgspec


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """One library.

    Args:
        name: of its adapter `bench_<name>`, its requirements and its environment.
        label: the distribution's name.
        title: what people call it.
        splits: whether it has experiments of its own; otherwise the engine's hash splits, and
            variants must be equal too.
        sizes: the numbers of audiences it is timed with.
    """

    name: str
    label: str
    title: str
    splits: bool = True
    sizes: tuple[int, ...] = (10, 100, 1_000)


LIBRARIES = (
    Library(
        name="datalogic",
        label="datalogic-py",
        title="datalogic-py",
        splits=False,
        sizes=(10, 100, 1_000, 5_000),
    ),
    Library(name="eppo", label="eppo-server-sdk", title="Eppo SDK", sizes=(10, 100, 1_000, 5_000)),
    Library(name="statsig", label="statsig-python-core", title="Statsig core"),
    Library(name="posthog", label="posthog", title="PostHog"),
    Library(name="flagsmith", label="flagsmith-flag-engine", title="Flagsmith engine"),
    Library(name="launchdarkly", label="launchdarkly-server-sdk", title="LaunchDarkly SDK"),
    Library(name="growthbook", label="growthbook", title="GrowthBook"),
    Library(name="unleash", label="UnleashClient", title="UnleashClient"),
)


def library(name: str) -> Library:
    """Return a library by name.

    Errors: KeyError for an unknown name.
    """
    return {one.name: one for one in LIBRARIES}[name]
