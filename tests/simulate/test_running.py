"""Whole simulations: the same answer however the work is done, and after an interruption."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import msgspec
import polars as pl
import pytest

from edgewise.errors import InputError
from edgewise.records import id_for_name
from edgewise.simulate import running
from edgewise.simulate.merge import Simulation, merge
from edgewise.simulate.partial import PartialResult
from edgewise.simulate.partition import PartitionJob, simulate_partition
from edgewise.simulate.result import (
    AudienceResult,
    EnvironmentResult,
    Result,
    decode_result,
    encode_result,
)
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, Progress, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.state import remove_state
from edgewise.simulate.synth import Traffic, synthesize
from edgewise.values import iso_time
from tests.simulate.worlds import (
    DAY_MS,
    DEMO_RULES,
    MAIN,
    MINUTE_MS,
    NOON_MS,
    OTHER,
    SHOP,
    carried,
    line,
    write_lines,
    write_rules,
)

DEMO = "demo/main"


@pytest.fixture
def traffic(tmp_path: Path) -> Input:
    """Some thousand synthetic events, and two broken lines."""
    path = tmp_path / "events.ndjson"
    lines = [*synthesize(Traffic(profiles=600, events=4_000, seed=9, days=12))]
    lines[7:7] = [b"{}", b'{"anonymousId":"x","receivedAt":1793534400000,"type":"dance"}']
    path.write_bytes(b"\n".join(lines))
    return Input(paths=(str(path),), environments=(DEMO,), environment=DEMO)


def shop(tmp_path: Path, texts: dict[str, str], lines: list[dict[str, object]]) -> Result:
    """Simulate some lines under the rules of some texts; with two texts, the second against."""
    first, *others = [
        read_rules(write_rules(tmp_path / name, {MAIN: text})) for name, text in texts.items()
    ]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
    return simulate(first, others[0] if others else None, source, Options(show_ids=True))


def test_every_way_gives_the_same_bytes(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process, two processes, many partitions, spilled and carried records: one JSON."""
    rules = read_rules(DEMO_RULES)
    expected = encode_result(simulate(rules, rules, traffic, Options()))
    assert encode_result(simulate(rules, rules, traffic, Options(workers=2))) == expected
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 300)
    spilling = Options(max_open=20, decisions=tmp_path / "d.parquet")
    assert encode_result(simulate(rules, rules, traffic, spilling)) == expected
    divided = msgspec.structs.replace(spilling, state=tmp_path / "state")
    assert encode_result(simulate(rules, rules, traffic, divided)) == expected
    monkeypatch.setattr(running, "_in_this_process", carried)
    divided = msgspec.structs.replace(spilling, state=tmp_path / "other")
    assert encode_result(simulate(rules, rules, traffic, divided)) == expected
    assert len(decode_result(expected).input.broken_lines) == 2


def test_interrupted_run_goes_on(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is done is not done again, the answer is the same, and the state waits to be removed."""
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 1_000)
    rules = read_rules(DEMO_RULES)
    expected = encode_result(simulate(rules, None, traffic, Options()))
    state = tmp_path / "state"
    replayed = []

    def interrupted(
        job: PartitionJob, progress: Callable[[int], None] | None = None
    ) -> PartialResult:
        replayed.append(job.number)
        if len(replayed) == 3:
            raise KeyboardInterrupt
        return simulate_partition(job, progress)

    monkeypatch.setattr(running, "simulate_partition", interrupted)
    with pytest.raises(KeyboardInterrupt):
        simulate(rules, None, traffic, Options(state=state))
    assert encode_result(simulate(rules, None, traffic, Options(state=state))) == expected
    assert sorted(replayed) == [0, 1, 2, 2, 3]
    assert encode_result(simulate(rules, None, traffic, Options(state=state))) == expected
    assert len(replayed) == 5
    remove_state(state)
    assert not state.exists()


KILLED = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from edgewise.simulate.processes import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def test_workers_end_with_whoever_started_them(tmp_path: Path) -> None:
    """A simulation that is killed leaves no process behind that waits for work."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED, "utf-8")
    path = str(Path(running.__file__).parents[2])
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": path}
    ) as starter:
        assert starter.stdout is not None
        assert int(starter.stdout.readline()) != starter.pid
        starter.kill()
        # The worker has the same output: it is at its end when both have let go of it.
        assert starter.stdout.read() == b""


