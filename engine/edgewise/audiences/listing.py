"""Generated source as people read it: with the values that its constants stand for."""

from __future__ import annotations

from edgewise.audiences.compiler import Function, SourceWriter
from edgewise.audiences.evaluator import matchers_of
from edgewise.model.audience import Node


def list_source(tree: Node) -> str:
    """Return the source of an audience's predicate, of the matchers it counts with, and a key to
    their constants."""
    writer = SourceWriter()
    texts = [writer.function(Function("audience", tree))]
    for position, matcher in enumerate({one.id: one for one in matchers_of(tree)}.values()):
        name = f"matcher_{position}"
        texts.append(
            f"# {name} counts events under {writer.constant(matcher.id)}\n"
            + writer.function(Function(name, matcher.tree, "event"))
        )
    key = [f"{name} = {_shown(value)}" for name, value in writer.constants.items()]
    return "\n".join([*texts, *key])


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(repr, value)))}}}"
    return repr(value)
