"""An explanation as people read it on a terminal: one tree per audience, one line per reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from rich.text import Text
from rich.tree import Tree

from edgewise.audiences.explain import ExplainedCondition
from edgewise.commands.console import OutputConsole
from edgewise.explaining import ExplainedAudience, ExplainedExperience, Explanation
from edgewise.printable import printable
from edgewise.values import time_text

_PASS: Final = ("✓ ", "green")
_FAIL: Final = ("✗ ", "red")


def print_explanation(explanation: Explanation, basis: str, notes: Sequence[str] = ()) -> None:
    """Print an explanation to standard output, in colours where that is a terminal.

    Args:
        basis: why it is as of its time.
        notes: what the reader should know of it, a line each.
    """
    console = OutputConsole()
    place = f"{explanation.organization}/{explanation.environment}"
    console.print(
        _text(f"{explanation.profile_id} in {place}, ruleset {explanation.ruleset}", "bold")
    )
    console.print(_text(f"as of {time_text(explanation.now_ms)}, {basis}", "bold"))
    for note in notes:
        console.print(_text(note, "yellow"))
    console.print(Text("\nAudiences", style="bold"))
    for audience in explanation.audiences:
        console.print(_audience(audience))
    console.print(Text("\nExperiences", style="bold"))
    for experience in explanation.experiences:
        console.print(_experience(experience))
    shown = {audience.id for audience in explanation.audiences}
    others = [fault for fault in explanation.set_aside if fault.audience_id not in shown]
    if others:
        console.print(Text("\nSet aside", style="bold"))
    for fault in others:
        owner = fault.experience_id or fault.audience_id
        head = _text(f"{owner}  " if owner else "", "bold")
        console.print(Text.assemble(_FAIL, head, (str(fault), "yellow")))


def _audience(audience: ExplainedAudience) -> Tree:
    head = Text.assemble(_PASS if audience.holds else _FAIL, _text(audience.id, "bold"))
    if audience.name:
        head.append(_text(f"  {audience.name}", "dim"))
    tree = Tree(head, guide_style="dim")
    if audience.fault:
        tree.add(_text(f"set aside: {audience.fault}", "yellow"))
    else:
        _add(tree, audience.condition)
    return tree


def _add(tree: Tree, condition: ExplainedCondition) -> None:
    line = Text.assemble(_PASS if condition.holds else _FAIL, _text(condition.text))
    if condition.seen is not msgspec.UNSET:
        seen = "nothing" if condition.seen is None else _json(condition.seen)
        line.append(_text(f"  saw {seen}", "cyan"))
    if condition.origin:
        line.append(_text(f"  {_place(condition)}", "dim"))
    branch = tree.add(line)
    if condition.nearest:
        branch.add(_text(condition.nearest, "dim"))
    for child in condition.children:
        _add(branch, child)


def _place(condition: ExplainedCondition) -> str:
    if not condition.line:
        return condition.origin
    return f"{condition.origin.partition('#')[0]}:{condition.line}"


def _experience(experience: ExplainedExperience) -> Text:
    index = experience.variant_index
    line = Text.assemble(_FAIL if index is None else _PASS, _text(experience.id, "bold"))
    line.append("  " + ("not shown" if index is None else f"variant {index}"))
    line.append(_text(f"  {experience.text}", "dim"))
    if experience.pinned_ms:
        seen = datetime.fromtimestamp(experience.pinned_ms / 1000, UTC)
        line.append(f", since {seen:%Y-%m-%d %H:%M} UTC", "dim")
    return line


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _text(text: str, style: str = "") -> Text:
    """What rules and visitors call themselves must do nothing to a terminal."""
    return Text(printable(text), style)
