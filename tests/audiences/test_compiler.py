"""Generated source: what it looks like, that it is the same each time, and that nothing gets in."""

from __future__ import annotations

import ast
import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewise.audiences.compiler import (
    HELPERS,
    Function,
    SourceWriter,
    compile_functions,
)
from edgewise.audiences.evaluator import matchers_of
from edgewise.audiences.runtime import Generated
from edgewise.model.audience import All, Attribute, Constant, Leaf, Node, Reference, Test
from edgewise.model.audience import Any as AnyOf
from edgewise.model.event import Event
from tests.rules import (
    NOW_MS,
    audiences_of,
    make_event,
    make_profile,
    native,
    nt_condition,
    nt_rule,
    nt_rules,
)

GOLDEN = Path(__file__).parents[1] / "golden"
# Set to write golden files anew; look at the difference before it is committed.
UPDATE = "EDGEWISE_UPDATE_GOLDEN" in os.environ


def compiled(*raws: Any) -> Generated:
    """The module of some audiences and of the matchers they count with."""
    audiences = audiences_of(*raws)
    matchers = {
        matcher.id: matcher for audience in audiences for matcher in matchers_of(audience.tree)
    }
    functions = [Function(f"audience_{i}", one.tree) for i, one in enumerate(audiences)]
    functions += [
        Function(f"matcher_{i}", one.tree, "event") for i, one in enumerate(matchers.values())
    ]
    return compile_functions(functions, "test")


def listed(generated: Generated) -> str:
    """Source with the values of its constants below."""
    constants = [f"# {name} = {shown(value)}" for name, value in generated.constants.items()]
    return "\n".join([generated.source, *constants, ""])


def shown(value: Any) -> str:
    """A constant without addresses and chance order."""
    if isinstance(value, frozenset):
        return f"frozenset({sorted(value)})"
    return repr(value) if isinstance(value, (str, int, float, tuple)) else type(value).__name__


GOLDEN_RULES: dict[str, list[Any]] = {
    "traits": [
        native(
            has_trait={
                "plan": "gold",
                "name": {"contains": "a", "starts with": "b", "does not equal": "c"},
                "code": {"matches": "^[A-Z]+$", "ends with": "Z"},
                "tier": ["gold", "silver"],
                "age": {"at least": 18, "less than": 65, "is not": 42},
                "lucky": [7, "x"],
                "tags": {"includes": "vip"},
                "since": {"before": "2026-01-31"},
                "order.total": {"more than": 99.5},
                "email": {"is set": True},
                "phone": {"is set": False},
            }
        )
    ],
    "profile": [
        native(
            is_located_at={
                "city": {"contains": "burg", "is set": True},
                "country code": ["DE", "AT"],
                "region": {"does not equal": "Bavaria", "matches": "^B"},
                "postal code": {"starts with": "10"},
            },
            is_on_device=["mobile", "tablet"],
            session_count={"at least": 3, "is not": 7},
            is_returning_visitor=True,
        )
    ],
    "events": [
        native(
            has_viewed_page={
                "url": {"starts with": "https://"},
                "path": ["/a", "/b"],
                "referrer": {"ends with": ".example/"},
                "utm campaign": "spring",
                "query": {"size": "9", "a.b": "x"},
                "property": {"price": {"at least": 10}, "a.b": "x"},
            }
        ),
        {"id": "b", "has performed event": "*", "exactly": 2, "within": "7 days"},
        {"id": "c", "has performed event": "order", "fewer than": 3},
    ],
    "nesting": [
        native(
            any=[
                {"all": [{"has trait": {"a": 1}}, {"has trait": {"b": 2}}]},
                {"none": [{"has trait": {"c": 3}}, {"audience": "b"}]},
            ]
        ),
        {"id": "b", "has trait": "d", "none": [{"is on device": "tablet"}]},
    ],
    "app": [
        nt_rules(
            {
                "all": [
                    nt_rule(
                        "page",
                        operator="greaterThanInclusive",
                        conditions=[nt_condition("context_page_url", "equal", "*")],
                    ),
                    nt_rule("identify", key="k", operator="notContains", value="x"),
                ]
            },
            nt_rule("location", key="continent", value="EU"),
            nt_rule("identify", key="k", operator="in", value=""),
        )
    ],
}


