"""`edgewise plan EXPERIENCE`: how many days an experiment needs."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from edgewise.commands.ending import ending_in_order
from edgewise.errors import InputError
from edgewise.simulate.extras import load_extra
from edgewise.simulate.planning import LONGEST_DAYS, Plan, Question, check_question, make_plan
from edgewise.simulate.result import Result, decode_result
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, simulate
from edgewise.simulate.scan import Input


def register(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("experience", help="the experience's id")
    parser.add_argument(
        "--baseline", type=float, required=True, help="share of visitors who convert, 0..1"
    )
    parser.add_argument(
        "--lift", type=float, required=True, help="what to find, relative: 0.1 is a tenth more"
    )
    parser.add_argument("--power", type=float, default=0.8, help="how likely it shall be found")
    parser.add_argument(
        "--alpha", type=float, default=0.05, help="how likely nothing may be taken for something"
    )
    parser.add_argument(
        "--from", dest="result", type=Path, metavar="FILE", help="what simulate --json wrote"
    )
    parser.add_argument("--events", nargs="+", metavar="FILE", help="events to simulate instead")
    parser.add_argument("--rules", type=Path, default=Path("rules"), help="with --events")
    parser.add_argument("--environment", default="", metavar="ORG/ENV", help="where several are")
    parser.set_defaults(command=show_plan)


def show_plan(options: Namespace) -> int:
    """Print the plan; return the exit status. Errors: InputError, RulesError."""
    question = Question(
        experience=options.experience,
        baseline=options.baseline,
        lift=options.lift,
        power=options.power,
        alpha=options.alpha,
    )
    check_question(question)
    if bool(options.result) == bool(options.events):
        raise InputError("name either --from RESULT.json or --events FILE")
    power = load_extra("edgewise.simulate.power", "Planning", "report")
    # A module that was loaded by its name has no type; planning.PowerFunctions says what it holds.
    plan = make_plan(question, _result(options), options.environment, power)
    print(plan_text(plan, question))
    return 0


def plan_text(plan: Plan, question: Question) -> str:
    """Return a plan as lines for people."""
    expected = question.baseline * (1 + question.lift)
    versus = "" if plan.comparisons == 1 else f", each of {plan.comparisons} variants"
    chances = f"with power {question.power:g} at alpha {question.alpha:g}"
    lines = [
        f"{plan.experience} in {plan.environment}: {_days(plan.days)}",
        f"  to tell {question.baseline:.2%} from {expected:.2%}{versus}, {chances},",
        f"  it needs {plan.visitors:,} visitors and reaches {plan.per_day:,.1f} new ones a day.",
    ]
    if plan.days != plan.days_with_all:
        lines.append(f"  With all traffic: {_days(plan.days_with_all)}.")
    if plan.days and plan.days > plan.simulated_days:
        lines.append(
            f"  Only {plan.simulated_days:.1f} days were simulated; the rest is extrapolated."
        )
    lines.append(f"The least {'drop' if question.lift < 0 else 'lift'} that it finds:")
    for one in plan.outlook:
        lift = "none" if one.lift is None else f"{one.lift:+.1%}"
        lines.append(f"  after {one.days:2} days  {lift}")
    return "\n".join(lines)


def _days(days: int | None) -> str:
    if days is None:
        return f"more than {LONGEST_DAYS // 365} years"
    return "1 day" if days == 1 else f"{days:,} days"


def _result(options: Namespace) -> Result:
    if options.events:
        return _simulated(options)
    try:
        return decode_result(options.result.read_bytes())
    except OSError as error:
        raise InputError(f"{options.result}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InputError(f"{options.result}: not what simulate --json writes: {error}") from error


def _simulated(options: Namespace) -> Result:
    rules = read_rules(options.rules)
    environments = tuple(sorted(rules.documents))
    if options.environment and options.environment not in environments:
        known = ", ".join(environments)
        raise InputError(
            f'the rules have no environment "{options.environment}"; there are: {known}'
        )
    only = environments[0] if len(environments) == 1 else ""
    source = Input(
        paths=tuple(options.events),
        environments=environments,
        environment=options.environment or only,
    )
    with ending_in_order():
        return simulate(rules, None, source, Options(workers=len(os.sched_getaffinity(0))))
