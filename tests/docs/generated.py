"""The parts of the documentation that are made from the code.

    python -m tests.docs.generated

writes them anew, each between its own pair of markers. A test holds the pages equal to them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from edgewise import errors
from edgewise.asgi.problems import PROBLEMS, problem_of
from edgewise.audiences.listing import list_source
from edgewise.audiences.native import COUNT_KEYS, LOCATION_KEYS
from edgewise.lint.linting import WARNINGS
from edgewise.model.audience import Audience
from edgewise.operators import BY_NAME, OPERATORS
from edgewise.sources.files import load_rules
from tests.docs.faults import FAULTS, message_of
from tests.docs.pages import PAGES, REPOSITORY
from tests.docs.warnings import message_of_warning
from tests.test_layers import ENGINE, LAYERS

EXAMPLE_AUDIENCE = "hiking-fans"

_PART = re.compile(
    r"(?P<open><!-- generated: (?P<name>[a-z-]+) -->\n).*?(?P<close><!-- end -->)", re.DOTALL
)
_OPERANDS = {
    "value": "a text, number or boolean",
    "text": "a text",
    "number": "a number",
    "time": "a date or time",
    "values": "a list of values",
    "regex": "a regular expression",
    "none": "`true` or `false`",
}
_COUNTS = {
    "greaterThanInclusive": "3 or more",
    "greaterThan": "4 or more",
    "equal": "3",
    "lessThan": "2 or fewer",
    "lessThanInclusive": "3 or fewer",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in the source too."""
    cells = [[cell.replace("|", "\\|") for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in cells
    ]
    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def quoted(names: Iterable[str]) -> str:
    """Names as code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def operators() -> str:
    """The table of operators, in both forms."""
    return table(
        ("In native rules", "In `nt_rules`", "Compares with", "Holds for"),
        (
            (
                quoted((row.phrase, *row.phrases)),
                quoted((row.name, *row.aliases)),
                _OPERANDS[row.operand],
                row.doc,
            )
            for row in OPERATORS
        ),
    )


def counts() -> str:
    """The words that compare a number of events."""
    return table(
        ("Native", "`nt_rules` operator", "Number of events"),
        (
            (f"`{words}: 3`", quoted((BY_NAME[name].name, *BY_NAME[name].aliases)), _COUNTS[name])
            for words, name in COUNT_KEYS.items()
        ),
    )


def location_keys() -> str:
    """The parts of a location in both forms."""
    return table(
        ("Native", "`nt_rules` key"),
        ((f"`{native}`", f"`{member}`") for native, member in LOCATION_KEYS.items()),
    )


def example_rule() -> str:
    """An audience of the demo as its file has it."""
    audience = _example()
    lines = (REPOSITORY / audience.file).read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line == f"  - id: {audience.id}")
    rest = lines[start + 1 :]
    end = next((i for i, line in enumerate(rest) if line[:4].strip()), len(rest))
    text = "\n".join(line[2:] for line in (lines[start], *rest[:end])).rstrip()
    return f"```yaml fragment\n{text}\n```\n"


def example_source() -> str:
    """What the same audience compiles to, as `show-source` prints it."""
    return f"```text\n{list_source(_example().tree).rstrip()}\n```\n"


def _example() -> Audience:
    ruleset = load_rules(REPOSITORY / "rules")["demo", "main"]
    return next(audience for audience in ruleset.audiences if audience.id == EXAMPLE_AUDIENCE)


def layers() -> str:
    """The layers that exist, the highest on top, each with its modules and folders."""
    existing = ([name for name in names if path_of(name).exists()] for names in reversed(LAYERS))
    lines = ["   ".join(names) for names in existing if names]
    width = max(map(len, lines))
    boxes = f"\n├─{'─' * width}─┤\n".join(f"│ {line:{width}} │" for line in lines)
    return f"```text\n┌─{'─' * width}─┐\n{boxes}\n└─{'─' * width}─┘\n```\n"


def modules() -> str:
    """What each name of the layers is for, in the words of its own docstring."""
    names = [name for names in reversed(LAYERS) for name in names if path_of(name).exists()]
    return table(
        ("Name", "What it says of itself"), ((f"`{name}`", summary(name)) for name in names)
    )


def path_of(unit: str) -> Path:
    """The file whose docstring describes a module or folder of the engine."""
    folder = ENGINE / unit
    return folder / "__init__.py" if folder.is_dir() else ENGINE / f"{unit}.py"


def summary(unit: str) -> str:
    """The first paragraph of a module's docstring."""
    text = path_of(unit).read_text("utf-8").split('"""')[1]
    return " ".join(text.split("\n\n")[0].split())


def error_classes() -> str:
    """Every class of the error tree."""
    return table(
        ("Code", "Class", "Meaning"),
        (
            (f"`{error.code}`", f"`{error.__name__}`", first_line(error))
            for error in tree_of(errors.EdgewiseError)
        ),
    )


def tree_of(error: type[errors.EdgewiseError]) -> Iterator[type[errors.EdgewiseError]]:
    """A class and everything below it that `edgewise.errors` holds, in the order of its source."""
    yield error
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree_of(child)


def first_line(subject: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(subject) or "").split("\n\n")[0].split())


def http_errors() -> str:
    """Every status and code that HTTP answers can have."""
    rows = [
        (
            str(problem.status),
            f"`{problem.code}`",
            f"`{error.code}`",
            f"{problem.message} …".strip() if problem.told else problem.message,
            "yes" if problem.headers else "",
        )
        for error, problem in PROBLEMS.items()
    ]
    internal = problem_of(errors.EdgewiseError())
    rows.append((str(internal.status), f"`{internal.code}`", "any other", internal.message, ""))
    rows.sort(key=lambda row: row[0])
    return table(("Status", "Code", "Error", "Message", "`Retry-After`"), rows)


def faults() -> str:
    """Every fault code of the rule parsers, with what a parser says of an example."""
    return table(
        ("Code", "Meaning", "For example"),
        (
            # An unescaped "<" would begin an HTML element.
            (f"`{code}`", fault.meaning, message_of(fault).replace("<", "\\<"))
            for code, fault in sorted(FAULTS.items())
        ),
    )


def warnings() -> str:
    """Every code of a warning, with what a check says of an example."""
    return table(
        ("Code", "Meaning", "For example"),
        (
            (f"`{code}`", meaning, message_of_warning(code).replace("<", "\\<"))
            for code, meaning in sorted(WARNINGS.items())
        ),
    )


PARTS: dict[str, Callable[[], str]] = {
    "operators": operators,
    "counts": counts,
    "location-keys": location_keys,
    "example-rule": example_rule,
    "example-source": example_source,
    "layers": layers,
    "modules": modules,
    "error-classes": error_classes,
    "http-errors": http_errors,
    "faults": faults,
    "warnings": warnings,
}


def regenerated(text: str) -> str:
    """The text of a page with every generated part as the code has it now."""
    return _PART.sub(
        lambda found: f"{found['open']}\n{PARTS[found['name']]()}\n{found['close']}", text
    )


def names_in(text: str) -> list[str]:
    """The names of the generated parts of a page."""
    return [found["name"] for found in _PART.finditer(text)]


def main() -> None:
    """Write every generated part anew."""
    for page in PAGES:
        page.write_text(regenerated(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
