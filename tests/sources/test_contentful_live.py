"""The live source follows a space, survives what fails, and starts from its copy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from edgewise.errors import SourceError, SourceRefused, SourceUnavailable
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.secret import Secret
from edgewise.sources.contentful.client import DeliveryClient
from edgewise.sources.contentful.export import convert_export
from edgewise.sources.contentful.live import ContentfulSource
from edgewise.sources.contentful.settings import ContentfulSettings
from tests.sources.contentful_api import TOKEN, ContentfulApi
from tests.sources.exports import (
    OWN_EXPORT,
    POISONED_AUDIENCES,
    POISONED_EXPERIENCES,
    audience,
    entry,
    experience,
    page_rule,
    poisoned,
    poisons,
    read,
)

NOW_MS = 1_780_000_000_000

Scenario = Callable[[ContentfulApi, ContentfulSource], Awaitable[None]]


def settings_for(api: ContentfulApi, *, preview: bool = False) -> ContentfulSettings:
    """Where the server of a test is."""
    return ContentfulSettings(space="shop", token=Secret(TOKEN), base_url=api.url, preview=preview)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time_ms = NOW_MS

    def __call__(self) -> int:
        return self.time_ms


def source_of(
    api: ContentfulApi, folder: Path | None, clock: Clock | None = None, *, preview: bool = False
) -> ContentfulSource:
    """A source that does not really wait."""

    async def no_pause(_: float) -> None:
        await asyncio.sleep(0)

    settings = settings_for(api, preview=preview)
    client = DeliveryClient(settings, sleep=no_pause)
    return ContentfulSource(settings, folder, client=client, clock=clock or Clock())


def run(
    api: ContentfulApi,
    scenario: Scenario,
    folder: Path | None = None,
    clock: Clock | None = None,
    *,
    preview: bool = False,
) -> None:
    """Play a scenario with a server and a source."""

    async def play() -> None:
        async with api.running():
            source = source_of(api, folder, clock, preview=preview)
            try:
                await scenario(api, source)
            finally:
                await source.close()

    asyncio.run(play())


def copy_in(folder: Path) -> bytes:
    """The one copy in a folder."""
    (copy,) = folder.iterdir()
    return copy.read_bytes()


def ruleset_of(source: ContentfulSource) -> Ruleset:
    """The ruleset of what a source holds."""
    return load_ruleset("org", "env", source.documents())


def audience_ids(source: ContentfulSource) -> set[str]:
    """The audiences that a source has, faulty ones included."""
    return {audience.id for audience in ruleset_of(source).audiences}


@pytest.fixture
def api() -> ContentfulApi:
    """A server with our own export."""
    return ContentfulApi(read(OWN_EXPORT))


@pytest.mark.parametrize("preview", [False, True], ids=["delivery", "preview"])
def test_live_rules_are_those_of_the_export(api: ContentfulApi, preview: bool) -> None:
    """A space read live decides as its export does, which has nothing but drafts in addition."""

    async def scenario(_: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        exported = convert_export(read(OWN_EXPORT), "export.json").document
        expected = load_ruleset("org", "env", [exported])
        live = ruleset_of(source)
        assert live.digest == expected.digest
        drafts = {"archivedExperience"}
        assert {fault.experience_id or fault.audience_id for fault in live.set_aside} == {
            fault.experience_id or fault.audience_id for fault in expected.set_aside
        } - drafts
        assert all(
            str(fault).startswith(f"{source.settings.name}#/entries/") for fault in live.set_aside
        )

    run(api, scenario, preview=preview)


def test_a_refresh_fetches_only_what_changed(api: ContentfulApi) -> None:
    """After the first time one request brings what is new, changed and gone."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        version = source.version
        api.publish(audience("added", page_rule()))
        api.unpublish("readers")
        api.requests.clear()
        assert await source.refresh()
        assert len(api.requests) == 1
        assert {"added", "readers"} & audience_ids(source) == {"added"}
        assert source.version != version

    run(api, scenario)