def test_state_of_another_run_is_refused(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State of other rules or inputs is no state to go on from."""
    state = tmp_path / "state"

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running, "simulate_partition", fail)
        with pytest.raises(KeyboardInterrupt):
            simulate(read_rules(DEMO_RULES), None, traffic, Options(state=state))
    other = read_rules(write_rules(tmp_path / "other", {DEMO: SHOP}))
    with pytest.raises(InputError, match="state of a run with other"):
        simulate(other, None, traffic, Options(state=state))


def test_state_of_a_file_that_was_written_to_is_refused(tmp_path: Path) -> None:
    """A file of the same length with other events is another input."""
    rules = read_rules(DEMO_RULES)
    lines = [{"type": "page", "messageId": "1", "anonymousId": "a", "receivedAt": NOON_MS}]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(DEMO,), environment=DEMO)
    options = Options(state=tmp_path / "state")
    simulate(rules, None, source, options)
    write_lines(tmp_path / "events.ndjson", [lines[0] | {"anonymousId": "b"}])
    with pytest.raises(InputError, match="state of a run with other"):
        simulate(rules, None, source, options)
    once = Input(paths=("-",), environments=(DEMO,), environment=DEMO)
    with pytest.raises(InputError, match="standard input"):
        simulate(rules, None, once, Options(state=tmp_path / "other"))


@pytest.mark.parametrize("name", ["events.spool", "partition-00000.offsets", "checkpoint.msgpack"])
def test_damaged_state_is_refused(traffic: Input, tmp_path: Path, name: str) -> None:
    """What lost its end on the way to the disk is not taken for the whole."""
    rules, state = read_rules(DEMO_RULES), tmp_path / "state"
    simulate(rules, None, traffic, Options(state=state))
    path = state / name
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="damaged"):
        simulate(rules, None, traffic, Options(state=state))


def test_foreign_folder_is_no_state(traffic: Input, tmp_path: Path) -> None:
    """A folder with files of somebody else is left alone."""
    with pytest.raises(InputError, match="holds other files"):
        simulate(read_rules(DEMO_RULES), None, traffic, Options(state=tmp_path))


@pytest.mark.parametrize(
    "name", ["checkpoint.pt", "partition-2026.csv", "decisions/mine.parquet", "decisions"]
)
def test_names_like_ours_are_not_ours(traffic: Input, tmp_path: Path, name: str) -> None:
    """What only looks like the state of a run is somebody's file: refused, and not removed."""
    path = tmp_path / "state" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        simulate(read_rules(DEMO_RULES), None, traffic, Options(state=tmp_path / "state"))
    assert path.read_text() == "mine"


def test_state_that_may_not_be_written_is_told(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is only there to be read is refused before anything is read."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="state: you may not write here"):
        simulate(read_rules(DEMO_RULES), None, traffic, Options(state=tmp_path / "state"))


def test_strict_stops_at_the_first_broken_line(traffic: Input) -> None:
    """With `strict` the first broken line is an error with its number."""
    fields = {name: getattr(traffic, name) for name in traffic.__struct_fields__}
    strict = Input(**fields | {"strict": True})
    with pytest.raises(InputError, match="line 8: there is no profileId"):
        simulate(read_rules(DEMO_RULES), None, strict, Options())


def test_empty_input_is_an_answer(tmp_path: Path) -> None:
    """Without events every audience is empty and nothing fails."""
    result = shop(tmp_path, {"a": SHOP, "b": SHOP}, [])
    environment = result.environments[0]
    assert (environment.profiles, environment.overlap, result.timeline.starts) == (0, [], [])
    assert len(environment.never.audiences) == len(environment.audiences) == 8
    assert decode_result(encode_result(result)) == result


def test_sizes_follow_entries_exits_and_merges(tmp_path: Path) -> None:
    """Two readers become one and then forget: the size goes 2, 1 and 0 from day to day."""
    news = {"context": {"page": {"path": "/news"}}}
    lines = [
        line(name, NOON_MS + minute * MINUTE_MS, messageId=f"{name}{minute}", **news)
        for name in ("phone", "laptop")
        for minute in (0, 1)
    ]
    login = {"type": "identify", "userId": "u"}
    lines += [
        line("phone", NOON_MS + DAY_MS, messageId="l1", **login),
        line("laptop", NOON_MS + DAY_MS, messageId="l2", **login),
        line("other", NOON_MS + 5 * DAY_MS),
    ]
    environment = shop(tmp_path, {"a": SHOP}, lines).environments[0]
    readers = audience(environment, "readers")
    assert readers.sizes == [2, 1, 0, 0, 0, 0]
    assert (readers.entries[0], readers.merged[1], readers.exits[2]) == (2, 1, 1)
    assert (readers.size, readers.ever, environment.profiles, environment.merged) == (0, 1, 2, 1)
    assert environment.new_profiles == [2, 0, 0, 0, 0, 1]


def audience(environment: EnvironmentResult, audience_id: str) -> AudienceResult:
    """Return one audience."""
    return next(one for one in environment.audiences if one.id == audience_id)


def test_experience_counts_reach_split_and_who_is_held_out(tmp_path: Path) -> None:
    """Of 400 visitors about 70% get an experience with that traffic, and the rest is held out."""
    lines = [line(f"v{number}", NOON_MS + number) for number in range(400)]
    environment = shop(tmp_path, {"a": SHOP}, lines).environments[0]
    hero = next(one for one in environment.experiences if one.id == "hero")
    assert hero.reach + hero.held_out == 400
    assert 220 < hero.reach < 340
    assert sum(one.profiles for one in hero.variants) == hero.reach
    assert hero.ratio_test is not None
    assert hero.ratio_test.degrees == 2
    assert environment.never.experiences == ["offer", "thanks"]


def test_against_tells_who_enters_leaves_and_changes(tmp_path: Path) -> None:
    """Other rules let another visitor in, one out, and give one another experience."""
    rule = "audiences:\n- id: fans\n  has trait: {{tier: {}}}\n"
    offer = (
        "experiences:\n- id: offer\n  audience: fans\n  components: [{entry: a, variants: [b]}]\n"
    )
    lines = [
        line("g", NOON_MS, type="identify", traits={"tier": "gold"}),
        line("s", NOON_MS, type="identify", traits={"tier": "silver"}),
    ]
    texts = {"new": rule.format("gold") + offer, "old": rule.format("silver") + offer}
    environment = shop(tmp_path, texts, lines).environments[0]
    against = environment.against
    assert against is not None
    fans = against.audiences[0]
    assert (fans.before, fans.after, fans.entered, fans.left) == (1, 1, 1, 1)
    assert len(fans.entered_examples) == 1
    assert fans.entered_examples != fans.left_examples
    moves = {(one.before, one.after): one.profiles for one in against.experiences[0].moves}
    assert moves == {(None, 1): 1, (1, None): 1}


def test_examples_are_hashed_unless_shown(traffic: Input, tmp_path: Path) -> None:
    """Without `show_ids` no id of a profile stands in the result, and hashes stay the same."""
    rules = read_rules(DEMO_RULES)
    none = write_rules(tmp_path / "none", {DEMO: "audiences: []\n"})
    hidden = simulate(rules, read_rules(none), traffic, Options())
    shown = simulate(rules, read_rules(none), traffic, Options(show_ids=True))
    names = [
        [name for one in found.environments[0].against.audiences for name in one.entered_examples]  # type: ignore[union-attr]
        for found in (hidden, shown)
    ]
    assert {len(name) for name in names[0]} == {16}
    assert {len(name) for name in names[1]} == {64}
    assert len(set(names[0])) == len(set(names[1]))


def test_pairs_count_who_is_in_both(tmp_path: Path) -> None:
    """Overlap counts the final profiles that are in both audiences, and their share of either."""
    gold = {"type": "identify", "traits": {"tier": "gold"}}
    buy = {"type": "track", "event": "buy"}
    lines = [
        line("a", NOON_MS, messageId="1", **gold),
        line("a", NOON_MS, messageId="2", **buy),
        line("b", NOON_MS, messageId="3", **buy),
    ]
    environment = shop(tmp_path, {"a": SHOP}, lines).environments[0]
    pairs = {(one.first, one.second): (one.profiles, one.jaccard) for one in environment.overlap}
    assert pairs["buyers", "gold"] == (1, 0.5)
    counts = [one.profiles for one in environment.overlap]
    assert (counts, set(counts)) == (sorted(counts, reverse=True), {1, 2})


def test_conditions_that_decide_alone(tmp_path: Path) -> None:
    """A visitor whom one condition keeps out is counted for it, one whom two keep out is not."""
    text = "audiences:\n- id: a\n  all:\n  - has trait: {x: 1}\n  - has trait: {y: 1}\n"
    lines = [
        line("in", NOON_MS, type="identify", traits={"x": 1, "y": 1}),
        line("only-x", NOON_MS, type="identify", traits={"x": 1}),
        line("neither", NOON_MS),
    ]
    conditions = shop(tmp_path, {"a": text}, lines).environments[0].audiences[0].conditions
    found = {one.condition: (one.keeps_in, one.keeps_out) for one in conditions}
    assert found == {"trait x equals 1": (1, 0), "trait y equals 1": (1, 1)}


def test_decisions_are_in_input_order(traffic: Input, tmp_path: Path) -> None:
    """The Parquet file has one row per request that could be replayed, by line."""
    path = tmp_path / "decisions.parquet"
    result = simulate(read_rules(DEMO_RULES), None, traffic, Options(decisions=path))
    frame = pl.read_parquet(path)
    assert frame["line"].is_sorted()
    assert frame.height == result.environments[0].requests == 4_000


def test_progress_hears_of_everything(traffic: Input, tmp_path: Path) -> None:
    """The replay tells how many requests there are, and of all of them on the way."""
    heard = {"total": 0, "done": 0}

    class Listener(Progress):
        def replaying(self, total: int) -> None:
            heard["total"] = total

        def replayed(self, requests: int) -> None:
            heard["done"] += requests

    options = Options(state=tmp_path / "state")
    simulate(read_rules(DEMO_RULES), None, traffic, options, Listener())
    assert heard["total"] == 4_000
    assert heard["done"] == 4_000


def test_merge_needs_no_order(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partial results give the same whichever comes first."""
    rules = read_rules(DEMO_RULES)
    given: list[tuple[Simulation, list[PartialResult]]] = []
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 1_000)

    def spy(simulation: Simulation, partials: list[PartialResult]) -> Result:
        given.append((simulation, list(partials)))
        return merge(simulation, partials)

    monkeypatch.setattr(running, "merge", spy)
    expected = simulate(rules, None, traffic, Options(state=tmp_path / "state"))
    simulation, partials = given[0]
    assert len(partials) == 4
    assert merge(simulation, partials[::-1]) == expected


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"type": "teleport"}, id="unknown-type"),
        pytest.param({"type": "page", "context": "none"}, id="wrong-member"),
    ],
)
def test_broken_line_moves_nothing(tmp_path: Path, broken: dict[str, Any]) -> None:
    """A line that is left out does not count, not even its time."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP}))
    good = [line("a", NOON_MS), line("b", NOON_MS + 1)]
    late = {**line("c", NOON_MS + 60 * DAY_MS), **broken}
    results = []
    for name, lines in (("good", good), ("both", [*good, late])):
        path = write_lines(tmp_path / name, lines)
        source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
        results.append(simulate(rules, None, source, Options()))
    assert results[1].environments == results[0].environments
    assert (results[1].input.requests, results[1].input.events) == (2, 2)
    assert results[1].input.broken == 1


def test_environments_stay_apart(tmp_path: Path) -> None:
    """Visitors of two environments with one name are two visitors."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP, OTHER: SHOP}))
    lines = [line("a", NOON_MS), line("a", NOON_MS, environment=OTHER)]
    path = write_lines(tmp_path / "events", lines)
    source = Input(paths=(path,), environments=(MAIN, OTHER), environment=MAIN)
    result = simulate(rules, None, source, Options())
    assert [(one.environment, one.profiles) for one in result.environments] == [
        (MAIN, 1),
        (OTHER, 1),
    ]


def test_sizes_never_fall_below_nothing(tmp_path: Path) -> None:
    """Where arrivals go back, a visitor leaves an audience when it entered, and not before."""
    rules = "audiences:\n- {id: strangers, has viewed page: '*', 'fewer than': 3 times}\n"
    day_later_ms = NOON_MS + DAY_MS
    lines = [line("a", day_later_ms, messageId="1")]
    lines += [line("a", NOON_MS, messageId=str(number)) for number in (2, 3)]
    lines += [line("b", NOON_MS + 3 * DAY_MS, messageId="4")]
    source = Input(
        paths=(write_lines(tmp_path / "events.ndjson", lines),),
        environments=(MAIN,),
        environment=MAIN,
    )
    read = read_rules(write_rules(tmp_path / "rules", {MAIN: rules}))
    (found,) = simulate(read, None, source, Options()).environments
    (strangers,) = found.audiences
    assert (strangers.entered, strangers.left, strangers.size) == (2, 1, 1)
    assert min(strangers.sizes) == 0
    assert strangers.sizes[-1] == 1


def test_strict_is_told_of_a_line_that_the_replay_finds_broken(tmp_path: Path) -> None:
    """A profile of another environment ends a strict run with the first such line."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP, OTHER: SHOP}))
    lines = [
        line("a" * 64, NOON_MS, environment=MAIN),
        line("a" * 64, NOON_MS, environment=OTHER),
        line("a" * 64, NOON_MS, environment=OTHER),
    ]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN, OTHER))
    result = simulate(rules, None, source, Options())
    assert [one.line for one in result.input.broken_lines] == [2, 3]
    for workers in (1, 2):
        strict = msgspec.structs.replace(source, strict=True)
        with pytest.raises(InputError, match=r"events.ndjson, line 2: .*another env"):
            simulate(rules, None, strict, Options(workers=workers))


def test_survivor_of_others_is_decided_too(tmp_path: Path) -> None:
    """A line may tell that two visitors are one who are not its own: the one gets what it gets."""
    news = {"context": {"page": {"path": "/news"}}}
    first, second = "a" * 64, "b" * 64
    lines = [
        line(first, NOON_MS, messageId="1", **news),
        line(second, NOON_MS, messageId="2", **news),
        line("c" * 64, NOON_MS + 1, messageId="3", **{"$joined": [[first, second]]}),
    ]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
    read = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP}))
    (found,) = simulate(read, None, source, Options()).environments
    assert {one.id: one.size for one in found.audiences}["readers"] == 1


