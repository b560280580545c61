"""`edgewise explain` tells of a visitor from a file, from events or from a store."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from edgewise.cli import main
from edgewise.clock import now_ms
from edgewise.decide import decide
from edgewise.model.profiles import Location, Profile, Session
from edgewise.service import DecisionService
from edgewise.sources.files import load_rules
from edgewise.stores.urls import open_store
from tests.serving import event, update_of

RULES = """
audiences:
  # A comment, so that lines and positions differ.
  - id: vip
    name: Good customers
    has trait: {plan: gold}
    has viewed page: {path: /sale}
experiences:
  - {id: hero, audience: vip, components: [{entry: a, variants: [b]}]}
  - {id: nobody, traffic: 0, components: [{entry: a, variants: [b]}]}
"""
EVENTS = [
    {"type": "page", "context": {"page": {"path": "/sale"}}},
    {"type": "identify", "traits": {"plan": "gold"}},
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with one environment."""
    file = tmp_path / "rules" / "shop" / "main" / "vip.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(RULES, "utf-8")
    return tmp_path / "rules"


def saved(folder: Path, content: Any) -> str:
    """The path of a file with this JSON, or with these lines of it."""
    path = folder / "input.json"
    lines = content if isinstance(content, tuple) else (content,)
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return str(path)


