"""Rules in a form that travels: read here, compiled in whichever process replays with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from edgewise.model.document import RuleDocument
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.files import find_environments, load_documents, load_rules

_COMPILED_AT_ONCE = 8


class RulesInput(msgspec.Struct, frozen=True):
    """The rule documents of some environments, by "organization/environment".

    Args:
        serial: what tells two inputs apart within a simulation: the digests of their rulesets.
    """

    serial: str
    documents: dict[str, list[RuleDocument]]

    def __hash__(self) -> int:
        return hash(self.serial)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RulesInput) and self.serial == other.serial


def read_rules(root: Path) -> RulesInput:
    """Return the rules of every environment below a folder.

    Errors: RulesError with every fault; rules that are faulty are not replayed.
    """
    rulesets = load_rules(root)
    documents = {
        f"{organization}/{environment}": load_documents(folder, root.parent)
        for organization, environment, folder in find_environments(root)
    }
    digests = [f"{'/'.join(key)}={ruleset.digest}" for key, ruleset in rulesets.items()]
    return RulesInput(f"{root} {' '.join(digests)}", documents)


def files_of_rules(rules: RulesInput, root: Path) -> Iterator[Path]:
    """Iterate over the files that rules were read from.

    Args:
        root: the folder that was given to `read_rules`.
    """
    for documents in rules.documents.values():
        yield from (root.parent / document.file for document in documents)


@lru_cache(maxsize=_COMPILED_AT_ONCE)
def compile_rules(rules: RulesInput) -> dict[str, Ruleset]:
    """Return the rulesets of some rules, by "organization/environment".

    Cost: compiles once per process, for the partitions that it replays one after the other.
    """
    rulesets = {}
    for environment, documents in rules.documents.items():
        organization, _, slug = environment.partition("/")
        rulesets[environment] = load_ruleset(organization, slug, documents)
    return rulesets
