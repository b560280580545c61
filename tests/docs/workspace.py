"""A place like a reader's own checkout, in which the commands and the code of the pages run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.pages import REPOSITORY
from tests.sdk.harness import free_port, stop, wait_until_healthy

SHOWN_URL = "http://127.0.0.1:8080"
ANY_TEXT = "…"
# Numbers that depend on the moment; they are only compared by type.
UNSTEADY = {"activeSessionLength", "averageSessionLength", "sinceMs"}

_LOG = "server.log"
_ASSIGNMENT = re.compile(r"^export (\w+)='?([^'\s]*)'?$", re.MULTILINE)


class Workspace:
    """A folder with the demo rules and the command, and a server that is started as pages ask."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._url = f"http://127.0.0.1:{(free_port())}"
        self._server: subprocess.Popen[bytes] | None = None
        self._setup = ""
        shutil.copytree(REPOSITORY / "rules", folder / "rules")
        command = folder / ".venv" / "bin" / "edgewise"
        command.parent.mkdir(parents=True)
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edgewise.cli "$@"\n', "utf-8")
        command.chmod(0o700)
        self._given = self._files()

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(REPOSITORY / "engine")}

    def left_behind(self) -> set[str]:
        """The files that are new, or gone, where a checkout would tell of them."""
        return self._files() ^ self._given

    def _files(self) -> set[str]:
        """Every file of the checkout, without what it ignores and what only the tests write."""
        paths = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return {
            path.as_posix()
            for path in paths
            if path.parts[0] not in (".data", ".venv", _LOG) and "__pycache__" not in path.parts
        }

    def write(self, name: str, text: str) -> None:
        """Save a file as a page tells."""
        (self.folder / name).write_text(text, "utf-8")

    def set_up(self, script: str) -> None:
        """Remember lines that each later script begins with, as in one terminal."""
        self._setup += script.replace(SHOWN_URL, self._url)

    def serve(self, script: str = "") -> None:
        """Do what `make serve` does: serve the rules with a store that outlives the server.

        Args:
            script: what the page shows; it may set variables for the server.
        """
        self.stop()
        (self.folder / ".data").mkdir(exist_ok=True)
        command = [sys.executable, "-m", "edgewise.cli", "serve", "rules"]
        command += ["--store", f"sqlite://{self.folder}/.data/profiles.db"]
        command += ["--port", self._url.rpartition(":")[2]]
        log = self.folder / _LOG
        with log.open("wb") as output:
            self._server = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                env=self._environment | dict(_ASSIGNMENT.findall(script)),
                cwd=self.folder,
            )
        wait_until_healthy(self._url, self._server, log)

    def stop(self) -> None:
        """End the server, if there is one."""
        if self._server is not None:
            stop(self._server)
            self._server = None

    def run(self, script: str, *, fails: bool = False) -> str:
        """What a script prints, errors included; it must succeed, or fail where that is meant."""
        text = self._setup + script.replace(SHOWN_URL, self._url)
        return self._output(["bash", "-euo", "pipefail", "-c", text], fails=fails)

    def run_python(self, code: str) -> str:
        """What a Python script prints."""
        return self._output([sys.executable, "-W", "error", "-c", code])

    def _output(self, command: list[str], *, fails: bool = False) -> str:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            env=self._environment,
            cwd=self.folder,
            check=False,
        )
        assert bool(done.returncode) is fails, done.stdout
        return done.stdout


def compare_json(shown: str, real: str, *, whole: bool) -> None:
    """Hold a shown answer against the real one.

    Args:
        whole: whether the real one may have no members that are not shown.
    """
    _compare(json.loads(shown), json.loads(real), "", whole=whole)


def _compare(shown: Any, real: Any, place: str, *, whole: bool) -> None:
    if isinstance(shown, str) and isinstance(real, str) and shown.endswith(ANY_TEXT):
        return
    assert type(shown) is type(real) or place.rpartition(".")[2] in UNSTEADY, place
    if isinstance(shown, dict):
        assert shown.keys() == real.keys() if whole else shown.keys() <= real.keys(), place
        for key, value in shown.items():
            _compare(value, real[key], f"{place}.{key}", whole=whole)
    elif isinstance(shown, list):
        assert len(shown) == len(real), f"{place}: {real}"
        for position, (one, other) in enumerate(zip(shown, real, strict=True)):
            _compare(one, other, f"{place}[{position}]", whole=True)
    elif place.rpartition(".")[2] not in UNSTEADY:
        assert shown == real, place
