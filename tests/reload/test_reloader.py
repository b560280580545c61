"""Rules are taken over while they are served: whole, at once, and never when they are faulty."""

from __future__ import annotations

import asyncio
import gc
import linecache
import os
import threading
import tracemalloc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from watchfiles import Change

from edgewise.asgi.app import build_app
from edgewise.errors import RulesError
from edgewise.live import LiveService
from edgewise.reload.reading import Reading, read_settled
from edgewise.reload.reloader import Reloader, ReloadSettings
from edgewise.ruleset import load_ruleset
from edgewise.sources import lines
from edgewise.sources.yaml_text import compose_yaml
from edgewise.stores.memory import MemoryStore

# Tests look themselves; nothing happens behind their back.
BY_HAND = ReloadSettings(watch=False, poll_s=3600, settle_s=0)
GONE_AT_ONCE = ReloadSettings(watch=False, poll_s=3600, settle_s=0, keep_gone_s=0)
MAIN = ("shop", "main")
SWAPS = 200
REQUESTS = 30_000


def rules(letter: str, variant: int = 1) -> str:
    """Rules in which everything bears one letter: each answer tells which rules made it."""
    shares = ["0", "0", "0"]
    shares[variant] = "1"
    return f"""
audiences:
  - {{id: everyone-{letter}, session count: {{at least: 0}}}}
  - {{id: viewers-{letter}, has viewed page: {{path: {{contains: {letter}}}}}, at least: 0}}
experiences:
  - id: hero-{letter}
    audience: everyone-{letter}
    distribution: [{", ".join(shares)}]
    components:
      - {{entry: entry-{letter}, variants: [one-{letter}, two-{letter}]}}
      - {{variable: key-{letter}, baseline: none, variants: [one-{letter}, two-{letter}]}}
  - id: banner-{letter}
    components:
      - {{variable: all-{letter}, baseline: none, variants: [one-{letter}]}}
"""


def put(root: Path, text: str, environment: str = "main") -> Path:
    """Write the rules of an environment, as a careful writer does: aside, then in one step."""
    path = root / "shop" / environment / "rules.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(".rules.yaml.new")
    aside.write_text(text, "utf-8")
    aside.replace(path)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the rules of one environment."""
    folder = tmp_path / "rules"
    put(folder, rules("a"))
    return folder


@asynccontextmanager
async def started(root: Path, settings: ReloadSettings = BY_HAND) -> AsyncIterator[Reloader]:
    """A reloader that has loaded a folder; it ends with the block."""
    reloader = Reloader(root, settings=settings)
    await reloader.start()
    try:
        yield reloader
    finally:
        await reloader.stop()


async def until(reloader: Reloader, what: Any) -> None:
    """Wait until something is true of a reloader; a test that waits in vain is ended."""
    async with asyncio.timeout(30):
        while not what(reloader):  # noqa: ASYNC110  # a reloader tells nobody
            await asyncio.sleep(0.01)


def audiences(reloader: Reloader, environment: str = "main") -> tuple[str, ...]:
    """The ids of the audiences that an environment is served with."""
    return reloader.rulesets["shop", environment].evaluator.ids


def test_a_changed_file_takes_the_place_of_the_old_rules(root: Path) -> None:
    """After a look at the folder the new rules are served, under another digest."""

    async def scenario() -> None:
        async with started(root) as reloader:
            before = reloader.rulesets[MAIN]
            put(root, rules("b"))
            await reloader.reload()
            assert audiences(reloader) == ("everyone-b", "viewers-b")
            assert reloader.rulesets[MAIN].digest != before.digest

    asyncio.run(scenario())


def test_unchanged_files_are_not_loaded_again(root: Path) -> None:
    """A look that finds nothing new leaves the very same ruleset in place."""

    async def scenario() -> None:
        async with started(root) as reloader:
            before = reloader.rulesets[MAIN]
            await reloader.reload()
            assert reloader.rulesets[MAIN] is before

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("audiences: [", "syntax", id="no YAML"),
        pytest.param("audiences: [{id: x, has traits: y}]", "unknown_key", id="a faulty rule"),
        pytest.param(
            "audiences: [{id: x, has trait: y}, {id: z, audience: nobody}]",
            "unknown_audience",
            id="one of two audiences",
        ),
    ],
)
def test_a_faulty_change_is_refused_as_a_whole(root: Path, text: str, code: str) -> None:
    """The old rules stay, the fault is named with its time, and the next good change goes live."""

    async def scenario() -> None:
        async with started(root) as reloader:
            before = reloader.rulesets[MAIN]
            put(root, text)
            await reloader.reload()
            assert reloader.rulesets[MAIN] is before
            status = reloader.status()[MAIN]
            assert code in [refusal.code for refusal in status.refused]
            assert "rules/shop/main/rules.yaml" in status.refused[0].reason
            assert status.refused_at
            put(root, rules("b"))
            await reloader.reload()
            assert audiences(reloader) == ("everyone-b", "viewers-b")
            assert (reloader.status()[MAIN].refused, reloader.status()[MAIN].refused_at) == ([], "")

    asyncio.run(scenario())


LINES = """audiences:
  - id: x
    has trait: y
  - id: z
    has traits: y
