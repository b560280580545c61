"""Environments that are asked for and not served: told in the log, and seldom.

Anybody can make up names, so that neither the log nor the memory grows with how many they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from edgewise.parsing import nearest
from edgewise.printable import shortened

_LOG = logging.getLogger("edgewise.service")

MOST_TOLD = 20
PERIOD_MS = 60 * 60 * 1000
"""So many names are told in such a time, each of them once."""

_LONGEST_NAME = 80
_MOST_SERVED = 50


class Unserved:
    """Tells which environments are asked for in vain, and which ones there are."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()
        self._since_ms = 0

    def note(
        self, organization: str, environment: str, served: Iterable[tuple[str, str]], now_ms: int
    ) -> None:
        """Log that an environment was asked for, unless that was told a short while ago.

        Args:
            served: the environments that there are.
        """
        if not 0 <= now_ms - self._since_ms < PERIOD_MS:
            self._told.clear()
            self._since_ms = now_ms
        asked = (shortened(organization, _LONGEST_NAME), shortened(environment, _LONGEST_NAME))
        if asked in self._told or len(self._told) > MOST_TOLD:
            return
        self._told.add(asked)
        if len(self._told) > MOST_TOLD:
            _LOG.warning("More environments that are not served were asked for than are told.")
            return
        known = sorted("/".join(names) for names in served)
        name = "/".join(asked)
        meant = _meant(asked, served)
        # As a literal: what anybody may send must not look like another line of the log.
        _LOG.warning(
            "The environment %r was asked for, and is not served%s; served: %s",
            name,
            f" ({meant})" if meant else "",
            _listed(known),
        )


def _meant(asked: tuple[str, str], served: Iterable[tuple[str, str]]) -> str:
    """The environment that may be meant: part by part, for a common part makes no names alike."""
    names: dict[str, list[str]] = {}
    for organization, environment in served:
        names.setdefault(organization, []).append(environment)
    organization = nearest(asked[0], names)
    environment = nearest(asked[1], names.get(organization, ()))
    return f'did you mean "{organization}/{environment}"?' if environment else ""


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_SERVED
    return ", ".join(names[:_MOST_SERVED]) + (f" and {more} more" if more > 0 else "")
