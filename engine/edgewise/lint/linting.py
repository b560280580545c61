"""All checks over the rules of an environment, less what its files accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from edgewise.errors import Fault
from edgewise.lint.app_rules import check_app_rules
from edgewise.lint.audiences import check_audiences
from edgewise.lint.closed_sets import check_closed_sets
from edgewise.lint.conditions import check_conditions
from edgewise.lint.emptiness import check_emptiness
from edgewise.lint.entries import check_entries
from edgewise.lint.notes import Check, Place, Subject, note
from edgewise.lint.overlaps import check_baselines, check_variables
from edgewise.lint.pages import check_pages
from edgewise.lint.shares import check_shares
from edgewise.lint.spaces import check_spaces
from edgewise.lint.unread import check_unread
from edgewise.parsing import closest, pointer_join

CHECKS: Final[tuple[Check, ...]] = (
    check_conditions,
    check_audiences,
    check_pages,
    check_closed_sets,
    check_spaces,
    check_app_rules,
    check_shares,
    check_variables,
    check_baselines,
    check_entries,
    check_unread,
    check_emptiness,
)
WARNINGS: Final = {
    "always_matches": "A rule, or a part of one, that holds for everyone.",
    "bare_referrer": "A referrer is compared with something that is no whole address.",
    "distribution_not_one": "Shares that do not add up to 1.",
    "duplicate_variable": "Several experiences set one variable.",
    "entry_missing": "An experience names an entry that is not in the space.",
    "impossible_value": "No country, continent or class of devices has this code or name.",
    "literal_star": "A star inside of a path or an address, where it is no placeholder.",
    "misplaced_file": "A file that looks like rules and that nobody reads.",
    "never_matches": "A rule, or a part of one, that holds for nobody.",
    "no_rules": "An environment without audiences and experiences.",
    "numeric_count": "An app-written rule whose count is a number and whose key is null.",
    "outer_space": "A value that begins or ends with a space.",
    "path_with_query": "A path is compared with something that has a query or a fragment.",
    "path_without_slash": "A path is compared with something that no path begins like.",
    "shadowed_experience": "Two experiences replace one entry, and one hides the other.",
    "unknown_warning": "A file accepts a warning that does not exist.",
    "unreachable_variant": "A variant, or a whole experience, that nobody gets.",
    "unused_audience": "An audience that nothing is for.",
    "url_without_scheme": "A url is compared with something that is no whole address.",
}
"""What each code means."""


def lint(subject: Subject) -> list[Fault]:
    """Return every warning about an environment that none of its files accepts."""
    accepted = set(_accepted(subject))
    found = [fault for check in CHECKS for fault in check(subject) if fault.code not in accepted]
    return [*dict.fromkeys(found), *_unknown_codes(subject)]


def _accepted(subject: Subject) -> Iterator[str]:
    for document in subject.documents:
        content = document.content
        accepted = content.get("accepted_warnings") if isinstance(content, Mapping) else None
        yield from accepted or ()


def _unknown_codes(subject: Subject) -> Iterator[Fault]:
    for document in subject.documents:
        single = Subject(subject.ruleset, [document])
        for code in _accepted(single):
            if code not in WARNINGS:
                place = Place(document.file, pointer_join("", "accepted_warnings", code))
                message = f'there is no warning "{code}"'
                yield note("unknown_warning", place, message, closest(code, WARNINGS))
