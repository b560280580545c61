"""The rules of every environment below a folder, kept current while they are served.

Changes of files, webhooks and polls all lead to one look at everything. What has changed is read
and compiled in a thread, and takes the place of the old ruleset in one assignment on the event
loop: a request that has begun keeps the ruleset it began with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from watchfiles import Change, awatch

from edgewise.checks import require_seconds
from edgewise.clock import now_ms
from edgewise.errors import Fault, RulesError, SourceUnavailable
from edgewise.parsing import FaultList
from edgewise.reload.environment import Environment, ReloadStatus
from edgewise.reload.following import Follower
from edgewise.reload.reading import Stamp, read_settled, stamp_of
from edgewise.ruleset import Ruleset, load_ruleset
from edgewise.sources.contentful.last_good import is_copy
from edgewise.sources.contentful.live import ContentfulSource
from edgewise.sources.contentful.settings import ContentfulSettings
from edgewise.sources.files import EnvironmentKey, find_environments, no_environment
from edgewise.sources.lines import LineFinder

_LOG = logging.getLogger("edgewise.reload")

MakeSource = Callable[[ContentfulSettings, Path | None], ContentfulSource]
_Found = Mapping[EnvironmentKey, tuple[Path, Stamp]]


class ReloadSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How changes are noticed.

    Args:
        watch: whether the system tells of changed files.
        poll_s: how often to look without being told, as network file systems need.
        settle_s: how long files must have been left alone before they are read.
        keep_gone_s: how long an environment whose folder is gone is still served. Its folder may be
            on its way back, and imports for what is not served are not kept.
    Errors: SettingsError for what cannot be.
    """

    watch: bool = True
    poll_s: float = 10.0
    settle_s: float = 0.1
    keep_gone_s: float = 60.0

    def __post_init__(self) -> None:
        require_seconds(self, "poll_s")
        require_seconds(self, "settle_s", zero=True)
        require_seconds(self, "keep_gone_s", zero=True)


_SETTINGS = ReloadSettings()
# A burst of changes counts as one once this long nothing more has come.
_WATCH_STEP_MS = 100


