"""What an operator is told."""

from __future__ import annotations

from edgewise.health import imports_health, ruleset_health
from edgewise.model.document import RuleDocument
from edgewise.ruleset import load_ruleset
from edgewise.stores.import_queue import QueueState


def test_the_oldest_import_has_an_age() -> None:
    """How long the oldest import waits is told in whole seconds, and never less than none."""
    state = QueueState(waiting=2, buried=1, oldest_ms=1_000)
    assert imports_health(state, 3, 9_900) == {
        "waiting": 2,
        "oldest_age_s": 8,
        "buried": 1,
        "unknown_environment": 3,
    }
    assert imports_health(state, 0, 500)["oldest_age_s"] == 0
    assert imports_health(QueueState(0, 0, 0), 0, 9_900)["oldest_age_s"] == 0


def test_what_was_set_aside_is_named() -> None:
    """Of an environment the numbers are told, and each faulty rule of an app with its reason."""
    rules = {"any": [{"all": [{"type": "nonsense"}]}]}
    tree = {"audiences": [{"id": "a", "name": "A", "nt_rules": rules}]}
    ruleset = load_ruleset("o", "e", [RuleDocument("rules.json", tree)])
    told = ruleset_health(ruleset)
    assert (told["ruleset"], told["audiences"], told["experiences"]) == (ruleset.digest, 1, 0)
    (fault,) = told["set_aside"]
    assert (fault["audience"], fault["experience"]) == ("a", "")
    assert "nonsense" in fault["reason"]