@pytest.mark.parametrize("name", GOLDEN_RULES)
def test_generated_source(name: str) -> None:
    """Rules compile to exactly the source that was last looked at."""
    path = GOLDEN / f"{name}.txt"
    text = listed(compiled(*GOLDEN_RULES[name]))
    if UPDATE:
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_every_golden_file_is_in_use() -> None:
    """No golden file has outlived its rules."""
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(GOLDEN_RULES)


@pytest.mark.parametrize("name", GOLDEN_RULES)
def test_source_is_deterministic(name: str) -> None:
    """The same rules give the same source, and constants of the same names and values."""
    first, second = (compiled(*GOLDEN_RULES[name]) for _ in range(2))
    assert listed(first) == listed(second)
    assert first.file != second.file


def test_each_condition_names_its_place() -> None:
    """Every line of a test ends with the file and the place where it was written."""
    source = compiled(native(has_trait={"a": 1, "b": 2})).source
    assert "# shop.yaml#/audiences/0/has trait/a" in source
    assert "# shop.yaml#/audiences/0/has trait/b" in source


def test_equal_constants_have_one_name() -> None:
    """A value stands in the constants once, and 1 and 1.0 and "1" are different ones."""
    writer = SourceWriter()
    values = ["a", "a", 1, 1.0, "1", ("a",), ("a",), frozenset({"a"})]
    names = [writer.constant(value) for value in values]
    assert len(set(names)) == 6
    assert [writer.constants[name] for name in names] == values


def test_functions_reach_their_helpers_only() -> None:
    """Generated functions see constants and helpers, and not one builtin."""
    generated = compiled(*GOLDEN_RULES["traits"])
    names = vars(next(iter(generated.functions.values())))
    [function] = generated.functions.values()
    reachable = getattr(function, "__globals__")  # noqa: B009  # a Callable does not promise one
    assert names == {}
    assert reachable["__builtins__"] == {}
    assert reachable.keys() - {"__builtins__"} == HELPERS.keys() | generated.constants.keys()


def test_traceback_shows_the_source() -> None:
    """An error inside generated code shows the line, and with it the place in the rules."""
    generated = compiled(native(has_trait={"plan": "gold"}))
    with pytest.raises(AttributeError) as caught:
        generated.functions["audience_0"](None, NOW_MS)
    text = "".join(traceback.format_exception(caught.value))
    assert generated.file in text
    assert "traits = profile.traits" in text

    class Strange:
        """A profile whose traits are none."""

        traits = 5

    with pytest.raises(AttributeError) as caught:
        generated.functions["audience_0"](Strange(), NOW_MS)
    assert "# shop.yaml#/audiences/0/has trait/plan" in "".join(
        traceback.format_exception(caught.value)
    )


def test_reference_must_be_linked() -> None:
    """A reference that was not linked is refused, and not compiled to something."""
    with pytest.raises(ValueError, match="'vip' is not linked"):
        compile_functions([Function("f", Reference("vip"))], "test")


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        pytest.param(All(()), True, id="all-of-nothing"),
        pytest.param(AnyOf(()), False, id="any-of-nothing"),
        pytest.param(Constant(True), True, id="true"),
        pytest.param(Constant(False), False, id="false"),
    ],
)
def test_trees_without_tests(tree: Node, expected: bool) -> None:
    """A tree that tests nothing is what it says."""
    generated = compile_functions([Function("f", tree)], "test")
    assert generated.functions["f"](make_profile(), NOW_MS) is expected