def explained(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """The explanation that a command prints as JSON."""
    assert main(["explain", *arguments, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({"events": EVENTS}, id="a request"),
        pytest.param(EVENTS, id="a list"),
        pytest.param(tuple(EVENTS), id="one per line"),
    ],
)
def test_events_are_applied_to_a_new_visitor(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any
) -> None:
    """What happened leads to audiences and variants, in whichever form the file has the events."""
    result = explained(capsys, str(rules), "--events", saved(tmp_path, content))
    (vip,) = result["audiences"]
    assert vip["holds"]
    assert [one["reason"] for one in result["experiences"]] == ["selected", "outside_traffic"]


def test_a_broken_line_of_events_is_named(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be applied is told with file and line, and nothing is explained."""
    path = saved(tmp_path, (*EVENTS, {"type": "dance"}))
    assert main(["explain", str(rules), "--events", path]) == 2
    message = f"edgewise: {path}, line 3: type: unknown event type\n"
    assert capsys.readouterr() == ("", message)


def test_many_events_are_applied_in_pieces(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file may hold more events than one request does."""
    page = {"type": "page", "context": {"page": {"path": "/sale"}}}
    events = [{**page, "messageId": str(number)} for number in range(450)]
    result = explained(capsys, str(rules), "--events", saved(tmp_path, events))
    _, viewed = result["audiences"][0]["condition"]["children"]
    assert viewed["seen"] == 450


def test_conditions_stand_in_their_lines(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each condition tells what it saw, its file and pointer, and the line of that."""
    result = explained(capsys, str(rules), "--events", saved(tmp_path, EVENTS[:1]))
    seen = {
        one["text"]: (one["holds"], one["seen"], one["line"], one["origin"])
        for one in result["audiences"][0]["condition"]["children"]
    }
    file = "rules/shop/main/vip.yaml#/audiences/0"
    assert seen == {
        'trait plan equals "gold"': (False, None, 6, f"{file}/has trait/plan"),
        'views of pages with path equals "/sale", at least 1 time': (
            True,
            1,
            7,
            f"{file}/has viewed page",
        ),
    }


def test_a_profile_is_taken_as_the_api_answers_it(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Traits count and the stable id allocates, with or without the answer around the profile."""
    profile = {"id": "p", "stableId": "s", "traits": {"plan": "gold"}, "session": {"count": 2}}
    bare = explained(capsys, str(rules), "--profile", saved(tmp_path, profile))
    answer = {"data": {"profile": profile, "experiences": []}, "error": None}
    wrapped = explained(capsys, str(rules), "--profile", saved(tmp_path, answer))
    assert {**bare, "now_ms": 0} == {**wrapped, "now_ms": 0}
    plan = bare["audiences"][0]["condition"]["children"][0]
    assert (plan["holds"], plan["seen"]) == (True, "gold")
    named = explained(capsys, str(rules), "--profile", saved(tmp_path, profile), "--id", "s")
    buckets = [[one["allocation"] for one in result["experiences"]] for result in (bare, named)]
    assert buckets[0] == buckets[1]


def test_text_is_for_people(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same as text: marks, values, lines and reasons, and what a profile's file cannot tell."""
    profile = saved(tmp_path, {"id": "p", "traits": {"plan": "[red]iron"}})
    assert main(["explain", str(rules), "--profile", profile]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^as of 2\d{3}-\d\d-\d\dT[\d:.]+Z, which is now$", out, re.MULTILINE)
    assert "conditions on events count nothing" in out
    assert "✗ vip  Good customers" in out
    assert '✗ trait plan equals "gold"  saw "[red]iron"  rules/shop/main/vip.yaml:6' in out
    assert '✗ hero  not shown  not in the audience "vip"' in out


def test_text_names_what_is_set_aside(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An experience of an app that cannot be served stands in a list of its own, with its fault."""
    broken = {
        "nt_experience_id": "odd",
        "nt_type": "nt_personalization",
        "nt_config": {"traffic": 2},
    }
    file = rules / "shop" / "main" / "app.json"
    file.write_text(json.dumps({"experiences": [broken]}), "utf-8")
    assert main(["explain", str(rules), "--events", saved(tmp_path, EVENTS)]) == 0
    last = capsys.readouterr().out.partition("Set aside\n")[2]
    assert last.startswith("✗ odd  rules/shop/main/app.json#/experiences/0/nt_config/traffic")


def test_a_stored_profile_is_found_by_its_name(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile of a store is explained as it lies there, and is not changed."""
    url = f"sqlite://{tmp_path}/profiles.db"

    async def visit() -> None:
        service = DecisionService(load_rules(rules), open_store(url), retention=None, imports=None)
        update = update_of(event("page", context={"page": {"path": "/sale"}}), EVENTS[1])
        await service.update("shop", "main", "anna", update, preflight=False)
        await service.stop()

    asyncio.run(visit())
    arguments = [str(rules), "--store", url, "--id", "anna"]
    first, second = (explained(capsys, *arguments, "--audience", "vip") for _ in range(2))
    assert first["audiences"][0]["holds"]
    assert [one["id"] for one in first["experiences"]] == ["hero"]
    assert {**first, "now_ms": 0} == {**second, "now_ms": 0}


def test_a_stored_profile_is_explained_as_of_a_time(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows end at --at; where the profile was seen later, that is told."""
    file = rules / "shop" / "main" / "vip.yaml"
    file.write_text("audiences: [{id: new, has viewed page: '*', within: 7 days}]", "utf-8")
    url = f"sqlite://{tmp_path}/profiles.db"
    clock_ms = 1_793_534_400_000  # 2026-11-01T12:00:00Z

    async def visit() -> None:
        service = DecisionService(
            load_rules(rules), open_store(url), clock=lambda: clock_ms, retention=None, imports=None
        )
        update = update_of({"type": "page", "context": {"page": {"path": "/"}}})
        await service.update("shop", "main", "anna", update, preflight=False)
        await service.stop()

    asyncio.run(visit())
    arguments = [str(rules), "--store", url, "--id", "anna"]
    for at, holds in (("2026-11-08T12:00:00Z", True), ("2026-11-08T12:00:01Z", False)):
        result = explained(capsys, *arguments, "--at", at)
        assert [one["holds"] for one in result["audiences"]] == [holds]
    assert result["now_ms"] == clock_ms + 7 * 86_400_000 + 1000
    assert result["audiences"][0]["condition"]["nearest"] == (
        "older than 7 days: 1, the newest of 2026-11-01T12:00:00Z"
    )
    told = []
    for at in ("2026-11-01T12:00:00Z", "2026-11-01"):
        assert main(["explain", *arguments, "--at", at]) == 0
        told.append(capsys.readouterr().out.partition("\n\n")[0].splitlines()[1:])
    assert told == [
        ["as of 2026-11-01T12:00:00Z, as --at asks"],
        [
            "as of 2026-11-01T00:00:00Z, as --at asks",
            (
                "The store has the profile as it is now: what was received since, up to"
                " 2026-11-01T12:00:00Z, counts too."
            ),
        ],
    ]


def test_a_profile_in_a_file_is_explained_as_of_a_time(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile's file tells nothing of time, so that it is now, or when --at says."""
    profile = saved(tmp_path, {"id": "p"})
    result = explained(capsys, str(rules), "--profile", profile, "--at", "2026-11-01T12:00:00Z")
    assert result["now_ms"] == 1_793_534_400_000
    assert abs(explained(capsys, str(rules), "--profile", profile)["now_ms"] - now_ms()) < 60_000


def test_text_tells_what_came_nearest(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below a condition that counts too little stands what it nearly counted."""
    view = {"type": "page", "context": {"page": {"path": "/sales"}}}
    assert main(["explain", str(rules), "--events", saved(tmp_path, [view])]) == 0
    lines = capsys.readouterr().out.splitlines()
    place = next(number for number, line in enumerate(lines) if "saw 0" in line)
    assert lines[place + 1] == (
        '        └── views of pages that do not match: 1, the nearest with path "/sales"'
    )


def test_an_unknown_profile_is_named(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message tells which profile was looked for, and where."""
    url = f"sqlite://{tmp_path}/profiles.db"
    asyncio.run(open_store(url).close())
    assert main(["explain", str(rules), "--store", url, "--id", "anna"]) == 2
    assert capsys.readouterr() == ("", f'edgewise: no profile "anna" in shop/main of {url}\n')


def test_a_missing_store_is_told_and_not_made(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped path of a store is one message, and neither a file nor a folder is left of it."""
    url = f"sqlite://{tmp_path}/mistyped/profiles.db"
    assert main(["explain", str(rules), "--store", url, "--id", "anna"]) == 2
    assert capsys.readouterr() == ("", f"edgewise: {url}: there is no such file\n")
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--store", "memory://"], "--store needs --id", id="no id"),
        pytest.param(
            ["--store", "memory://", "--id", "x"], "inside the server process", id="memory"
        ),
        pytest.param(
            ["--store", "memory://", "--id", "x", "--audience", "vips"],
            'did you mean "vip"?',
            id="unknown audience",
        ),
        pytest.param(
            ["--store", "memory://", "--id", "x", "--environment", "shop/dev"],
            'no environment "shop/dev"; there are: shop/main',
            id="unknown environment",
        ),
        pytest.param(["--events", "nowhere.json"], "nowhere.json: No such file", id="no file"),
        pytest.param(["--profile", "nowhere.json"], "no profile can be read", id="no profile"),
        pytest.param(
            ["--profile", "nowhere.json", "--at", "noon"],
            '--at: "noon" is no time; write it like 2026-11-01T12:00:00Z',
            id="no time",
        ),
        pytest.param(
            ["--events", "nowhere.json", "--at", "2100-01-01"],
            '--at: "2100-01-01" lies after the year 2099',
            id="a time too late",
        ),
    ],
)
def test_what_cannot_be_explained_is_told(
    rules: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """A wrong or missing argument is one clear message, and the status is 2."""
    assert main(["explain", str(rules), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([], id="an empty list"),
        pytest.param({"events": []}, id="an empty request"),
        pytest.param({"events": 1}, id="no list"),
    ],
)
def test_files_without_events_are_refused(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: Any
) -> None:
    """A file of events must have some."""
    assert main(["explain", str(rules), "--events", saved(tmp_path, content)]) == 2
    assert "there are no events" in capsys.readouterr().err


def test_several_environments_need_a_name(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a folder has several environments one is named, and then explained."""
    other = rules / "shop" / "dev" / "rules.yaml"
    other.parent.mkdir()
    other.write_text("audiences: [{id: a, has trait: t}]", "utf-8")
    events = saved(tmp_path, EVENTS)
    assert main(["explain", str(rules), "--events", events]) == 2
    assert "shop/dev, shop/main" in capsys.readouterr().err
    result = explained(capsys, str(rules), "--events", events, "--environment", "shop/dev")
    assert [one["id"] for one in result["audiences"]] == ["a"]


def test_a_profile_in_a_file_is_decided_as_explained(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every member that a file may say leads to the decision that the engine makes of it."""
    content = {
        "id": "p",
        "stableId": "s",
        "traits": {"tier": "gold"},
        "location": {"countryCode": "CH"},
        "session": {"count": 4},
        "device": "mobile",
        "assignments": {"sale-banner": 1},
    }
    demo = Path(__file__).parents[2] / "rules"
    result = explained(capsys, str(demo), "--profile", saved(tmp_path, content))
    profile = Profile(
        organization="demo",
        environment="main",
        id="p",
        stable_id="s",
        created_ms=0,
        traits={"tier": "gold"},
        location=Location(country_code="CH"),
        session=Session(count=4),
        device="mobile",
        assignments={"sale-banner": 1},
    )
    decision = decide(load_rules(demo)["demo", "main"], profile, now_ms())
    assert [one["id"] for one in result["audiences"] if one["holds"]] == decision.audiences
    shown = [
        (one["id"], one["variant_index"])
        for one in result["experiences"]
        if one["variant_index"] is not None
    ]
    assert shown == [(one.experience_id, one.variant_index) for one in decision.variants]