class Reloader:
    """Keeps `rulesets` in step with a folder and with the sources that its files name.

    Args:
        root: the folder of organizations and environments.
        copies: where sources keep their last good copies; None keeps none.
        clock: the time in milliseconds since 1970.
        make_source: makes the source of some settings.
    """

    def __init__(
        self,
        root: Path,
        copies: Path | None = None,
        settings: ReloadSettings = _SETTINGS,
        *,
        clock: Callable[[], int] = now_ms,
        make_source: MakeSource = ContentfulSource,
    ) -> None:
        self.root = root
        self.rulesets: dict[EnvironmentKey, Ruleset] = {}
        self._copies = copies
        self._settings = settings
        self._clock = clock
        self._make_source = make_source
        self._environments: dict[EnvironmentKey, Environment] = {}
        self._lock = asyncio.Lock()
        self._wake = asyncio.Event()
        self._rewatch = asyncio.Event()
        self._root_id: tuple[int, int] = (0, 0)
        self._tasks: list[asyncio.Task[None]] = []
        self._started = False

    async def start(self) -> None:
        """Load everything, then follow what changes; nothing where that was begun before.

        An environment whose source cannot be reached is not served until it can.

        Errors: RulesError with every fault; SourceUnavailable where nothing can be served.
        """
        if self._started:
            return
        self._started = True
        try:
            await self.reload()
            await asyncio.gather(*(one.attempted.wait() for one in self.followers().values()))
            await self.reload()
            self._require_rules()
        except BaseException:
            await self.stop()
            raise
        self._tasks.append(asyncio.create_task(self._run(), name="edgewise-reloader"))
        if self._settings.watch:
            self._tasks.append(asyncio.create_task(self._watch(), name="edgewise-watch"))

    async def stop(self) -> None:
        """End everything that goes on in the background; the rulesets stay as they are."""
        self._started = False
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        for environment in self._environments.values():
            await self._unfollow(environment)

    def followers(self) -> dict[EnvironmentKey, Follower]:
        """Return what follows a source, by environment."""
        known = self._environments.items()
        return {key: one.follower for key, one in known if one.follower is not None}

    def status(self) -> dict[EnvironmentKey, ReloadStatus]:
        """Return what an operator wants to know about each environment."""
        return {key: environment.status() for key, environment in self._environments.items()}

    async def reload(self) -> None:
        """Take over what has changed since the last time; what is faulty is noted and left out."""
        async with self._lock:
            for follower in self.followers().values():
                await follower.source.follow_copy()
            found = await self._find()
            for key in sorted(self._environments.keys() - found.keys()):
                # Where none is left the folder itself is being replaced or out of reach.
                await self._lose(key, self._environments[key], for_good=not found)
            for key, (folder, stamp) in found.items():
                environment = self._environments.setdefault(key, Environment(folder))
                environment.gone_at_s = environment.gone_for_good = None
                same_files = environment.stamp == stamp
                if not same_files or environment.version != environment.source_version:
                    await self._rebuild_alone(key, environment)

    async def _find(self) -> _Found:
        """The environments that there are; those that seem to have gone are looked for twice."""
        self._check_root()
        found = await asyncio.to_thread(self._find_now)
        if self._environments.keys() - found.keys():
            await asyncio.sleep(self._settings.settle_s)
            found = await asyncio.to_thread(self._find_now)
        return found

    async def _lose(self, key: EnvironmentKey, environment: Environment, *, for_good: bool) -> None:
        """Serve an environment without a folder for a while, and then no more.

        Args:
            for_good: whether to serve it until there are rules again.
        """
        loop, keep_s = asyncio.get_running_loop(), self._settings.keep_gone_s
        if environment.gone_at_s is None or for_good:
            environment.gone_at_s = loop.time()
        is_over = loop.time() - environment.gone_at_s >= keep_s and not for_good
        has_nothing = key not in self.rulesets and environment.follower is None
        if is_over or has_nothing:
            await self._unfollow(self._environments.pop(key))
            if self.rulesets.pop(key, None) is not None:
                _LOG.info("%s/%s is served no more", *key)
            # An empty folder may be left, which is an environment without rules.
            self._wake.set()
        elif environment.gone_for_good is not for_good:
            environment.gone_for_good = for_good
            # What comes back is read, even if it is the same.
            environment.stamp = None
            until = "until there are rules again" if for_good else f"for {keep_s:g} seconds more"
            found = FaultList(environment.folder.relative_to(self.root.parent).as_posix())
            message = f"its rules are gone; what they said holds {until}"
            found.at("", "unreadable", message, "put them back, or wait")
            await self._refuse(key, environment, found.faults)
            loop.call_later(keep_s, self._wake.set)

    def _find_now(self) -> _Found:
        found: dict[EnvironmentKey, tuple[Path, Stamp]] = {}
        for organization, environment, folder in find_environments(self.root):
            key = (organization, environment)
            try:
                stamp = stamp_of(folder)
            except FileNotFoundError:
                continue  # It vanishes right now.
            except PermissionError:
                stamp = ()  # That is a fault of its own.
            else:
                # Whoever removes a folder removes its files first.
                if not stamp and self._had_files(key):
                    continue
            found[key] = (folder, stamp)
        return found

    def _had_files(self, key: EnvironmentKey) -> bool:
        """Whether an environment is in use, or expected, by rule files that it had."""
        known = self._environments.get(key)
        if known is None or not known.had_files:
            return False
        return key in self.rulesets or known.follower is not None

    def _check_root(self) -> None:
        """What takes the place of a watched folder is not watched by itself."""
        with suppress(OSError):
            status = self.root.stat()
            root_id = (status.st_dev, status.st_ino)
            if self._root_id != root_id:
                self._rewatch.set()
            self._root_id = root_id

    async def _rebuild_alone(self, key: EnvironmentKey, environment: Environment) -> None:
        """What goes wrong in a way that nobody thought of holds up no other environment."""
        try:
            await self._rebuild(key, environment)
        except Exception as error:  # noqa: BLE001 - it is told in the log and as a fault
            _LOG.exception("%s/%s cannot be loaded.", *key)
            found = FaultList(environment.folder.relative_to(self.root.parent).as_posix())
            message = f"the rules cannot be loaded: {type(error).__name__}"
            found.at("", "unreadable", message)
            await self._refuse(key, environment, found.faults)

    async def _rebuild(self, key: EnvironmentKey, environment: Environment) -> None:
        reading = await asyncio.to_thread(
            read_settled, environment.folder, self.root.parent, self._settings.settle_s
        )
        if not (reading.stamp or reading.faults) and self._had_files(key):
            # They went while they were looked at.
            await self._lose(key, environment, for_good=False)
            return
        environment.stamp, environment.version = reading.stamp, environment.source_version
        if reading.faults:
            await self._refuse(key, environment, reading.faults)
            return
        await self._follow(environment, reading.contentful)
        environment.version = environment.source_version
        documents = list(reading.documents)
        if environment.follower is not None:
            if not environment.follower.has_rules:
                environment.forgive()
                return  # Its first rules lead here again.
            documents += environment.follower.source.documents()
        try:
            ruleset = await asyncio.to_thread(load_ruleset, *key, documents)
        except RulesError as error:
            await self._refuse(key, environment, error.faults)
            return
        self.rulesets[key] = ruleset
        environment.accept(self._clock())
        _LOG.info("%s/%s is served with ruleset %s", *key, ruleset.digest)

    async def _refuse(
        self, key: EnvironmentKey, environment: Environment, faults: Sequence[Fault]
    ) -> None:
        finder = LineFinder(self.root.parent)
        faults = await asyncio.to_thread(finder.located, faults)
        environment.refuse(faults, self._clock())
        for fault in faults:
            _LOG.error("%s/%s: the change is refused: %s", *key, fault.told_as(fault.code))

    async def _follow(self, environment: Environment, settings: ContentfulSettings | None) -> None:
        follower = environment.follower
        if follower is not None and settings and _same(follower.source.settings, settings):
            return
        await self._unfollow(environment)
        if settings is None:
            return
        if self._copies is not None:
            # So that it can be watched; a folder that cannot be made is told when a copy is kept.
            with suppress(OSError):
                self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._rewatch.set()
        environment.follower = Follower(self._make_source(settings, self._copies), self._wake.set)
        environment.follower.start()

    async def _unfollow(self, environment: Environment) -> None:
        if environment.follower is not None:
            await environment.follower.stop()
            environment.follower = None

    def _require_rules(self) -> None:
        faults = [fault for one in self._environments.values() for fault in one.faults]
        if not self._environments:
            faults = no_environment(self.root)
        if faults:
            raise RulesError(faults)
        if not self.rulesets:
            errors = [one.source.status().error for one in self.followers().values()]
            raise SourceUnavailable("; ".join(errors))

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_s):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.reload()
            except Exception:  # noqa: BLE001 - what fails once must not end all later changes
                _LOG.exception("The rules could not be looked at; it is tried again.")

    async def _watch(self) -> None:
        while True:
            self._rewatch.clear()
            folders = [self.root, *([self._copies] if self._copies else [])]
            there = [folder for folder in folders if folder.is_dir()]
            try:
                async for _ in awatch(
                    *there,
                    watch_filter=self._concerns,
                    step=_WATCH_STEP_MS,
                    stop_event=self._rewatch,
                ):
                    self._wake.set()
            except (OSError, RuntimeError) as error:
                _LOG.warning("%s cannot be watched: %s", self.root, error)
            self._wake.set()
            if not self._rewatch.is_set():
                await asyncio.sleep(self._settings.poll_s)

    def _concerns(self, _: Change, name: str) -> bool:
        """Whether a change may be one of rules: a store may live beside the copies of sources."""
        path, root = Path(name).absolute(), self.root.absolute()
        copies = self._copies.absolute() if self._copies is not None else None
        if copies is None or copies not in path.parents:
            return True
        # Rules may lie below the copies, and the copies below the rules: the nearer folder counts.
        is_rule = root in (path, *path.parents) and root not in copies.parents
        return is_rule or is_copy(path.name)


def _same(one: ContentfulSettings, other: ContentfulSettings) -> bool:
    return _parts(one) == _parts(other)


def _parts(settings: ContentfulSettings) -> tuple[object, ...]:
    secrets = settings.token.reveal(), settings.webhook_secret.reveal()
    return settings.name, settings.url, settings.poll_s, secrets