def test_results_of_another_run_are_not_taken(traffic: Input, tmp_path: Path) -> None:
    """Where only the checkpoint of an earlier run is gone, what it had found counts for nothing."""
    rules, state = read_rules(DEMO_RULES), tmp_path / "state"
    decisions = tmp_path / "d.parquet"
    simulate(rules, None, traffic, Options(state=state, decisions=decisions))
    assert list(state.glob("*.result"))
    (state / "checkpoint.msgpack").unlink()
    lines = [line("a", NOON_MS, messageId="1")]
    other = Input(
        paths=(write_lines(tmp_path / "other.ndjson", lines),),
        environments=(DEMO,),
        environment=DEMO,
    )
    result = simulate(rules, None, other, Options(state=state, decisions=decisions))
    assert encode_result(result) == encode_result(simulate(rules, None, other, Options()))
    assert pl.read_parquet(decisions).height == 1


@pytest.mark.parametrize("at_once", [1, 3])
def test_how_many_requests_are_read_at_once_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Broken lines, the span of time and arrivals that go back are the same over the borders."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP, OTHER: SHOP}))
    shared = "a" * 64
    lines = [line(shared, NOON_MS, environment=MAIN)]
    for number in range(25):
        back_ms = NOON_MS - number * MINUTE_MS
        lines.append(line(shared, back_ms, environment=OTHER))
        lines.append(line("b", back_ms, environment=OTHER, messageId=str(number)))
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN, OTHER))
    result = simulate(rules, None, source, Options())
    assert (result.input.broken, result.input.out_of_order) == (25, 24)
    assert result.timeline.first == iso_time(NOON_MS - 24 * MINUTE_MS)
    assert result.timeline.last == iso_time(NOON_MS)
    assert [one.line for one in result.input.broken_lines] == list(range(2, 42, 2))
    monkeypatch.setattr("edgewise.simulate.scan.REQUESTS_AT_ONCE", at_once)
    assert encode_result(simulate(rules, None, source, Options())) == encode_result(result)