"""


@pytest.mark.parametrize(
    ("text", "place", "line", "pointer"),
    [
        pytest.param(LINES, "unknown_key at ", 5, "/audiences/1/has traits", id="a rule"),
        pytest.param("audiences:\n  - [", "syntax", 3, "", id="no YAML"),
    ],
)
def test_a_refusal_tells_the_line(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    text: str,
    place: str,
    line: int,
    pointer: str,
) -> None:
    """The log and the status name file and line, which are looked up beside the event loop."""
    threads: list[threading.Thread] = []

    def compose(text: str) -> Any:
        threads.append(threading.current_thread())
        return compose_yaml(text)

    monkeypatch.setattr(lines, "compose_yaml", compose)

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, text)
            await reloader.reload()
            (refusal,) = reloader.status()[MAIN].refused
            assert (refusal.file, refusal.line) == ("rules/shop/main/rules.yaml", line)
            assert refusal.pointer == pointer
            assert refusal.reason.startswith(f"rules/shop/main/rules.yaml:{line}: ")
            assert refusal.reason in caplog.text
            assert f"[{place}{pointer}]" in caplog.text

    asyncio.run(scenario())
    assert threading.main_thread() not in threads
    assert bool(threads) is bool(pointer)


def test_a_faulty_start_tells_the_line(root: Path) -> None:
    """What refuses a start names the line of each fault."""
    put(root, LINES)
    with pytest.raises(RulesError, match=r"^rules/shop/main/rules\.yaml:5: unknown key"):
        asyncio.run(Reloader(root, settings=BY_HAND).start())


def test_a_faulty_environment_holds_up_no_other(root: Path) -> None:
    """Of two changed environments the good one goes live and the faulty one stays as it was."""
    put(root, rules("a"), "staging")

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, "audiences: [")
            put(root, rules("b"), "staging")
            await reloader.reload()
            assert audiences(reloader) == ("everyone-a", "viewers-a")
            assert audiences(reloader, "staging") == ("everyone-b", "viewers-b")

    asyncio.run(scenario())


def test_a_faulty_audience_of_an_app_is_set_aside_alone(root: Path) -> None:
    """An audience from elsewhere that is not understood never matches; all others go live."""
    faulty = "{id: odd, nt_rules: {any: [{all: [{type: weather}]}]}}"

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, rules("b").replace("audiences:", f"audiences:\n  - {faulty}"))
            await reloader.reload()
            ruleset = reloader.rulesets[MAIN]
            assert ruleset.evaluator.ids == ("everyone-b", "odd", "viewers-b")
            assert [fault.audience_id for fault in ruleset.set_aside] == ["odd"]

    asyncio.run(scenario())


def test_environments_come_and_go(root: Path) -> None:
    """A new folder is served without a restart, and a removed one is served no more."""

    async def scenario() -> None:
        async with started(root, GONE_AT_ONCE) as reloader:
            path = put(root, rules("b"), "staging")
            await reloader.reload()
            assert audiences(reloader, "staging") == ("everyone-b", "viewers-b")
            path.unlink()
            path.parent.rmdir()
            await reloader.reload()
            assert list(reloader.rulesets) == [MAIN]
            assert list(reloader.status()) == [MAIN]

    asyncio.run(scenario())


@pytest.mark.parametrize("letter", ["a", "b"])
def test_an_environment_that_comes_back_was_served_all_the_time(root: Path, letter: str) -> None:
    """Its folder may be gone for a while; that is told, and no more once it is there again."""

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, rules("s"), "staging")
            path = root / "shop" / "main" / "rules.yaml"
            path.unlink()
            path.parent.rmdir()
            for _ in range(2):
                await reloader.reload()
                assert audiences(reloader) == ("everyone-a", "viewers-a")
                (refused,) = reloader.status()[MAIN].refused
                assert (refused.code, refused.file) == ("unreadable", "rules/shop/main")
            put(root, rules(letter))
            await reloader.reload()
            assert audiences(reloader) == (f"everyone-{letter}", f"viewers-{letter}")
            assert reloader.status()[MAIN].refused == []

    asyncio.run(scenario())


def test_an_environment_may_go_again_after_it_came_back(root: Path) -> None:
    """The time it is kept for begins anew."""

    async def scenario() -> None:
        settings = ReloadSettings(watch=False, poll_s=3600, settle_s=0, keep_gone_s=0.3)
        async with started(root, settings) as reloader:
            put(root, rules("s"), "staging")
            folder = root / "shop" / "main"
            aside = root.with_name("aside")
            folder.rename(aside)
            await reloader.reload()
            await asyncio.sleep(0.31)
            aside.rename(folder)
            await reloader.reload()
            folder.rename(aside)
            await reloader.reload()
            assert MAIN in reloader.rulesets
            await asyncio.sleep(0.31)
            await reloader.reload()
            assert MAIN not in reloader.rulesets

    asyncio.run(scenario())


def test_rules_stay_while_the_whole_folder_is_gone(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that is being replaced takes no environment out of service, and is told once."""

    async def scenario() -> None:
        async with started(root, GONE_AT_ONCE) as reloader:
            root.rename(root.with_name("elsewhere"))  # noqa: ASYNC240  # a test may block
            for _ in range(3):
                await reloader.reload()
                assert audiences(reloader) == ("everyone-a", "viewers-a")
                (refused,) = reloader.status()[MAIN].refused
                assert refused.reason.startswith(
                    "rules/shop/main: its rules are gone; what they said holds until there are"
                )
            assert caplog.text.count("its rules are gone") == 1
            put(root, rules("b"))
            await reloader.reload()
            assert audiences(reloader) == ("everyone-b", "viewers-b")

    asyncio.run(scenario())


