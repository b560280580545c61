"""What an operator wants to know of the rules that are served and of the imports that wait."""

from __future__ import annotations

from typing import Any

from edgewise.ruleset import Ruleset
from edgewise.stores.import_queue import QueueState


def imports_health(queue: QueueState, unknown: int, now_ms: int) -> dict[str, Any]:
    """Return how many imports wait, and for how long.

    Args:
        unknown: how many events came for an environment that is not served.
    Units: `oldest_age_s` is how many seconds the oldest import has waited, 0 for none.
    """
    age_ms = now_ms - queue.oldest_ms if queue.waiting else 0
    return {
        "waiting": queue.waiting,
        "oldest_age_s": max(age_ms, 0) // 1000,
        "buried": queue.buried,
        "unknown_environment": unknown,
    }


def ruleset_health(ruleset: Ruleset) -> dict[str, Any]:
    """Return what of an environment is served, and what was set aside and why."""
    return {
        "ruleset": ruleset.digest,
        "audiences": len(ruleset.audiences),
        "experiences": len(ruleset.experiences),
        "set_aside": [
            {
                "audience": fault.audience_id,
                "experience": fault.experience_id,
                "code": fault.code,
                "reason": str(fault),
            }
            for fault in ruleset.set_aside
        ],
    }