def test_who_was_in_an_audience_without_experiences_is_counted(tmp_path: Path) -> None:
    """Whoever left again was in it, although nothing was ever shown for it."""
    rules = "audiences:\n- {id: new, has viewed page: '*', 'fewer than': 2 times}\n"
    lines = [line("a", NOON_MS + number, messageId=str(number)) for number in range(3)]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
    read = read_rules(write_rules(tmp_path / "rules", {MAIN: rules}))
    (found,) = simulate(read, None, source, Options()).environments
    assert [(one.ever, one.size) for one in found.audiences] == [(1, 0)]


def test_who_becomes_another_does_so_after_all_else(tmp_path: Path) -> None:
    """Where the request that joins two arrives before what one of them did, sizes still add up."""
    rules = "audiences:\n- {id: new, has viewed page: '*', 'fewer than': 2 times}\n"
    lines = [
        line("b", NOON_MS, type="identify", userId="anna", messageId="1"),
        line("b", NOON_MS, messageId="2"),
        line("a", NOON_MS + DAY_MS, messageId="3"),
        line("a", NOON_MS, type="identify", userId="anna", messageId="4"),
        line("c", NOON_MS + 5 * DAY_MS, messageId="5"),
    ]
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN,), environment=MAIN)
    read = read_rules(write_rules(tmp_path / "rules", {MAIN: rules}))
    (found,) = simulate(read, None, source, Options()).environments
    (new,) = found.audiences
    assert (sum(new.merged), new.left) == (1, 1)
    assert new.sizes == [0, 0, 0, 0, 0, 1]


