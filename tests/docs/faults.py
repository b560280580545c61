"""Every fault code, with something that has this fault."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import yaml

from edgewise.documents import parse_documents
from edgewise.errors import Fault, RulesError
from edgewise.model.document import RuleDocument
from edgewise.sources.contentful.export import convert_export
from edgewise.sources.contentful.settings import find_settings
from edgewise.sources.files import MAX_FILE_BYTES, load_rules

ENGINE = Path(__file__).parent.parent.parent / "engine" / "edgewise"


def faults_of_rules(rules: str) -> Sequence[Fault]:
    """The faults of rules; every YAML document of the text stands for a file."""
    documents = [RuleDocument("shop.yaml", content) for content in yaml.safe_load_all(rules)]
    parsed = parse_documents(documents)
    return [*parsed.faults, *parsed.set_aside]


def faults_of_file(rules: str) -> Sequence[Fault]:
    """The faults of loading a folder with one rule file, or with none where the text is empty."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "rules"
        place = root / "demo" / "main"
        if rules:
            place.mkdir(parents=True)
            (place / "shop.yaml").write_text(rules, "utf-8", errors="surrogateescape")
        try:
            load_rules(root)
        except RulesError as error:
            return error.faults
    return []


def faults_of_export(entries: str) -> Sequence[Fault]:
    """The faults of an export with these entries."""
    content = {"entries": yaml.safe_load(entries)}
    rules = parse_documents([convert_export(content, "space.json").document])
    return [*rules.faults, *rules.set_aside]


def faults_of_space(contentful: str) -> Sequence[Fault]:
    """The faults of a `contentful` object, in a process without any environment variable."""
    document = RuleDocument("shop.yaml", {"contentful": yaml.safe_load(contentful)})
    try:
        find_settings([document], {})
    except RulesError as error:
        return error.faults
    return []


class FaultExample(NamedTuple):
    """What a code means, and something that has the fault.

    Args:
        text: a rule file, or what else `find` reads.
        find: gives the faults of the text.
    """

    meaning: str
    text: str
    find: Callable[[str], Sequence[Fault]] = faults_of_rules


def _audience(rule: str) -> str:
    return f"audiences: [{{id: a, {rule}}}]"


def _nt_rule(rule: str) -> str:
    return f"audiences: [{{id: a, nt_rules: {{any: [{{all: [{{{rule}}}]}}]}}}}]"


def _experience(members: str, component: str = "entry: hero, variants: [other]") -> str:
    return f"experiences: [{{id: e, components: [{{{component}}}], {members}}}]"


_VARIABLE = "variable: v, baseline: {}, variants: [{}]"
_LARGE = ", ".join(f"{{has trait: trait{number}}}" for number in range(1000))
_CHAIN = ", ".join(f"{{any: [{{audience: base}}, {{has trait: t{n}}}]}}" for n in range(11))