def test_all_come_back_after_a_long_time_without_any(root: Path) -> None:
    """The time that each may be gone begins when the first are there again."""

    async def scenario() -> None:
        settings = ReloadSettings(watch=False, poll_s=3600, settle_s=0, keep_gone_s=0.2)
        async with started(root, settings) as reloader:
            put(root, rules("s"), "staging")
            await reloader.reload()
            both = set(reloader.rulesets)
            aside = root.with_name("aside")
            root.rename(aside)  # noqa: ASYNC240  # a test may block
            await reloader.reload()
            await asyncio.sleep(0.3)
            await reloader.reload()
            assert set(reloader.rulesets) == both
            (root / "shop").mkdir(parents=True)
            (aside / "shop" / "main").rename(root / "shop" / "main")
            await reloader.reload()
            assert set(reloader.rulesets) == both
            (refused,) = reloader.status()["shop", "staging"].refused
            assert "what they said holds for 0.2 seconds more" in refused.reason
            await asyncio.sleep(0.21)
            await reloader.reload()
            assert set(reloader.rulesets) == {MAIN}

    asyncio.run(scenario())


def test_a_gone_environment_ends_without_another_look(root: Path) -> None:
    """Nobody has to poll for the end of its time."""

    async def scenario() -> None:
        settings = ReloadSettings(watch=False, poll_s=3600, settle_s=0, keep_gone_s=0.1)
        async with started(root, settings) as reloader:
            put(root, rules("s"), "staging")
            (root / "shop" / "main").rename(root.with_name("aside"))
            await reloader.reload()
            assert MAIN in reloader.rulesets
            await until(reloader, lambda one: MAIN not in one.rulesets)

    asyncio.run(scenario())


