"""The report of a simulation, opened in a real browser: nothing is empty, collides or overflows."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edgewise.simulate.report.page import html_report
from edgewise.simulate.result import Result
from tests.simulate.report.results import hostile, in_buckets, simulated

FOLDER = Path(__file__).parent
RESULTS: dict[str, Callable[[], Result]] = {
    "some": lambda: simulated(6_000),
    "one-event": lambda: simulated(1),
    "nothing": lambda: simulated(0),
    "hostile": hostile,
    "hours": lambda: in_buckets("hour", timedelta(hours=1)),
    "weeks": lambda: in_buckets("week", timedelta(weeks=1)),
}
VIEWS: dict[str, dict[str, Any]] = {
    "narrow-light": {"width": 390},
    "narrow-dark": {"width": 390, "scheme": "dark"},
    "small-phone": {"width": 320},
    "large-phone": {"width": 520},
    "small-tablet": {"width": 524},
    "large-tablet": {"width": 880},
    "small-desk": {"width": 884},
    "wide-light": {"width": 1440},
    "wide-dark": {"width": 1440, "scheme": "dark"},
    "print": {"width": 760, "media": "print"},
}
# Other stretches of time make other axes and nothing else.
AXES = {"hours": ["narrow-light", "wide-light"], "weeks": ["narrow-light", "wide-light"]}
CASES = [(report, view) for report in RESULTS for view in AXES.get(report, VIEWS)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """What the browser sees of every report in every view."""
    chromium, node = shutil.which("chromium"), shutil.which("node")
    if not chromium or not node:
        pytest.skip("chromium or node is missing")
    if not (FOLDER / "node_modules" / "playwright-core").is_dir():
        pytest.skip("playwright-core is missing: make test installs it")
    folder = tmp_path_factory.mktemp("reports")
    for name, result in RESULTS.items():
        (folder / f"{name}.html").write_text(html_report(result()), "utf-8")
    visits = [{"file": str(folder / f"{report}.html"), **VIEWS[view]} for report, view in CASES]
    done = subprocess.run(
        [node, str(FOLDER / "look.js")],
        input=json.dumps({"visits": visits, "executable": chromium}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("report", "view"), [pytest.param(*case, id="-".join(case)) for case in CASES]
)
def test_report_is_in_order(
    seen: dict[tuple[str, str], dict[str, Any]], report: str, view: str
) -> None:
    """Charts have content, labels keep apart, nothing overflows, nothing is asked for or said."""
    page = seen[report, view]
    assert page["title"] == "Simulation report"
    assert (page["isWider"], page["outside"]) == (False, [])
    assert page["collisions"] == []
    assert page["overEdges"] == []
    assert all(chart["drawn"] and chart["isShown"] for chart in page["marks"])
    assert bool(page["marks"]) is (report != "nothing")
    least, most = page["textSizes"] if page["marks"] else (12, 12)
    assert 9.8 < least <= most < 18
    assert page["said"] == []
    assert len(page["requests"]) == 1
    assert page["scripts"] == 0


@pytest.mark.parametrize("report", ["some", "hostile"])
def test_heat_map_has_shades(seen: dict[tuple[str, str], dict[str, Any]], report: str) -> None:
    """Cells differ in strength, and are wide enough to be seen on the narrowest page."""
    for view in VIEWS:
        page = seen[report, view]
        assert page["heatShades"] > 5
        assert page["narrowestCell"] > 4


def test_dark_and_light_differ(seen: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Paper, ink and charts follow what the reader prefers, and printing is always light."""
    light, dark, paper = (seen["some", view] for view in ("wide-light", "wide-dark", "print"))
    assert light["paper"] == paper["paper"] == "rgb(255, 255, 255)"
    assert dark["paper"] != light["paper"]
    assert dark["ink"] != light["ink"]
    assert not set(light["inks"]) & set(dark["inks"]) - {"none"}
