"""Real server processes on one SQLite file: together, and killed under load."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from edgewise.model.profiles import Profile
from edgewise.records import Records
from edgewise.stores.sqlite import SqliteStore
from tests.sdk.harness import REPOSITORY, START_TIMEOUT_S, free_port, stop, wait_until_healthy

PATH = "/v2/organizations/org/environments/main/profiles"
RULES = """
audiences:
  - id: counted
    has performed event: buy
    at least: {count}
"""
SENT_AGAIN = frozenset({429, 503})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with rules that count an event, and with room for a store."""
    rules = tmp_path / "rules" / "org" / "main"
    rules.mkdir(parents=True)
    (rules / "rules.yaml").write_text(RULES.format(count=10_000), "utf-8")
    return tmp_path


class Server:
    """A server process that may be killed and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"server-{self.port}.log"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "edgewise.cli", "serve", str(self.folder / "rules")]
        command += ["--store", f"sqlite://{self.folder}/profiles.db", "--port", str(self.port)]
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "engine")}
        with self.log.open("ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        wait_until_healthy(f"http://127.0.0.1:{self.port}", process, self.log)
        return process

    def kill(self) -> None:
        """End the process as a machine does that loses its memory."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def start_again(self) -> None:
        """Start a new process in the place of the one that ended."""
        self.process = self._start()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server that has ended when the block has."""
    server = Server(folder)
    try:
        yield server
    finally:
        stop(server.process)


class Client:
    """One kept-alive connection that sends a request again until it is answered with 200."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.resent = 0
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def deliver(self, profile_id: str, body: bytes) -> None:
        """Return when the server has acknowledged an update."""
        pause_s = 0.005
        while True:
            try:
                status = await self._post(f"{PATH}/{profile_id}", body)
            except (OSError, asyncio.IncompleteReadError):
                self._close()
                status = 503
            if status == 200:
                return
            assert status in SENT_AGAIN, status
            self.resent += 1
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, 0.2)

    async def _post(self, path: str, body: bytes) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.server.port)
        reader, writer = self._streams
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, _, rest = answer.partition("content-length: ")
        await reader.readexactly(int(rest.partition("\r\n")[0]))
        return int(answer.split(" ", 2)[1])

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()


def body_of(message_id: str) -> bytes:
    event = {"type": "track", "event": "buy", "properties": {}, "messageId": message_id}
    return json.dumps({"events": [event]}).encode()


async def stored(folder: Path, profile_id: str) -> tuple[Profile, Counter[str]]:
    """Return a profile as it lies in the file, and how often its log holds each message."""
    store = SqliteStore(folder / "profiles.db")
    try:
        found = await Records(store).load(profile_id)
        assert found is not None
        assert isinstance(found.record, Profile)
        entries = await store.read_log(profile_id)
        return found.record, Counter(json.loads(entry.event)["messageId"] for entry in entries)
    finally:
        await store.close()


def test_two_processes_count_every_update(folder: Path) -> None:
    """Two servers on one file, 5,000 updates of one profile each: 10,000 are counted."""
    profile_id = "ab" * 32
    each, at_once = 5_000, 8

    async def send(client: Client, numbers: Iterator[int], name: str) -> None:
        async with client:
            for number in numbers:
                await client.deliver(profile_id, body_of(f"{name}-{number}"))

    async def scenario(servers: list[Server]) -> None:
        async with asyncio.TaskGroup() as group:
            for name, server in enumerate(servers):
                numbers = iter(range(each))
                for _ in range(at_once):
                    group.create_task(send(Client(server), numbers, str(name)))

    with ExitStack() as stack:
        asyncio.run(scenario([stack.enter_context(running(folder)) for _ in range(2)]))
    profile, messages = asyncio.run(stored(folder, profile_id))
    assert list(profile.counts.values()) == [2 * each]
    expected = Counter(f"{name}-{number}" for name in range(2) for number in range(each))
    assert messages == expected


def test_killed_server_loses_nothing_that_it_acknowledged(folder: Path) -> None:
    """A server is killed three times under load, while its clients send again what was not
    acknowledged: each event is in the log once, and the tally is their number."""
    profile_ids = [f"{number:064x}" for number in range(4)]
    per_client, clients_each, kills = 150, 4, 3
    acknowledged: Counter[str] = Counter()
    progress = asyncio.Semaphore(0)

    async def send(client: Client, profile_id: str, name: int) -> None:
        async with client:
            for number in range(per_client):
                message_id = f"{name}-{number}"
                await client.deliver(profile_id, body_of(message_id))
                acknowledged[profile_id + message_id] += 1
                progress.release()

    async def kill(server: Server, done: asyncio.Event) -> None:
        total = len(profile_ids) * clients_each * per_client
        for _ in range(kills):
            for _ in range(total // (kills + 1)):
                await progress.acquire()
            server.kill()
            await asyncio.to_thread(server.start_again)
        done.set()

    async def scenario(server: Server) -> int:
        clients = [Client(server) for _ in range(len(profile_ids) * clients_each)]
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(kill(server, done))
            for number, client in enumerate(clients):
                profile_id = profile_ids[number % len(profile_ids)]
                group.create_task(send(client, profile_id, number))
        assert done.is_set()
        return sum(client.resent for client in clients)

    with running(folder) as server:
        resent = asyncio.run(scenario(server))
    assert resent >= kills
    for profile_id in profile_ids:
        profile, messages = asyncio.run(stored(folder, profile_id))
        assert {profile_id + message for message in messages} == {
            key for key in acknowledged if key.startswith(profile_id)
        }
        assert set(messages.values()) == {1}
        assert list(profile.counts.values()) == [per_client * clients_each]


def test_every_worker_follows_the_rules(folder: Path) -> None:
    """A change of a file reaches all workers of a server: no answer comes from the old rules."""
    port = free_port()
    command = [sys.executable, "-m", "edgewise.cli", "serve", str(folder / "rules")]
    command += ["--store", f"sqlite://{folder}/profiles.db", "--port", str(port), "--workers", "3"]
    log = folder / "workers.log"
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "engine")}
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        wait_until_healthy(url, process, log)
        before = newest_digests(url, asked=1)
        rules = folder / "rules" / "org" / "main" / "rules.yaml"
        rules.write_text(RULES.format(count=7), "utf-8")
        # Each worker answers some of so many connections, and none of them with the old rules.
        wait_for(lambda: not newest_digests(url, asked=40) & before)
    finally:
        stop(process)


def test_half_a_request_does_not_keep_the_server(folder: Path) -> None:
    """A server that is told to stop does not wait for ever for what a client never sends."""
    server = Server(folder)
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(
                f"POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{{".encode()
            )
            time.sleep(0.5)  # Until the server has begun with it, which nothing shows.
            server.process.terminate()
            server.process.wait(START_TIMEOUT_S)
    finally:
        server.process.kill()


def newest_digests(url: str, asked: int) -> set[str]:
    """The digests of the rules that answer, each asked for over a connection of its own."""
    digests = set()
    for _ in range(asked):
        with urlopen(f"{url}/health", timeout=10) as answer:
            digests.add(json.load(answer)["environments"]["org/main"]["ruleset"])
    return digests


def wait_for(check: Callable[[], bool]) -> None:
    """Return once something is true; what does not come true fails after a while."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while not check():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