def test_what_never_was_served_is_not_served_on(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A faulty environment that goes is forgotten, and nothing is said of serving it."""

    async def scenario() -> None:
        async with started(root) as reloader:
            path = put(root, "audiences: [", "staging")
            await reloader.reload()
            assert ("shop", "staging") in reloader.status()
            path.unlink()
            path.parent.rmdir()
            await reloader.reload()
            assert list(reloader.status()) == [MAIN]

    asyncio.run(scenario())
    assert "served no more" not in caplog.text
    assert "are gone" not in caplog.text


def test_files_that_go_before_their_folder(root: Path) -> None:
    """A look in between finds no rules, which is no reason to serve none."""

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, rules("s"), "staging")
            (root / "shop" / "main" / "rules.yaml").unlink()
            for _ in range(2):
                await reloader.reload()
                assert audiences(reloader) == ("everyone-a", "viewers-a")
            put(root, rules("b"))
            await reloader.reload()
            assert audiences(reloader) == ("everyone-b", "viewers-b")

    asyncio.run(scenario())


def test_files_that_go_while_they_are_looked_at(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that vanishes before it is read takes the rules in use not along."""

    async def scenario() -> None:
        async with started(root) as reloader:
            put(root, rules("s"), "staging")
            await reloader.reload()
            path = put(root, rules("b"))

            def late(*arguments: Any) -> Reading:
                if arguments[0] == path.parent:
                    path.unlink()
                return read_settled(*arguments)

            monkeypatch.setattr("edgewise.reload.reloader.read_settled", late)
            await reloader.reload()
            assert audiences(reloader) == ("everyone-a", "viewers-a")
            (refused,) = reloader.status()[MAIN].refused
            assert "its rules are gone" in refused.reason

    asyncio.run(scenario())


def test_an_environment_without_files_is_one_in_the_end(root: Path) -> None:
    """Whoever removes all rules and leaves the folder means it."""

    async def scenario() -> None:
        async with started(root, GONE_AT_ONCE) as reloader:
            put(root, rules("s"), "staging")
            (root / "shop" / "main" / "rules.yaml").unlink()
            await reloader.reload()
            await until(reloader, lambda one: MAIN in one.rulesets and audiences(one) == ())

    asyncio.run(scenario())


def test_a_second_start_begins_nothing_anew(root: Path) -> None:
    """What goes on in the background goes on once, also where both starts are under way."""

    async def scenario() -> None:
        reloader = Reloader(root, settings=BY_HAND)
        await asyncio.gather(reloader.start(), reloader.start())
        names = [task.get_name() for task in asyncio.all_tasks()]
        assert names.count("edgewise-reloader") == 1
        await reloader.stop()
        put(root, rules("b"))
        await reloader.start()
        assert audiences(reloader) == ("everyone-b", "viewers-b")
        await reloader.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("copies", "changed", "concerns"),
    [
        ("rules/.data", "rules/.data/profiles.db", False),
        ("rules/.data", "rules/.data/profiles.db-wal", False),
        ("rules/.data", "rules/shop/main/a.yaml", True),
        ("data", "data/profiles.db", False),
        ("data", "rules/shop/main/a.yaml", True),
        (".", "rules/shop/main/a.yaml", True),
        (".", "profiles.db", False),
    ],
)
def test_a_store_is_no_rule_wherever_it_lies(
    tmp_path: Path, copies: str, changed: str, concerns: bool
) -> None:
    """Writes of a store make nobody look, below the rules, above them or beside them."""
    reloader = Reloader(tmp_path / "rules", tmp_path / copies)
    assert reloader._concerns(Change.modified, str(tmp_path / changed)) is concerns


def test_a_start_refuses_faulty_rules(root: Path) -> None:
    """Without old rules to go on with, every fault of every environment ends the start."""
    put(root, "audiences: [")
    put(root, "audiences: {}", "staging")
    with pytest.raises(RulesError) as caught:
        asyncio.run(Reloader(root, settings=BY_HAND).start())
    assert [fault.code for fault in caught.value.faults] == ["syntax", "wrong_type"]


def test_a_start_refuses_a_folder_without_rules(tmp_path: Path) -> None:
    """A folder in which nothing can be served is a fault and no empty server."""
    with pytest.raises(RulesError) as caught:
        asyncio.run(Reloader(tmp_path / "nowhere", settings=BY_HAND).start())
    assert [fault.code for fault in caught.value.faults] == ["no_environment"]


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(ReloadSettings(poll_s=3600, settle_s=0.01), id="watched"),
        pytest.param(ReloadSettings(watch=False, poll_s=0.02, settle_s=0.01), id="polled"),
    ],
)
def test_changes_are_noticed_without_being_told(root: Path, settings: ReloadSettings) -> None:
    """The system's notice is enough, and so is looking from time to time."""

    async def scenario() -> None:
        async with started(root, settings) as reloader:
            if settings.watch:
                # Until the watch stands, nothing is told.
                await asyncio.sleep(0.3)
            put(root, rules("b"))
            await until(reloader, lambda one: audiences(one) == ("everyone-b", "viewers-b"))
            put(root, rules("c"), "staging")
            await until(reloader, lambda one: ("shop", "staging") in one.rulesets)

    asyncio.run(scenario())


