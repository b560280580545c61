"""Server processes on one store that are killed and started again, and a client that insists."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.sdk.harness import REPOSITORY, free_port, wait_until_healthy

ANSWER_TIMEOUT_S = 30
PATIENCE_S = 60


class Server:
    """One server process, and the ones that take its place on the same port."""

    def __init__(self, rules: Path, store: str, folder: Path) -> None:
        self.port = free_port()
        self._command = [sys.executable, "-m", "edgewise.cli", "serve", str(rules)]
        self._command += ["--store", store, "--port", str(self.port)]
        self._log = folder / f"server-{self.port}.log"
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "engine")}
        with self._log.open("ab") as output:
            process = subprocess.Popen(self._command, stdout=output, stderr=output, env=environment)
        wait_until_healthy(f"http://127.0.0.1:{self.port}", process, self._log)
        return process

    def kill_and_restart(self) -> None:
        """End the process without any warning, and serve again."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = self._start()

    def stop(self) -> int:
        """Ask the process to end; return its exit status."""
        self._process.terminate()
        return self._process.wait(ANSWER_TIMEOUT_S)

    def kill(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


class Client:
    """Sends to any of several servers until one of them answers; safe to use from many threads."""

    def __init__(self, servers: list[Server]) -> None:
        self._ports = itertools.cycle([server.port for server in servers])
        self._lock = threading.Lock()
        self.failures = 0

    def post(self, path: str, body: bytes) -> Any:
        """Return the answer to a request, which is sent again while there is none."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            with self._lock:
                port = next(self._ports)
            with suppress(OSError, http.client.HTTPException):
                status, answer = request(port, "POST", path, body)
                if status != 503:
                    assert status == 200, answer
                    return answer
            with self._lock:
                self.failures += 1
            assert time.monotonic() < deadline_s, "no server answers"
            time.sleep(0.05 * random.random())


def request(
    port: int, method: str, path: str, body: bytes | None = None, admin_token: str = ""
) -> tuple[int, Any]:
    """Return status and body of one exchange."""
    headers = {"authorization": f"Bearer {admin_token}"} if admin_token else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def wait_until_applied(server: Server) -> None:
    """Return once nothing waits in the import queue; nothing may have been buried."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        _, health = request(server.port, "GET", "/health")
        imports = health["imports"]
        assert imports["buried"] == 0, imports
        if imports["waiting"] == 0:
            return
        assert time.monotonic() < deadline_s, imports
        time.sleep(0.1)
