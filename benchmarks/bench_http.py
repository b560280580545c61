"""What one complete update costs over HTTP, next to a bare ASGI callable on the same server.

A third server stores what it is sent and decides nothing (`benchmarks.store_app`): what is left for
an engine to cost lies between that and the limit.

All servers are uvicorn with one worker, httptools and uvloop. wrk holds 32 connections open to one
of them at a time and gives each request a message id of its own. What counts is the time that the
server's process spent on a processor, from /proc: it does not depend on what else the machine does
as much as a latency does.

    python -m benchmarks.bench_http             prints JSON; needs wrk
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import uvloop

from benchmarks.bench_request import Site
from benchmarks.request_workload import DEMO_RULES, demo_case, page_view

REPEATS = 7
SECONDS_PER_RUN = 2
CONNECTIONS = 32
DAY_MS = 24 * 60 * 60 * 1000

_ROOT = Path(__file__).parent.parent
_SCRIPT = Path(__file__).with_name("http_requests.lua")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_STARTING_S = 20.0
_SAME_AS_ENGINE = (
    "--loop=uvloop",
    "--http=httptools",
    "--no-access-log",
    "--log-level=warning",
    "--no-server-header",
    "--no-proxy-headers",
)


class WrkMissing(Exception):
    """The load generator is not installed."""

    def __str__(self) -> str:
        """What to do about it."""
        return "wrk is missing, which sends the requests: install the system package wrk"


class Run(msgspec.Struct, frozen=True):
    """What wrk says about one run."""

    requests: int
    failed: int
    p50_us: float
    p99_us: float


class Load(msgspec.Struct, frozen=True):
    """One run, and the processor time of the server that served it."""

    run: Run
    cpu_us: float


class MeasuredHttp(msgspec.Struct, frozen=True):
    """Processor time per request of the engine and of the bare callable.

    Args:
        ratio: the median over the repeats of (engine / bare callable).
        store_ratio: the same for the callable that only stores.
    """

    label: str
    ratio: float
    ratios: list[float]
    store_ratio: float
    cpu_us: float
    bare_cpu_us: float
    requests_per_s: float
    bare_requests_per_s: float
    p50_us: float
    p99_us: float


def run(repeats: int = REPEATS) -> MeasuredHttp:
    """Return what the demo rules cost over HTTP. Errors: WrkMissing."""
    if shutil.which("wrk") is None:
        raise WrkMissing
    with tempfile.TemporaryDirectory(prefix="edgewise-bench-") as folder:
        return _measure(Path(folder), repeats)


def _measure(folder: Path, repeats: int) -> MeasuredHttp:
    answer = uvloop.run(_prepare(folder))
    (folder / "answer.json").write_bytes(answer)
    shutil.copy(folder / "profiles.db", folder / "store.db")
    store = f"sqlite://{folder / 'profiles.db'}"
    commands = {
        "engine": ["-m", "edgewise.cli", "serve", str(DEMO_RULES), "--store", store],
        "store": ["-m", "uvicorn", "benchmarks.store_app:app", *_SAME_AS_ENGINE],
        "bare": ["-m", "uvicorn", "benchmarks.bare_app:app", *_SAME_AS_ENGINE],
    }
    loads: dict[str, list[Load]] = {name: [] for name in commands}
    with ExitStack() as running:
        servers = {
            name: running.enter_context(_server(command, folder))
            for name, command in commands.items()
        }
        for number in range(repeats + 1):
            for name, (server, port) in servers.items():
                loads[name].append(_load(server, port, folder, number))
    # The first run of each warms up.
    return _summary(*(loads[name][1:] for name in ("engine", "store", "bare")))


async def _prepare(folder: Path) -> bytes:
    """Fill the database of the engine, and write what wrk sends; return one answer."""
    site = Site(demo_case(), folder / "profiles.db")
    site.now_ms = time.time_ns() // 1_000_000 - DAY_MS
    await site.fill()
    answer = await site.update(site.ids[0], site.next_body())
    await site.store.close()
    (folder / "ids.txt").write_text("\n".join(site.ids))
    body = msgspec.json.decode(page_view("@MESSAGE@", site.now_ms))
    for name in ("originalTimestamp", "timestamp", "sentAt"):
        body["events"][0][name] = "@TIME@"
    (folder / "body.json").write_bytes(msgspec.json.encode(body))
    return answer


@contextmanager
def _server(
    arguments: Sequence[str], folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server process and its port; it is ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *arguments, "--port", str(port)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(_ROOT / "engine"), str(_ROOT))),
        "EDGEWISE_BENCH_ANSWER": str(folder / "answer.json"),
        "EDGEWISE_BENCH_STORE": str(folder / "store.db"),
    }
    # What a server tells is not part of the result.
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield process, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_s = time.monotonic() + _STARTING_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up_s:
                raise
            time.sleep(0.05)
        else:
            return


def _load(server: subprocess.Popen[bytes], port: int, folder: Path, number: int) -> Load:
    """Send requests for a while; every one of them has to be answered well."""
    variables = {
        "EDGEWISE_BENCH_IDS": str(folder / "ids.txt"),
        "EDGEWISE_BENCH_BODY": str(folder / "body.json"),
        "EDGEWISE_BENCH_PATH": "/v2/organizations/demo/environments/main/profiles/",
        "EDGEWISE_BENCH_RUN": str(number),
    }
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS_PER_RUN}s", "-s", str(_SCRIPT)]
    before_s = _cpu_s(server.pid)
    sent = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"],
        env={**os.environ, **variables},
        capture_output=True,
        check=True,
    )
    cpu_s = _cpu_s(server.pid) - before_s
    found = msgspec.json.decode(sent.stdout.splitlines()[-1], type=Run)
    if found.failed or not found.requests:
        raise RuntimeError(f"{found.failed} of {found.requests} requests failed")
    return Load(found, cpu_s / found.requests * 1e6)


def _cpu_s(pid: int) -> float:
    """Seconds that a process has spent on processors, in its own code and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _summary(ours: list[Load], storing: list[Load], bare: list[Load]) -> MeasuredHttp:
    median = statistics.median
    ratios = _ratios(ours, bare)
    return MeasuredHttp(
        label="demo rules",
        ratio=round(median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        store_ratio=round(median(_ratios(storing, bare)), 3),
        cpu_us=round(median(load.cpu_us for load in ours), 1),
        bare_cpu_us=round(median(load.cpu_us for load in bare), 1),
        requests_per_s=round(median(load.run.requests for load in ours) / SECONDS_PER_RUN),
        bare_requests_per_s=round(median(load.run.requests for load in bare) / SECONDS_PER_RUN),
        p50_us=median(load.run.p50_us for load in ours),
        p99_us=median(load.run.p99_us for load in ours),
    )


def _ratios(some: list[Load], bare: list[Load]) -> list[float]:
    return [one.cpu_us / other.cpu_us for one, other in zip(some, bare, strict=True)]


def main() -> int:
    """Measure and print the result as JSON."""
    try:
        found = run()
    except WrkMissing as error:
        print(error, file=sys.stderr)
        return 2
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
