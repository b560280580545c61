"""Lines of another shape → the shape that a simulation reads.

A mapping is a YAML file with any of these keys, which apply in this order:

    case       snake: names like page_url become pageUrl, except inside traits, trait_patch,
               properties and query
    json       members whose values are JSON in a text
    fields     where a member comes from: {context.page.url: pageUrl}; dots reach into objects
    constants  members that every line has: {environment: demo/main}
    values     what the values of a member mean: {type: {pageview: page}}
    times      how times are written: milliseconds, seconds, or a strptime format
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from edgewise.decoding import decode_object, decode_repairable
from edgewise.errors import InputError, InvalidData
from edgewise.parsing import FaultList, closest, kind_of, pointer_join
from edgewise.simulate.requests import line_reason
from edgewise.sources.yaml_text import parse_yaml

_ANYTHING = msgspec.json.Decoder()
_WHENEVER = datetime(2026, 11, 1, 12, tzinfo=UTC)
_TIMES = ("receivedAt", "timestamp", "originalTimestamp", "sentAt")
# The names in these are the visitor's. What a patch has of its own are words without a "_".
_FREE = frozenset({"traits", "traitPatch", "properties", "query"})


class LineMapping(msgspec.Struct, frozen=True):
    """How a line becomes one of ours; see the head of this module."""

    case: str = ""
    json: list[str] = []
    fields: dict[str, str] = {}
    constants: dict[str, Any] = {}
    values: dict[str, dict[str, Any]] = {}
    times: str = ""

    def apply(self, data: bytes) -> bytes:
        """Return a line in the shape that a simulation reads.

        Errors: InvalidData for a line that is no JSON object, is nested too deep, or holds a value
        of another form.
        """
        try:
            line = decode_object(data)
        except InvalidData as error:
            raise InvalidData(line_reason(error, data)) from None
        return msgspec.json.encode(self._mapped(line))

    def _mapped(self, line: dict[str, Any]) -> dict[str, Any]:
        if self.case:
            line = _camel(line)
        for name in self.json:
            if isinstance(line.get(name), str):
                line[name] = _json_of(name, line[name])
        found = {target: _take(line, source) for target, source in self.fields.items()}
        for target, value in found.items():
            if value is not None:
                _put(line, target, value)
        for target, value in self.constants.items():
            _put(line, target, value)
        for target, meanings in self.values.items():
            value = _take(line, target)
            if isinstance(value, str) and value in meanings:
                _put(line, target, meanings[value])
        if self.times:
            read = _reader_of(self.times)
            for name in _TIMES:
                if line.get(name) is not None:
                    line[name] = _time_of(name, line[name], read)
        return line


def load_mapping(path: Path) -> LineMapping:
    """Return the mapping of a file. Errors: InputError with every fault and its place."""
    faults = FaultList(str(path))
    mapping = _parse_mapping(_read(path), faults)
    if faults:
        raise InputError("\n".join(map(str, faults.faults)))
    return mapping


def _read(path: Path) -> Any:
    try:
        return parse_yaml(path.read_text("utf-8-sig"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{path}: {error.problem or 'not valid YAML'}{place}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from error


def _parse_mapping(raw: Any, faults: FaultList) -> LineMapping:
    if raw is None:
        return LineMapping()
    if not isinstance(raw, dict):
        faults.at("", "wrong_type", f"a mapping must be an object, not {kind_of(raw)}")
        return LineMapping()
    faults.unknown_keys(raw, "", LineMapping.__struct_fields__)
    case = faults.text(raw, "case", "")
    if case not in ("", "snake"):
        faults.at("/case", "unknown_value", f'unknown case "{case}"', "write snake")
    times = faults.text(raw, "times", "")
    _check_times(times, faults)
    columns = faults.list_of(raw, "json", "")
    constants = faults.object_of(raw, "constants", "")
    faults.json_value(constants, "/constants")
    values = faults.object_of(raw, "values", "")
    faults.json_value(values, "/values")
    return LineMapping(
        case=case,
        json=[faults.as_text(name, "json", f"/json/{i}") for i, name in enumerate(columns)],
        fields=_sources(faults.object_of(raw, "fields", ""), faults),
        constants=dict(constants),
        values={target: dict(faults.object_of(values, target, "/values")) for target in values},
        times=times,
    )


def _sources(raw: Mapping[Any, Any], faults: FaultList) -> dict[str, str]:
    for target in raw:
        faults.as_text(target, "member name", pointer_join("/fields", target))
    return {target: faults.required_text(raw, target, "/fields") for target in raw}


def _json_of(name: str, text: str) -> Any:
    try:
        return decode_repairable(_ANYTHING, text.encode())[0]
    except InvalidData as error:
        raise InvalidData(f"{name}: {error.message.removeprefix('body: ')}") from None


def _camel(value: Any) -> Any:
    if isinstance(value, list):
        return [_camel(member) for member in value]
    if not isinstance(value, dict):
        return value
    camel = {}
    for name, member in value.items():
        first, *rest = name.split("_")
        new = first + "".join(word.capitalize() for word in rest) if first else name
        camel[new] = member if new in _FREE else _camel(member)
    return camel


def _take(line: dict[str, Any], path: str) -> Any:
    # A column may have a dot in its name.
    if path in line:
        return line[path]
    current: Any = line
    for part in path.split("."):
        if not isinstance(current, dict):
            return None
        current = current.get(part)
    return current


def _put(line: dict[str, Any], path: str, value: Any) -> None:
    *folders, name = path.split(".")
    for folder in folders:
        inner = line.get(folder)
        # A copy, because it may stand elsewhere too: at another target, or in the mapping itself.
        line[folder] = {**inner} if isinstance(inner, dict) else {}
        line = line[folder]
    line[name] = value


def _reader_of(form: str) -> Callable[[Any], Any]:
    if form == "milliseconds":
        return _finite
    if form == "seconds":
        return lambda value: round(float(value) * 1000)
    return lambda value: _moment_of(value, form).isoformat()


def _finite(value: Any) -> float:
    number = float(value)
    # JSON has no infinity: it would be written as null, as if there were no time.
    if not math.isfinite(number):
        raise ValueError
    return number


def _moment_of(text: str, form: str) -> datetime:
    moment = datetime.strptime(text, form)  # noqa: DTZ007 - the next line sees to it
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_times(form: str, faults: FaultList) -> None:
    if form in ("", "milliseconds", "seconds"):
        return
    try:
        # What was written in a form can be read in it; and without a year, none is a time.
        is_form = _moment_of(_WHENEVER.strftime(form), form).year == _WHENEVER.year
    except (ValueError, re.error):
        is_form = False
    if not is_form:
        hint = closest(form, ("milliseconds", "seconds")) or "write a strptime format with a year"
        faults.at("/times", "unknown_value", f'"{form}" is no form of times', hint)


def _time_of(name: str, value: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidData(
            f'{name}: "{value}" is no time of the form that the mapping says'
        ) from None
