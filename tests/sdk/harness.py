"""A running Edgewise, and the SDK packages driven through Node against it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
ORGANIZATION = "demo"
ENVIRONMENT = "main"
RULES = REPOSITORY / "rules"
ADMIN_TOKEN = "token-of-the-tests"

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


def missing_tool() -> str:
    """The system's program that the SDK tests lack, or an empty text."""
    installed = (HERE / "node_modules").is_dir()
    needed = ["node"] if installed else ["node", "npm"]
    return next((f"{tool} is not installed" for tool in needed if not shutil.which(tool)), "")


def require_packages() -> None:
    """Raise unless the SDK packages are installed."""
    if not (HERE / "node_modules").is_dir():
        raise RuntimeError("the SDK packages are not installed: run `npm ci` in tests/sdk")


def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(
    folder: Path, variables: Mapping[str, str] = {}, arguments: Sequence[str] = ()
) -> Iterator[str]:
    """Serve the repository's rules with a fresh SQLite store in `folder`; gives the base URL.

    Args:
        variables: added to the server's environment.
        arguments: added to its command.
    """
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "edgewise.cli", "serve", str(RULES)]
    command += ["--store", f"sqlite://{folder}/profiles.db"]
    command += ["--host", "127.0.0.1", "--port", str(port), *arguments]
    log = folder / "server.log"
    environment = os.environ | {
        "PYTHONPATH": str(REPOSITORY / "engine"),
        "EDGEWISE_ADMIN_TOKEN": ADMIN_TOKEN,
        **variables,
    }
    with (
        log.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=environment) as server,
    ):
        try:
            wait_until_healthy(url, server, log)
            yield url
        finally:
            stop(server)


def wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return once `/health` answers 200; a server that ends or stays silent fails with its log."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(f"{url}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the server did not become healthy:\n{log.read_text('utf-8')}")


def stop(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end, and end it when it does not."""
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()


def run_driver(script: str, request: dict[str, Any]) -> Any:
    """What a driver prints for one request."""
    done = subprocess.run(
        ["node", str(HERE / script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode or not done.stdout:
        raise RuntimeError(f"{script} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def as_read_by_the_sdk(data: dict[str, Any]) -> dict[str, Any]:
    """An answer's data with the one default that the SDK's validation fills in."""
    experiences = [{"sticky": False, **experience} for experience in data["experiences"]]
    return {**data, "experiences": experiences}


@dataclass(frozen=True)
class Call:
    """One call of an SDK method: what it resolved to, or the message it threw."""

    value: Any
    error: str | None
    exchange: dict[str, Any]

    @property
    def received(self) -> Any:
        """The body of the server's answer, as it came."""
        return self.exchange["received"]


class Bridge:
    """A Node process that calls the SDK's API clients, one request after the other."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._node = subprocess.Popen(
            ["node", str(HERE / "bridge.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._node:
            self._pipe(self._node.stdin).close()

    def event(self, kind: str, **data: Any) -> dict[str, Any]:
        """The event that the SDK's builder of this kind makes."""
        built = self._ask({"build": kind, "data": data})
        event: dict[str, Any] = built["value"]
        return event

    def call(self, client: str, environment: str, method: str, *arguments: Any) -> Call:
        """Call a method of a client that is made for this call."""
        answer = self._ask(
            {
                "client": client,
                "url": self._url,
                "clientId": ORGANIZATION,
                "environment": environment,
                "method": method,
                "arguments": arguments,
            }
        )
        return Call(answer.get("value"), answer.get("error"), answer.get("exchange", {}))

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._pipe(self._node.stdin), self._pipe(self._node.stdout)
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("the bridge was started without pipes")
        return pipe