def test_a_store_beside_the_copies_is_no_change_of_rules(root: Path) -> None:
    """Writes of a store into the folder of the copies make nobody look; those of a copy do."""

    async def scenario() -> None:
        copies = root.parent / "data"
        copies.mkdir()
        looks = 0

        class Counted(Reloader):
            async def reload(self) -> None:
                nonlocal looks
                looks += 1
                await super().reload()

        reloader = Counted(root, copies, ReloadSettings(poll_s=3600, settle_s=0.01))
        await reloader.start()
        try:
            # Until the watch stands, nothing is told; what is already there may be.
            await asyncio.sleep(0.5)
            before = looks
            for _ in range(3):
                (copies / "edgewise.db-wal").write_bytes(b"x")
                await asyncio.sleep(0.3)
            assert looks == before
            (copies / "contentful+s+master+delivery.json").write_bytes(b"{}")
            async with asyncio.timeout(30):
                while looks == before:  # noqa: ASYNC110 # what is waited for tells nobody
                    await asyncio.sleep(0.01)
        finally:
            await reloader.stop()

    asyncio.run(scenario())


def test_what_nobody_thought_of_holds_up_no_other(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment that fails in an unknown way keeps its rules and tells; others change."""

    def load(organization: str, environment: str, documents: Any) -> Any:
        if environment == "main":
            raise RecursionError
        return load_ruleset(organization, environment, documents)

    async def scenario() -> None:
        put(root, rules("b"), "staging")
        async with started(root) as reloader:
            monkeypatch.setattr("edgewise.reload.reloader.load_ruleset", load)
            put(root, rules("c"))
            put(root, rules("d"), "staging")
            await reloader.reload()
            assert audiences(reloader) == ("everyone-a", "viewers-a")
            (refused,) = reloader.status()[MAIN].refused
            assert refused.code == "unreadable"
            staging = reloader.rulesets["shop", "staging"]
            assert [one.id for one in staging.audiences] == ["everyone-d", "viewers-d"]

    asyncio.run(scenario())


def test_a_file_is_read_when_nobody_writes_in_it(root: Path) -> None:
    """Half a file may be valid, and is not taken over while the other half is being written."""
    half, rest = rules("b").split("  - id: banner-b")
    seen: set[int] = set()

    async def write(path: Path) -> None:
        with path.open("w", encoding="utf-8") as file:
            for part in (half, "  - id: banner-b", rest):
                file.write(part)
                file.flush()
                await asyncio.sleep(0.1)

    async def scenario() -> None:
        settings = ReloadSettings(watch=False, poll_s=0.01, settle_s=0.4)
        async with started(root, settings) as reloader:
            writing = asyncio.create_task(write(root / "shop" / "main" / "rules.yaml"))
            async with asyncio.timeout(30):
                while audiences(reloader) != ("everyone-b", "viewers-b"):
                    seen.add(len(reloader.rulesets[MAIN].experiences))
                    await asyncio.sleep(0.005)
            await writing
            assert len(reloader.rulesets[MAIN].experiences) == 2

    asyncio.run(scenario())
    assert seen == {2}


def letters_in(value: Any) -> set[str]:
    """The last letters of every name that rules gave to something in an answer."""
    found: set[str] = set()
    if isinstance(value, dict):
        for name, member in value.items():
            found |= letters_in(member) | ({name[-1]} if name.startswith("entry-") else set())
    elif isinstance(value, list):
        found |= {letter for member in value for letter in letters_in(member)}
    elif isinstance(value, str) and "-" in value:
        found.add(value[-1])
    return found


class Caller:
    """Sends requests to an application and judges each answer."""

    def __init__(self, app: Any, digests: dict[str, str]) -> None:
        self._app = app
        self._digests = digests
        self.answers = 0
        self.seen: set[str] = set()

    async def call(self, number: int) -> None:
        """Send one update, preflight or read, and assert that one ruleset has made the answer."""
        path = f"/v2/organizations/shop/environments/main/profiles/visitor-{number % 8}"
        method = "GET" if number % 3 == 2 else "POST"
        body = b'{"events":[{"type":"page","messageId":"%d"}]}' % (number % 8)
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"type=preflight" if number % 3 == 1 else b"",
            "headers": [],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)  # another request, or a swap, gets in between
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        assert sent[0]["status"] == 200
        digest = dict(sent[0]["headers"])[b"x-edgewise-ruleset"].decode()
        data = msgspec.json.decode(sent[1]["body"])["data"]
        (letter,) = (
            letters_in(data["profile"]["audiences"])
            | letters_in(data["experiences"])
            | letters_in(data["changes"])
        )
        # Which variant it is belongs to the rules too, and the digest names them all.
        heroes = [one for one in data["experiences"] if "hero" in one["experienceId"]]
        (index,) = {one["variantIndex"] for one in heroes}
        assert self._digests[digest] == f"{letter}{index}"
        self.seen.add(digest)
        self.answers += 1


def test_swaps_under_load_fail_and_mix_nothing(root: Path) -> None:
    """200 swaps during 30,000 requests: each is answered, by one ruleset, and none is kept."""
    versions = [("a", 1), ("b", 2), ("a", 2), ("b", 1)]
    digests: dict[str, str] = {}
    swapped: list[weakref.ref[Any]] = []

    async def swap(reloader: Reloader, caller: Caller) -> None:
        for number in range(SWAPS):
            # Spread over all of the requests.
            while caller.answers < number * REQUESTS // SWAPS:  # noqa: ASYNC110  # a count
                await asyncio.sleep(0)
            put(root, rules(*versions[number % len(versions)]))
            await reloader.reload()
            swapped.append(weakref.ref(reloader.rulesets[MAIN]))

    async def load(caller: Caller, start: int) -> None:
        number = start
        while caller.answers < REQUESTS:
            # Requests go on during a swap, but do not run away from all that are still to come.
            if caller.answers > (len(swapped) + 2) * REQUESTS // SWAPS and len(swapped) < SWAPS:
                await asyncio.sleep(0.001)
                continue
            await caller.call(number)
            number += 1

    async def scenario() -> None:
        async with started(root) as reloader:
            for letter, variant in versions:
                put(root, rules(letter, variant))
                await reloader.reload()
                digests[reloader.rulesets[MAIN].digest] = f"{letter}{variant}"
            service = LiveService(reloader, MemoryStore())
            caller = Caller(build_app(service), digests)
            for name in range(8):
                await caller.call(3 * name)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(swap(reloader, caller))
                for start in range(4):
                    tasks.create_task(load(caller, start))
            assert caller.answers >= REQUESTS
            assert caller.seen == digests.keys()
            gc.collect()
            alive = [ruleset for one in swapped if (ruleset := one()) is not None]
            assert len(swapped) == SWAPS
            assert alive == [reloader.rulesets[MAIN]]

    asyncio.run(scenario())


def test_swaps_leave_nothing_behind(root: Path) -> None:
    """After 200 swaps there is one ruleset, as much source text as before, and no more memory."""

    async def swap(reloader: Reloader, times: int) -> None:
        for number in range(times):
            put(root, rules("ab"[number % 2]))
            await reloader.reload()

    async def scenario() -> None:
        async with started(root) as reloader:
            tracemalloc.start()
            try:
                await swap(reloader, 20)
                gc.collect()
                size_bytes, _ = tracemalloc.get_traced_memory()
                lines = len(linecache.cache)
                await swap(reloader, SWAPS)
                gc.collect()
                assert tracemalloc.get_traced_memory()[0] < size_bytes + 200_000
                assert len(linecache.cache) <= lines
            finally:
                tracemalloc.stop()

    asyncio.run(scenario())


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_folder_that_cannot_be_read_is_a_fault(root: Path) -> None:
    """Rules that are there but out of reach are named, and the old ones stay."""

    async def scenario() -> None:
        async with started(root) as reloader:
            folder = root / "shop" / "main"
            folder.chmod(0)
            try:
                await reloader.reload()
                assert reloader.status()[MAIN].refused[0].code == "unreadable"
                assert audiences(reloader) == ("everyone-a", "viewers-a")
            finally:
                folder.chmod(0o700)

    asyncio.run(scenario())
