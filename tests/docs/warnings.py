"""Every warning of the checks, with rules that have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import yaml

from edgewise.errors import Fault
from edgewise.lint.linting import lint
from edgewise.lint.notes import Subject
from edgewise.model.document import RuleDocument, UnreadFile
from edgewise.ruleset import load_ruleset


class WarningExample(NamedTuple):
    """Rules that have a warning, the entries that their space has, if it is known, and files that
    lie beside them unread."""

    rules: str
    entry_ids: frozenset[str] = frozenset()
    unread: tuple[UnreadFile, ...] = ()


def warnings_of(
    rules: str, entry_ids: frozenset[str] = frozenset(), unread: Sequence[UnreadFile] = ()
) -> Sequence[Fault]:
    """Every warning about some rules; each YAML document of the text stands for a file."""
    documents = [
        RuleDocument("shop.yaml", content, entry_ids=entry_ids)
        for content in yaml.safe_load_all(rules)
    ]
    return lint(Subject(load_ruleset("shop", "main", documents), documents, unread))


def audience(rule: str) -> str:
    """An audience, and an experience that is for it."""
    return (
        f"audiences: [{{id: a, {rule}}}]\n"
        "experiences: [{id: e, audience: a, components: [{entry: hero, variants: [other]}]}]"
    )


def experience(members: str, components: str = "{entry: hero, variants: [other]}") -> str:
    """An experience for everyone."""
    return f"experiences: [{{id: e, {members}components: [{components}]}}]"


def two(first: str, second: str, audiences: str = "") -> str:
    """Two experiences, and the audiences that they need."""
    return f"{audiences}experiences: [{{id: a, {first}}}, {{id: b, {second}}}]"


def app_rule(rule: str) -> str:
    """An app-written audience with one rule, and an experience that is for it."""
    return audience(f"nt_rules: {{any: [{{all: [{{{rule}}}]}}]}}")


HERO = "components: [{entry: hero, variants: [other]}]"
VARIABLE = "components: [{variable: v, baseline: x, variants: [y]}]"

WARNINGS: dict[str, WarningExample] = {
    "always_matches": WarningExample(
        audience("any: [{has trait: vip}, {none: [{has trait: vip}]}]")
    ),
    "bare_referrer": WarningExample(audience("has viewed page: {referrer: google.com}")),
    "distribution_not_one": WarningExample(experience("distribution: [0.5, 0.25], ")),
    "duplicate_variable": WarningExample(two(VARIABLE, VARIABLE)),
    "entry_missing": WarningExample(experience(""), frozenset({"hero"})),
    "impossible_value": WarningExample(audience("is located at: {country code: UK}")),
    "literal_star": WarningExample(audience("has viewed page: {path: /blog/*}")),
    "misplaced_file": WarningExample(
        audience("has trait: vip"),
        unread=(UnreadFile("rules/shop/main/old/sale.yaml", "rules/shop/main"),),
    ),
    "never_matches": WarningExample(audience("has trait: {age: {more than: 5, less than: 3}}")),
    "no_rules": WarningExample("audiences:"),
    "numeric_count": WarningExample(app_rule("type: track, value: buy, count: 1, key: null")),
    "outer_space": WarningExample(audience("has trait: {plan: 'gold '}")),
    "path_with_query": WarningExample(audience("has viewed page: {path: '/sale?page=2'}")),
    "path_without_slash": WarningExample(audience("has viewed page: {path: sale}")),
    "shadowed_experience": WarningExample(two(HERO, HERO)),
    "unknown_warning": WarningExample(
        f"accepted_warnings: {{unused_audiences: A site reads them.}}\n{audience('has trait: vip')}"
    ),
    "unreachable_variant": WarningExample(experience("distribution: [1, 0], ")),
    "unused_audience": WarningExample("audiences: [{id: a, has trait: vip}]"),
    "url_without_scheme": WarningExample(audience("has viewed page: {url: shop.example/sale}")),
}


def message_of_warning(code: str) -> str:
    """What the check says of the example of a code."""
    found = next(one for one in warnings_of(*WARNINGS[code]) if one.code == code)
    return f"{found.message} ({found.hint})" if found.hint else found.message