def test_a_kill_while_state_is_removed_spoils_nothing(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of the state was removed already, the same run and another one come out right."""
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 2_000)
    rules, finished, decisions = read_rules(DEMO_RULES), tmp_path / "0", tmp_path / "d.parquet"
    lines = [line("a", NOON_MS, messageId="1"), line("b", NOON_MS, messageId="2")]
    other = msgspec.structs.replace(traffic, paths=(write_lines(tmp_path / "other.ndjson", lines),))
    expected = {
        source: encode_result(simulate(rules, None, source, Options()))
        for source in (traffic, other)
    }
    simulate(rules, None, traffic, Options(state=finished, decisions=decisions))
    rows = {traffic: pl.read_parquet(decisions).height, other: 2}
    removals = len(list(finished.rglob("*"))) + 1
    for number in range(1, removals + 1):
        for source in (traffic, other):
            state = tmp_path / f"{number}"
            copytree(finished, state)
            with monkeypatch.context() as patch:
                kill_after(number, patch)
                with pytest.raises(KeyboardInterrupt):
                    remove_state(state)
            options = Options(state=state, decisions=decisions)
            assert encode_result(simulate(rules, None, source, options)) == expected[source]
            assert pl.read_parquet(decisions).height == rows[source]
            remove_state(state)
            assert not state.exists()


def kill_after(removals: int, patch: pytest.MonkeyPatch) -> None:
    """Let nothing more happen once so many files and folders were removed."""
    left = removals

    def removing(remove: Callable[..., None]) -> Callable[..., None]:
        def removed(*args: Any, **options: Any) -> None:
            nonlocal left
            remove(*args, **options)
            left -= 1
            if not left:
                raise KeyboardInterrupt

        return removed

    patch.setattr(os, "unlink", removing(os.unlink))
    patch.setattr(os, "rmdir", removing(os.rmdir))


def test_a_folder_that_stays_is_left_empty(traffic: Input, tmp_path: Path) -> None:
    """State behind a link is removed, and the link can be used again."""
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there")
    for _ in range(2):
        simulate(read_rules(DEMO_RULES), None, traffic, Options(state=link))
        remove_state(link)
        assert list(link.iterdir()) == []


def environments_of(tmp_path: Path, lines: list[dict[str, Any]], **options: Any) -> Result:
    """Simulate lines of two environments with the same rules, against these rules."""
    rules = read_rules(write_rules(tmp_path / "rules", {MAIN: SHOP, OTHER: SHOP}))
    path = write_lines(tmp_path / "events.ndjson", lines)
    source = Input(paths=(path,), environments=(MAIN, OTHER), **options)
    return simulate(rules, rules, source, Options())


def test_a_hash_for_a_user_id_in_two_environments(tmp_path: Path) -> None:
    """A user id that looks like the id of a profile is a name where another environment has it."""
    lines = [
        line(name, NOON_MS, type="identify", userId="f" * 64, environment=environment)
        for name, environment in (("a", MAIN), ("b", OTHER), ("c", OTHER))
    ]
    lines.insert(0, line("c", NOON_MS, environment=OTHER))
    result = environments_of(tmp_path, lines)
    assert result.input.broken == 0
    assert [(one.profiles, one.merged) for one in result.environments] == [(1, 0), (1, 1)]


def test_a_request_that_is_refused_half_way(tmp_path: Path) -> None:
    """What it did before counts on both sides, as a service would have kept it."""
    taken = id_for_name(OTHER, "u-1")
    identify = [{"type": "identify", "userId": name} for name in ("u-2", "u-1")]
    lines = [
        line(taken, NOON_MS, environment=MAIN),
        {"profileId": "b", "receivedAt": NOON_MS, "environment": OTHER, "events": identify},
    ]
    result = environments_of(tmp_path, lines)
    assert [one.line for one in result.input.broken_lines] == [2]
    for found in result.environments:
        assert found.profiles == sum(found.new_profiles) - found.merged == 1
        assert found.against is not None
        assert not any(one.entered or one.left for one in found.against.audiences)
        assert all(one.before == one.after for one in found.against.audiences)


def test_a_message_twice_in_one_request_is_a_repeated_event(tmp_path: Path) -> None:
    """Every event of the input is counted, or counted as one that had been counted before."""
    event = {"type": "page", "messageId": "x"}
    lines = [{"profileId": "a", "receivedAt": NOON_MS, "environment": MAIN, "events": [event] * 3}]
    result = environments_of(tmp_path, lines)
    found = result.environments[0]
    assert (result.input.events, found.events, found.duplicates) == (3, 3, 2)


def test_reasons_are_short_and_can_be_shown(tmp_path: Path) -> None:
    """A visitor's own text in a reason neither steers a terminal nor fills the result."""
    lines = [
        {"type": "page", "anonymousId": "a", "timestamp": text} for text in ("\x1b[1m", "x" * 9_999)
    ]
    result = environments_of(tmp_path, [{**one, "environment": MAIN} for one in lines])
    first, second = (one.reason for one in result.input.broken_lines)
    assert first.startswith(r'timestamp: "\x1b[1m" is no time')
    assert second == 'timestamp: "' + "x" * 187 + "…"
    with pytest.raises(InputError) as refused:
        environments_of(tmp_path, [{**lines[0], "environment": MAIN}], strict=True)
    assert r"\x1b[1m" in str(refused.value)
