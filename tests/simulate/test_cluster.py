"""A replay on a cluster gives what a local one gives, also when a worker is killed half-way."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from edgewise.cli import main
from edgewise.errors import InputError
from edgewise.simulate import running
from edgewise.simulate.result import encode_result
from edgewise.simulate.rules_input import read_rules
from edgewise.simulate.running import Options, Progress, simulate
from edgewise.simulate.scan import Input
from edgewise.simulate.synth import Traffic, synthesize
from tests.simulate.worlds import DEMO_RULES

check_address = pytest.importorskip("edgewise.simulate.cluster").check_address

ROOT = Path(__file__).parents[2]
DEMO = "demo/main"
PATIENCE_S = 60.0


class Cluster:
    """A scheduler and its workers, each a process of its own on this machine."""

    def __init__(self, folder: Path, processes: ExitStack) -> None:
        self._folder = folder
        self._processes = processes
        self._file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))
        self.address = self._address()
        self.workers = [self._start_worker() for _ in range(2)]

    def _start_worker(self) -> subprocess.Popen[bytes]:
        folder = ["--local-directory", str(self._folder)]
        return self._start("worker", self.address, "--no-nanny", "--nthreads", "1", *folder)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "engine"), str(ROOT)]),
            "DASK_CONFIG": str(self._folder / "config"),
        }
        name, *options = command
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", name, "--host", "127.0.0.1", "--no-dashboard", *options],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.callback(end, process)
        return process

    def _address(self) -> str:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self._file.exists() and (text := self._file.read_bytes()):
                return str(msgspec.json.decode(text)["address"])
            time.sleep(0.05)
        raise AssertionError("the scheduler did not start")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and wait until it is gone."""
    process.kill()
    process.wait()


@contextmanager
def cluster_in(folder: Path) -> Iterator[Cluster]:
    """A cluster that runs meanwhile."""
    with ExitStack() as processes:
        yield Cluster(folder, processes)


@pytest.fixture
def traffic(tmp_path: Path) -> Input:
    """Some thousand synthetic events, and a broken line."""
    path = tmp_path / "events.ndjson"
    lines = [*synthesize(Traffic(profiles=900, events=6_000, seed=5, days=12)), b"{}"]
    path.write_bytes(b"\n".join(lines))
    return Input(paths=(str(path),), environments=(DEMO,), environment=DEMO)


class Killer(Progress):
    """Kills a worker as soon as the first partition is done."""

    def __init__(self, worker: subprocess.Popen[bytes]) -> None:
        self._worker = worker
        self.heard: list[int] = []

    def replayed(self, requests: int) -> None:
        """Note the partition; kill at the first."""
        if not self.heard:
            end(self._worker)
        self.heard.append(requests)


def test_every_place_gives_the_same_bytes(
    traffic: Input, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process, all cores, two workers, and the one that is left of them: one JSON."""
    monkeypatch.setattr(running, "EVENTS_PER_PARTITION", 400)
    rules = read_rules(DEMO_RULES)
    expected = encode_result(simulate(rules, rules, traffic, Options()))
    assert encode_result(simulate(rules, rules, traffic, Options(workers=2))) == expected
    with cluster_in(tmp_path) as cluster:
        on_cluster = Options(scheduler=cluster.address)
        assert encode_result(simulate(rules, rules, traffic, on_cluster)) == expected
        killer = Killer(cluster.workers[0])
        assert encode_result(simulate(rules, rules, traffic, on_cluster, killer)) == expected
        assert len(killer.heard) == 15
        assert cluster.workers[0].poll() is not None
        assert cluster.workers[1].poll() is None


def test_no_scheduler_is_told(traffic: Input, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers, the address is named."""
    monkeypatch.setattr("edgewise.simulate.cluster._PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    with pytest.raises(InputError, match=f"{address}: no scheduler"):
        simulate(read_rules(DEMO_RULES), None, traffic, Options(scheduler=address))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("nonsense", "is no address", id="nonsense"),
        pytest.param("http://scheduler:8786", "is no address", id="scheme"),
        pytest.param("tcp://scheduler", "is no address", id="no-port"),
        pytest.param("tcp://scheduler:99999", "is no address", id="port"),
        pytest.param("tcp://a:b:8786", "is no address", id="host"),
        pytest.param("tls://scheduler:8786", "needs certificates", id="no-certificates"),
    ],
)
def test_addresses_are_checked_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], address: str, message: str
) -> None:
    """What cannot be a scheduler is one line at once, although the events are not there either."""
    assert main(["simulate", str(DEMO_RULES), "nowhere.ndjson", "--on", address]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_unreachable_scheduler_is_one_line(traffic: Input) -> None:
    """Nothing of the packages beneath is printed when nobody answers."""
    script = (
        "import sys; from edgewise.cli import main; from edgewise.simulate import cluster;"
        "cluster._PATIENCE_S = 0.5; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["simulate", str(DEMO_RULES), *traffic.paths, "--on", "tcp://127.0.0.1:1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "edgewise: tcp://127.0.0.1:1: no scheduler of a Dask cluster answers\n"


@pytest.mark.parametrize("address", ["tcp://[::1]:8786", "tcp://a-b.c:1", "tcp://10.0.0.1:8786"])
def test_addresses_of_every_kind_are_taken(address: str) -> None:
    """A host is a name or an address of either kind."""
    check_address(address)


def test_decisions_stay_on_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """Writing every decision is refused on a cluster, whose workers have disks of their own."""
    arguments = ["x.ndjson", "--on", "tcp://127.0.0.1:1", "--parquet", "decisions.parquet"]
    assert main(["simulate", str(DEMO_RULES), *arguments]) == 2
    assert "does not go with --on" in capsys.readouterr().err