FAULTS: dict[str, FaultExample] = {
    "ambiguous_component": FaultExample(
        "A component that replaces an entry and sets a variable, or neither.",
        _experience("", "entry: e, variable: v"),
    ),
    "ambiguous_rule": FaultExample(
        "A rule that counts two kinds of events.",
        _audience('has viewed page: "*", has performed event: purchase'),
    ),
    "audience_too_large": FaultExample(
        "References make an audience grow beyond all bounds.",
        f"audiences: [{{id: base, any: [{_LARGE}]}}, {{id: a, all: [{_CHAIN}]}}]",
    ),
    "circular_reference": FaultExample(
        "An audience leads back to itself.",
        "audiences: [{id: a, audience: b}, {id: b, audience: a}]",
    ),
    "count_invalid": FaultExample(
        "A count that is no whole number, or too large for a window.",
        _audience("has performed event: purchase, at least: often"),
    ),
    "distribution_length": FaultExample(
        "A distribution that does not fit the variants.", _experience("distribution: [1]")
    ),
    "distribution_missing": FaultExample(
        "A personalization with several variants and no distribution.",
        _experience("", "entry: hero, variants: [one, two]"),
    ),
    "distribution_sum": FaultExample(
        "A distribution that gives away more than everything.",
        _experience("distribution: [0.5, 0.75]"),
    ),
    "duplicate_component": FaultExample(
        "Two components of one experience with the same target.",
        "experiences: [{id: e, components: [{entry: hero, variants: [one]},"
        " {entry: hero, variants: [two]}]}]",
    ),
    "duplicate_id": FaultExample(
        "Two audiences, or two experiences, with the same id.",
        "audiences: [{id: a, has trait: t}, {id: a, has trait: u}]",
    ),
    "duplicate_key": FaultExample(
        "A second `environment` object in the same environment.",
        "environment: {}\n---\nenvironment: {}",
    ),
    "empty_rule": FaultExample(
        "A rule, or a list of rules, that says nothing.", _audience("any: []")
    ),
    "empty_value": FaultExample("A key with nothing behind it.", _experience("audience: ")),
    "faulty_reference": FaultExample(
        "An audience refers to one that was set aside.",
        "audiences: [{id: a, audience: b}, {id: b, nt_rules: {}}]",
    ),
    "file_too_large": FaultExample(
        f"A rule file of more than {MAX_FILE_BYTES // 2**20} MiB.",
        " " * (MAX_FILE_BYTES + 1),
        find=faults_of_file,
    ),
    "invalid_text": FaultExample(
        "A text that is no Unicode.", 'audiences: [{id: "\\ud800", has trait: t}]'
    ),
    "invalid_variable_value": FaultExample(
        "A value that clients do not accept in a change.",
        _experience("", _VARIABLE.format("[]", "[]")),
    ),
    "invalid_variant": FaultExample(
        "A variant that is neither an entry nor hidden.",
        _experience("", "entry: e, variants: ['']"),
    ),
    "misplaced_key": FaultExample(
        "A count, window or `where` without events.", _audience("has trait: t, within: 3 days")
    ),
    "missing_key": FaultExample("A key that must be there.", "audiences: [{has trait: t}]"),
    "mixed_value_types": FaultExample(
        "A variable's variants are not of the baseline's type.",
        _experience("", _VARIABLE.format("1", "one")),
    ),
    "no_environment": FaultExample("A folder without any environment.", "", find=faults_of_file),
    "operand_invalid": FaultExample(
        "An operator cannot compare with this value.",
        _audience("has trait: {age: {at least: old}}"),
    ),
    "out_of_range": FaultExample("A number beyond its bounds.", _experience("traffic: 50")),
    "regex_invalid": FaultExample(
        "A regular expression that RE2 refuses.", _audience("has trait: {t: {matches: '('}}")
    ),
    "source_not_read": FaultExample(
        "A file names a space where only files are read.",
        "contentful: {space: abc123}",
        find=faults_of_file,
    ),
    "syntax": FaultExample("A file that is not YAML.", "audiences: [", find=faults_of_file),
    "token_missing": FaultExample(
        "An environment variable that holds no token.", "space: abc123", find=faults_of_space
    ),
    "too_deep": FaultExample(
        "Nesting without end.", _audience("all: [{" * 33 + "has trait: t" + "}]" * 33)
    ),
    "unknown_attribute": FaultExample(
        "A part of a location that does not exist.",
        _nt_rule("type: location, key: town, operator: equal, value: Berlin"),
    ),
    "unknown_audience": FaultExample(
        "A reference to an audience that does not exist.", _experience("audience: nobody")
    ),
    "unknown_condition": FaultExample(
        "A condition that this type of rule does not have.",
        _nt_rule("type: page, conditions: [{key: weather, operator: equal, value: rain}]"),
    ),
    "unknown_key": FaultExample("A key that nobody reads.", _audience("has traits: t")),
    "unknown_operator": FaultExample(
        "An operator that does not exist.", _audience("has trait: {plan: {equal: pro}}")
    ),
    "unknown_rule_type": FaultExample(
        "An app-written rule of a type that does not exist.", _nt_rule("type: weather")
    ),
    "unknown_value": FaultExample(
        "A value that is not among the possible ones.", _audience("is on device: watch")
    ),
    "unreadable": FaultExample("A file that cannot be read.", "\udcff", find=faults_of_file),
    "variant_missing": FaultExample(
        "A variant in Contentful that has no published entry.",
        "[{sys: {id: hero, contentType: {sys: {id: page}}}, fields: {}},"
        " {sys: {id: e, contentType: {sys: {id: nt_experience}}}, fields: {nt_name: e, nt_type:"
        " nt_personalization, nt_config: {components: [{baseline: {id: hero}, variants: [{id:"
        " gone}]}]}}}]",
        find=faults_of_export,
    ),
    "window_invalid": FaultExample(
        "A window that is not in whole days.", _audience('has viewed page: "*", within: a week')
    ),
    "wrong_type": FaultExample("A value of the wrong kind.", "audiences: all of them"),
}


def codes_of(fault: FaultExample) -> list[tuple[str, str]]:
    """(code, text) of each fault of an example, the text without its place."""
    return [
        (one.code, f"{one.message} ({one.hint})" if one.hint else one.message)
        for one in fault.find(fault.text)
    ]


def message_of(fault: FaultExample) -> str:
    """What the parser says of an example."""
    code = next(code for code, example in FAULTS.items() if example is fault)
    return next(text for found, text in codes_of(fault) if found == code)


def codes_in_source() -> set[str]:
    """Every fault code that stands in the engine's source."""
    return {
        code
        for path in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        for code in _codes_of_call(node)
    }


def _codes_of_call(call: ast.Call) -> Iterator[str]:
    """The code in a call such as `at(place, code, …)` or `Fault(code=…)`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    position = {"at": 1, "_fault": 0, "Fault": 0}.get(name)
    if position is None:
        return
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    for argument in (*call.args[position : position + 1], *named):
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            yield argument.value