def test_a_preview_that_makes_no_sense_is_read_as_far_as_it_does(api: ContentfulApi) -> None:
    """Entries that are none, among the variants too, take nothing else along."""
    nonsense: Any = [{}, {"sys": {}}, {"sys": 7}, None, 7, {"sys": {"id": "no-entry-of-ours"}}]

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        entries = api.entries_found

        def with_nonsense(query: dict[str, str]) -> list[Any]:
            return [*nonsense, *entries(query)]

        await source.refresh()
        before = source.version
        api.entries_found = with_nonsense  # type: ignore[method-assign]
        assert await source.refresh() is False
        assert source.version == before

    run(api, scenario, preview=True)


def test_what_nobody_thought_of_is_told_as_an_error_of_the_source(api: ContentfulApi) -> None:
    """So that a start without rules says what is the matter, and `/health` too."""

    async def scenario(_: ContentfulApi, source: ContentfulSource) -> None:
        async def broken() -> list[Any]:
            raise RuntimeError("a fault")

        source._client.locales = broken  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            await source.refresh()
        assert "RuntimeError('a fault')" in source.status().error

    run(api, scenario)


@pytest.mark.parametrize("preview", [False, True], ids=["delivery", "preview"])
def test_other_content_changes_no_version(api: ContentfulApi, preview: bool) -> None:
    """A change of an entry that is no rule leaves the rules, and what they are called, alone."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        version = source.version
        api.publish(entry("hero", "page", title="Another"))
        assert not await source.refresh()
        assert source.version == version

    run(api, scenario, preview=preview)


@pytest.mark.parametrize("preview", [False, True], ids=["delivery", "preview"])
def test_a_variant_that_goes_takes_its_experience_along(api: ContentfulApi, preview: bool) -> None:
    """An experience is set aside while one of its variants has no entry, and no longer."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        served = {one.experience.id for one in ruleset_of(source).experiences}
        api.unpublish("heroVariant")
        assert await source.refresh()
        without = {one.experience.id for one in ruleset_of(source).experiences}
        assert served - without == {"heroEurope", "placeholder"}
        api.publish(entry("heroVariant", "page"))
        assert await source.refresh()
        assert {one.experience.id for one in ruleset_of(source).experiences} == served

    run(api, scenario, preview=preview)


def test_poison_is_set_aside_and_the_next_change_goes_live(api: ContentfulApi) -> None:
    """Poisoned entries are named and change nothing else; once corrected they match."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        before = ruleset_of(source)
        for poison in poisons():
            api.publish(poison)
        assert await source.refresh()
        spoiled = ruleset_of(source)
        named = {fault.audience_id or fault.experience_id for fault in spoiled.set_aside}
        assert named >= POISONED_AUDIENCES | POISONED_EXPERIENCES
        kept = [one for one in spoiled.audiences if one.id not in POISONED_AUDIENCES]
        assert [(one.id, one.tree) for one in kept] == [
            (one.id, one.tree) for one in before.audiences
        ]
        assert [one.experience for one in spoiled.experiences] == [
            one.experience for one in before.experiences
        ]
        for entry_id in POISONED_AUDIENCES:
            api.publish(audience(entry_id, page_rule()))
        api.publish(experience("poisonVariant", {"id": "hero", "hidden": False}))
        assert await source.refresh()
        cured = ruleset_of(source)
        assert len(cured.set_aside) == len(before.set_aside)
        assert "poisonVariant" in {one.experience.id for one in cured.experiences}

    run(api, scenario)


def test_a_start_without_network_serves_the_copy(tmp_path: Path) -> None:
    """The poisoned space of yesterday is served as it was, and its age is told."""
    clock = Clock()
    api = ContentfulApi(poisoned(read(OWN_EXPORT)))
    seen: list[Ruleset] = []

    async def yesterday(_: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        seen.append(ruleset_of(source))

    async def today(api: ContentfulApi, source: ContentfulSource) -> None:
        api.busy = True
        await source.start()
        status = source.status()
        assert (status.from_copy, status.age_ms) == (True, 86_400_000)
        ruleset = ruleset_of(source)
        assert ruleset.digest == seen[0].digest
        assert ruleset.set_aside == seen[0].set_aside
        with pytest.raises(SourceUnavailable):
            await source.refresh()
        assert "503" in source.status().error
        assert ruleset_of(source).digest == ruleset.digest
        api.busy = False
        api.publish(audience("tomorrow", page_rule()))
        api.requests.clear()
        assert await source.refresh()
        assert len(api.requests) == 1
        assert "tomorrow" in audience_ids(source)
        status = source.status()
        assert (status.from_copy, status.age_ms, status.error) == (False, 0, "")

    run(api, yesterday, tmp_path, clock)
    clock.time_ms += 86_400_000
    run(api, today, tmp_path, clock)


def test_a_first_start_without_network_fails(api: ContentfulApi, tmp_path: Path) -> None:
    """Without network and without a copy there is nothing to serve, and the error says so."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        api.busy = True
        with pytest.raises(SourceUnavailable, match="503"):
            await source.start()
        with pytest.raises(SourceUnavailable, match="nothing was read yet"):
            source.documents()
        assert source.status().age_ms is None

    run(api, scenario, tmp_path)