HOSTILE = [
    pytest.param("'", id="quote"),
    pytest.param('"""', id="quotes"),
    pytest.param("a\nimport os", id="newline"),
    pytest.param("a\r\nraise SystemExit", id="carriage-return"),
    pytest.param("__import__('os').system('true')", id="import"),
    pytest.param("# noqa", id="comment"),
    pytest.param("\\", id="backslash"),
    pytest.param("\\\n", id="continued-line"),
    pytest.param("x\u2028y\u2029z\x85", id="unicode-line-separators"),
    pytest.param("\x0b\x0c\x1c", id="vertical-tabs"),
    pytest.param("{c}{v}{0}%s$x", id="placeholders"),
    pytest.param(") or True or (", id="brackets"),
    pytest.param("_c0", id="name-of-a-constant"),
    pytest.param("\0", id="nul"),
    pytest.param("é😀", id="not-ascii"),
    pytest.param("~1/~0/", id="pointer"),
    pytest.param("x" * 10_000, id="ten-thousand"),
]


def comments(source: str) -> Iterator[str]:
    """What stands behind the first # of each line."""
    for line in source.split("\n"):
        yield line.partition("#")[2]


def without_comments(source: str) -> str:
    """The code of a source, as the parser understands it."""
    return ast.unparse(ast.parse(source))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(text: str) -> None:
    """Ids, names, keys and values of any content end up in constants and escaped comments only."""
    tame = without_comments(compiled(*_rules_about("a.b" if "." in text else "ab")).source)
    generated = compiled(*_rules_about(text))
    assert generated.source.isascii()
    assert without_comments(generated.source) == tame
    assert text in generated.constants.values()
    assert all("\r" not in comment for comment in comments(generated.source))
    audience_0, audience_1, _, matcher = generated.functions.values()
    assert audience_0(make_profile({text: text}), NOW_MS) is True
    assert audience_0(make_profile({text: "other"}), NOW_MS) is False
    assert audience_1(make_profile({text: text}), NOW_MS) is True
    assert matcher(_event(text)) is True
    assert matcher(_event("other")) is False


def _rules_about(text: str) -> list[Any]:
    # Ids that keep their order, so that all texts give the same code.
    return [
        {
            "id": f"1{text}",
            "name": text,
            "description": text,
            "has trait": {text: {"is": text, "contains": text}},
        },
        {
            **nt_rules(nt_rule("identify", key=text, value=text)),
            "id": f"2{text}",
            "nt_name": text,
        },
        {
            "id": f"3{text}",
            "has performed event": text,
            "where": {"path": text, "query": {text: {"starts with": text}}},
        },
    ]


def _event(text: str) -> Event:
    return make_event("track", event=text, page={"path": text, "query": {text: text}})


def test_hostile_file_and_pointer() -> None:
    """A place of any content stays in its comment."""
    place = "a\n') or __import__('os') or ('\u2028#"
    leaf = Leaf(Test(Attribute("trait", "k"), "equal", "a"), place)
    generated = compile_functions([Function("f", leaf)], "x\n>\u2028")
    assert len(generated.source.splitlines()) == 5
    assert generated.functions["f"](make_profile({"k": "a"}), NOW_MS) is True


def test_cost_of_a_long_list() -> None:
    """Ten thousand values in one list are one constant and one line."""
    generated = compiled(native(has_trait={"k": [f"v{i}" for i in range(10_000)]}))
    assert len(generated.constants) == 3
    assert generated.functions["audience_0"](make_profile({"k": "v9999"}), NOW_MS) is True


def test_long_rules_compile() -> None:
    """An audience of five thousand alternatives is one expression that Python takes."""
    rules = [{"has trait": {f"t{i}": 1}} for i in range(5000)]
    generated = compiled(native(any=rules))
    assert generated.functions["audience_0"](make_profile({"t4999": 1}), NOW_MS) is True
    assert generated.functions["audience_0"](make_profile({"t5000": 1}), NOW_MS) is False
