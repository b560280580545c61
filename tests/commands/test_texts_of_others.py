"""What editors, visitors and importers call things is shown, and steers neither terminal nor CI."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from edgewise.cli import main
from edgewise.importing import parts_of
from edgewise.model.imports import ImportedProfile
from edgewise.stores.sqlite import SqliteStore

EVIL = "x\n::error file=app.py::owned\x1b[31m\u202e"
SHOWN = "x\\n::error file=app.py::owned\\x1b[31m\\u202e"
STEERING = re.compile("^::error file=app|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", re.MULTILINE)
RULES = {
    "audiences": [
        {"id": EVIL, "name": EVIL, "has trait": {EVIL: EVIL}},
        {"id": f"{EVIL}2", "nt_rules": {"any": [{"all": [{"type": EVIL}]}]}},
    ],
    "experiences": [
        {"id": f"{EVIL}3", "audience": EVIL, "components": [{"entry": "a", "variants": ["b"]}]},
        {"nt_experience_id": EVIL, "nt_type": "nt_personalization", "nt_config": {"traffic": 2}},
    ],
}
EXPORT = {
    "entries": [
        {
            "sys": {"id": EVIL, "contentType": {"sys": {"id": "nt_audience"}}},
            "fields": {"nt_name": EVIL, "nt_rules": {}},
        }
    ]
}


def saved(path: Path, content: Any) -> Path:
    """Write a file of JSON and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")
    return path


def buried(path: Path) -> str:
    """Return the URL of a store with one buried part."""

    async def prepare() -> None:
        store = SqliteStore(path)
        await store.queue.enqueue(
            parts_of("o", "e", [ImportedProfile((EVIL,), (b'{"type": "page"}',))], 1)
        )
        (taken,) = await store.queue.take(1, 1, 1)
        await store.queue.bury(taken.hold, EVIL)
        await store.close()

    asyncio.run(prepare())
    return f"sqlite://{path}"


@pytest.mark.parametrize(
    "command", ["check", "check-github", "explain", "import", "imports", "show-source"]
)
def test_texts_are_shown_and_do_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """Whichever command prints them, on whichever of its outputs."""
    rules = tmp_path / "rules"
    saved(rules / "shop" / "main" / "rules.json", RULES)
    profile = saved(tmp_path / "profile.json", {"id": "p", "traits": {EVIL: EVIL}})
    export = saved(tmp_path / "export.json", EXPORT)
    main(
        {
            "check": ["check", str(rules)],
            "check-github": ["check", str(rules), "--format", "github"],
            "explain": ["explain", str(rules), "--profile", str(profile)],
            "import": ["import", "contentful", str(export), str(tmp_path / "made" / "main")],
            "imports": ["imports", "list", "--store", buried(tmp_path / "store.db")],
            "show-source": ["show-source", str(rules), "nothing"],
        }[command]
    )
    out, err = capsys.readouterr()
    # Where each line is a command of its own, a line break is told as such commands tell it.
    shown = SHOWN.replace("\\n", "%0A") if command == "check-github" else SHOWN
    assert shown in out + err
    assert not STEERING.search(out + err), repr(STEERING.search(out + err))