def test_a_failing_page_changes_nothing(api: ContentfulApi, tmp_path: Path) -> None:
    """A refresh that breaks off between two pages leaves the rules and the copy as they were."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        version, written = source.version, copy_in(tmp_path)
        for number in range(6):
            api.publish(audience(f"added{number}", page_rule()))
        sync = api._sync

        def first_page_only(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
            api.busy = True
            return sync(query)

        api._sync = first_page_only  # type: ignore[method-assign]
        with pytest.raises(SourceUnavailable):
            await source.refresh()
        assert (source.version, copy_in(tmp_path)) == (version, written)
        api.busy, api._sync = False, sync  # type: ignore[method-assign]
        assert await source.refresh()
        assert {f"added{number}" for number in range(6)} <= audience_ids(source)

    run(api, scenario, tmp_path)


def test_a_forgotten_token_reads_everything_again(api: ContentfulApi) -> None:
    """Where the API no longer knows the sync token, the source starts over and misses nothing."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        api.page_size = 1000
        await source.start()
        api.unpublish("readers")
        api.forgets_tokens = True
        assert await source.refresh()
        assert "readers" not in audience_ids(source)

    run(api, scenario)


def test_a_wrong_token_is_refused(api: ContentfulApi) -> None:
    """A token that the API refuses is an error at once, however often the server is asked."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        settings = ContentfulSettings(space="shop", token=Secret("wrong"), base_url=api.url)
        other = ContentfulSource(settings)
        with pytest.raises(SourceRefused, match="AccessTokenInvalid"):
            await other.start()
        await other.close()
        assert len(api.requests) == 1

    run(api, scenario)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text[: len(text) // 2], id="cut-off"),
        pytest.param(lambda text: text.replace('"format": 1', '"format": 2'), id="other-format"),
        pytest.param(lambda text: text.replace(":shop/", ":store/"), id="other-space"),
        pytest.param(lambda text: "[]", id="senseless"),
    ],
)
def test_a_useless_copy_is_fetched_anew(
    api: ContentfulApi, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    """A copy that cannot be used is told, and replaced by the first refresh."""

    async def save(_: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()

    async def start(api: ContentfulApi, source: ContentfulSource) -> None:
        assert not source.load_copy()
        assert source.status().copy_error
        await source.start()
        status = source.status()
        assert (status.from_copy, status.copy_error) == (False, "")
        assert source.load_copy()

    run(api, save, tmp_path)
    (copy,) = tmp_path.iterdir()
    before = copy.read_text("utf-8")
    copy.write_text(damage(before), "utf-8")
    assert copy.read_text("utf-8") != before
    run(api, start, tmp_path)


def test_a_copy_that_cannot_be_written_is_told(api: ContentfulApi, tmp_path: Path) -> None:
    """Without a place for the copy the rules are served all the same."""
    folder = tmp_path / "file"
    folder.write_text("not a folder", "utf-8")

    async def scenario(_: ContentfulApi, source: ContentfulSource) -> None:
        await source.refresh()
        assert "europe" in audience_ids(source)
        assert "cannot be written" in source.status().copy_error

    run(api, scenario, folder)


def test_the_copy_is_for_its_owner_alone_and_holds_no_token(
    api: ContentfulApi, tmp_path: Path
) -> None:
    """Others cannot read the copy, nothing is left beside it, and the token is not in it."""

    async def scenario(_: ContentfulApi, source: ContentfulSource) -> None:
        await source.refresh()
        await source.refresh()

    run(api, scenario, tmp_path)
    (copy,) = tmp_path.iterdir()
    assert copy.stat().st_mode & 0o077 == 0
    assert TOKEN not in copy.read_text("utf-8")
    assert json.loads(copy.read_text("utf-8"))["fetched_ms"] == NOW_MS


def test_a_text_that_is_no_utf8_costs_only_its_entry(api: ContentfulApi, tmp_path: Path) -> None:
    """Half a surrogate pair sets one audience aside; the rest is served, also from the copy."""
    half = audience("half", page_rule())
    half["fields"]["nt_name"] = "half \ud83d"

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        api.publish(half)
        await source.refresh()
        assert source.load_copy()
        ruleset = ruleset_of(source)
        assert {"half", "europe"} <= {one.id for one in ruleset.audiences}
        assert "half" in {fault.audience_id for fault in ruleset.set_aside}

    run(api, scenario, tmp_path)


def test_many_refreshes_at_once_agree(api: ContentfulApi) -> None:
    """Refreshes that overlap run one after the other, and one of them reports the change."""

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.start()
        api.publish(audience("added", page_rule()))
        changed = await asyncio.gather(*(source.refresh() for _ in range(5)))
        assert changed == [True, False, False, False, False]

    run(api, scenario)


def test_every_error_is_a_source_error() -> None:
    """One `except` catches whatever a source may fail with."""
    assert issubclass(SourceUnavailable, SourceError)
    assert issubclass(SourceRefused, SourceError)


def test_a_newer_copy_of_another_process_is_taken(tmp_path: Path) -> None:
    """What one process has read another takes from disk, once, and without asking the space."""
    api = ContentfulApi(read(OWN_EXPORT))
    clock = Clock()

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        await source.refresh()
        other = source_of(api, tmp_path, clock)
        await other.start()
        assert not await source.follow_copy()
        clock.time_ms += 1
        api.publish(audience("brandNew", page_rule()))
        await other.refresh()
        asked = len(api.requests)
        assert await source.follow_copy()
        assert source.version == other.version
        assert not await source.follow_copy()
        assert len(api.requests) == asked
        await other.close()

    run(api, scenario, tmp_path, clock)


def test_a_newer_copy_is_not_overwritten(tmp_path: Path) -> None:
    """A process that asked earlier and writes later leaves the newer copy on disk."""
    api = ContentfulApi(read(OWN_EXPORT))
    late = Clock()
    late.time_ms += 1_000

    async def scenario(api: ContentfulApi, source: ContentfulSource) -> None:
        newer = source_of(api, tmp_path, late)
        await newer.refresh()
        before = files_in(tmp_path)
        await source.refresh()
        assert files_in(tmp_path) == before
        await newer.close()

    run(api, scenario, tmp_path, Clock())


def files_in(folder: Path) -> dict[str, bytes]:
    """Name → content of each file."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}
