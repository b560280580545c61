"""Believable traffic of any size, the same for the same seed.

Visitors appear over the whole time and come back in sessions: some once, few very often. Each has
a place, a device, perhaps an account; whoever logs in on a second device makes two profiles one. A
session starts with an arrival (a campaign, a search, nothing) and goes on through pages, the cart
and sometimes a purchase. Some events arrive late, and some twice.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from random import Random

import msgspec

from edgewise.simulate.synth_world import (
    AGENTS,
    ARRIVALS,
    DAY_WEIGHTS,
    HOUR_WEIGHTS,
    INTERESTS,
    PATHS,
    PLACES,
    PRODUCTS,
    TIERS,
)
from edgewise.simulate.window import DAY_MS, HOUR_MS
from edgewise.values import iso_time

DEFAULT_DAYS = 30
DEFAULT_START_MS = 1_793_491_200_000  # 2026-11-01, a Sunday.

_MEAN_EVENTS = 6

# What sessions come to on average, since they end at random and some are cut short.
_EVENTS_PER_SESSION = 5.03
_MEAN_BREAK_MS = 45_000
_LATE_SHARE = 0.003
_TWICE_SHARE = 0.001
_ACCOUNT_SHARE = 0.35
_SECOND_DEVICE_SHARE = 0.3
_STICKY_EXPERIENCE = "sale-banner"


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """How much of it, and from when to when.

    Args:
        profiles: visitors, counted per device; fewer appear where there are too few events.
        events: lines, exactly.
        start_ms: the midnight that the first day starts at.
    """

    profiles: int
    events: int
    seed: int
    days: int = DEFAULT_DAYS
    start_ms: int = DEFAULT_START_MS


class _Device(msgspec.Struct):
    """One visitor on one device: what stays the same, as JSON where it is written into lines."""

    name: str
    person: int
    context: str
    location: str
    has_account: bool
    buys: float
    logged_in: bool = False
    cart: int = 0


class _Session(msgspec.Struct):
    """A visit that goes on: who it is, what is left, and how it began."""

    device: _Device
    left: int
    landing: str
    referrer: str
    page: str = ""


def synthesize(traffic: Traffic) -> Iterator[bytes]:
    """Iterate over lines of events in the order of their arrival, without line breaks.

    Cost: 10 µs per event; memory grows with the visitors that appeared.
    """
    return _Generator(traffic).lines()


class _Generator:
    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._chance = Random(traffic.seed)
        self._devices: list[_Device] = []
        self._accounts: list[int] = []
        self._serial = 0

    def lines(self) -> Iterator[bytes]:
        """Sessions overlap: a heap holds the next event of each that goes on."""
        traffic, chance = self._traffic, self._chance
        if traffic.events == 0 or traffic.profiles == 0:
            return
        starts = self._session_starts()
        share_of_new = min(1.0, traffic.profiles / len(starts))
        waiting: list[tuple[int, int, _Session]] = []
        written = serial = 0
        for start_ms in [*starts, 1 << 62]:
            while waiting and waiting[0][0] <= start_ms:
                time_ms, number, session = heapq.heappop(waiting)
                for line in self._step(session, time_ms):
                    yield line
                    written += 1
                    if written == traffic.events:
                        return
                if session.left > 0:
                    pause_ms = 1 + int(chance.expovariate(1 / _MEAN_BREAK_MS))
                    heapq.heappush(waiting, (time_ms + pause_ms, number, session))
            if start_ms < 1 << 62:
                serial += 1
                session = self._begin(share_of_new)
                heapq.heappush(waiting, (start_ms, serial, session))
        yield from self._fill(traffic.events - written)

    def _fill(self, missing: int) -> Iterator[bytes]:
        """What the sessions fell short of, in the last minutes of the last day."""
        end_ms = self._traffic.start_ms + self._traffic.days * DAY_MS
        while missing > 0:
            session = self._begin(0.0)
            while session.left > 0 and missing > 0:
                for line in self._step(session, end_ms)[:missing]:
                    yield line
                    missing -= 1
                end_ms += 1

    def _session_starts(self) -> array[int]:
        """The starts of all sessions, ascending, spread like days and hours are busy."""
        traffic, chance = self._traffic, self._chance
        first_day = datetime.fromtimestamp(traffic.start_ms / 1000, UTC).weekday()
        weights = [
            DAY_WEIGHTS[(first_day + day) % 7] * hour
            for day in range(traffic.days)
            for hour in HOUR_WEIGHTS
        ]
        sessions = int(traffic.events / _EVENTS_PER_SESSION * 1.01) + 8
        starts = array("q")
        spent, total = 0, sum(weights)
        for hour, reached in enumerate(accumulate(weights)):
            due = sessions * reached // total
            begin_ms = traffic.start_ms + hour * HOUR_MS
            moments = [begin_ms + int(chance.random() * HOUR_MS) for _ in range(due - spent)]
            starts.extend(sorted(moments))
            spent = due
        return starts

    def _begin(self, share_of_new: float) -> _Session:
        chance, devices = self._chance, self._devices
        is_new = not devices or chance.random() < share_of_new
        if is_new and len(devices) < self._traffic.profiles:
            device = self._new_device()
        else:
            # Whoever came lately comes again; a few come all the time.
            ago = int(len(devices) * chance.random() ** 3)
            device = devices[ago if chance.random() < 0.3 else len(devices) - 1 - ago]
        source, medium, name, referrer = ARRIVALS.draw(chance)
        campaign = ""
        if source:
            campaign = f',"campaign":{{"source":"{source}","medium":"{medium}","name":"{name}"}}'
        left = 1 + int(chance.expovariate(1 / (_MEAN_EVENTS - 1.5)))
        # Where a visitor is and comes from, the first event of a session tells.
        return _Session(device, left, device.location + campaign, referrer)

    def _new_device(self) -> _Device:
        chance, devices = self._chance, self._devices
        number = len(devices)
        person = number
        has_account = chance.random() < _ACCOUNT_SHARE
        if has_account:
            if self._accounts and chance.random() < _SECOND_DEVICE_SHARE:
                person = self._accounts[int(chance.random() * len(self._accounts))]
            else:
                self._accounts.append(person)
        code, country, continent, city = PLACES.draw(Random(person * 7919 + self._traffic.seed))
        context = (
            '"context":{"library":{"name":"Ninetailed React Analytics SDK","version":"7.26.0"},'
            f'"userAgent":"{AGENTS.draw(chance)}","locale":"en-US","gdpr":{{"isConsentGiven":true}}'
        )
        location = (
            f',"location":{{"city":"{city}","country":"{country}","countryCode":"{code}",'
            f'"continent":"{continent}"}}'
        )
        name = f"{chance.getrandbits(64):016x}-{number}"
        device = _Device(name, person, context, location, has_account, buys=chance.random() * 0.12)
        devices.append(device)
        return device

    def _step(self, session: _Session, time_ms: int) -> list[bytes]:
        """The next event of a session, and what it brings with it."""
        chance, device = self._chance, session.device
        session.left -= 1
        drawn = chance.random()
        if not session.page or drawn < 0.66:
            lines = [self._page(session, time_ms)]
        elif drawn < 0.76 and device.has_account and not device.logged_in:
            device.logged_in = True
            lines = [self._line(session, time_ms, "identify", self._identity_of(device))]
        elif drawn < 0.82 and session.page == "/sale":
            lines = [self._view(session, time_ms)]
        elif device.cart and drawn < 0.82 + device.buys:
            lines = [self._line(session, time_ms, "track", _purchase(device.cart))]
            device.cart = 0
        elif product := PRODUCTS.get(session.page):
            device.cart += product[1]
            lines = [self._line(session, time_ms, "track", _addition(session.page, product[1]))]
        else:
            lines = [self._page(session, time_ms)]
        if chance.random() < _TWICE_SHARE:
            lines.append(lines[-1])
        session.landing = ""
        return lines

    def _page(self, session: _Session, time_ms: int) -> bytes:
        session.page = PATHS.draw(self._chance)
        category = PRODUCTS.get(session.page, ("content", 0))[0]
        properties = f'"properties":{{"category":"{category}","path":"{session.page}"}}'
        return self._line(session, time_ms, "page", properties)

    def _view(self, session: _Session, time_ms: int) -> bytes:
        # A visitor sees the same variant each time.
        index = int(session.device.name[:2], 16) % 2
        view = (
            f'"componentId":"{_STICKY_EXPERIENCE}-{index}","componentType":"Entry",'
            f'"experienceId":"{_STICKY_EXPERIENCE}","variantIndex":{index}'
        )
        return self._line(session, time_ms, "component", view)

    def _identity_of(self, device: _Device) -> str:
        own = Random(device.person * 104_729 + self._traffic.seed)
        tier = TIERS.draw(own)
        member = f'"tier":"{tier}","memberSince":"20{own.randint(19, 26)}-0{own.randint(1, 9)}-12",'
        traits = (
            f"{member if tier else ''}"
            f'"newsletter":{"true" if own.random() < 0.4 else "false"},'
            f'"interests":["{own.choice(INTERESTS)}","{own.choice(INTERESTS)}"],'
            f'"statistics":{{"orders":{int(own.expovariate(0.3))}}}'
        )
        return f'"userId":"customer-{device.person}","traits":{{{traits}}}'

    def _line(self, session: _Session, time_ms: int, event_type: str, body: str) -> bytes:
        device, path = session.device, session.page or "/"
        self._serial += 1
        arrival = own = iso_time(time_ms)
        if self._chance.random() < _LATE_SHARE:
            own = iso_time(time_ms - int(self._chance.expovariate(1 / HOUR_MS)))
        return (
            f'{{"type":"{event_type}","messageId":"{self._traffic.seed:x}-{self._serial:x}",'
            f'"anonymousId":"{device.name}","channel":"web","timestamp":"{own}",'
            f'"receivedAt":"{arrival}",{device.context}{session.landing},'
            f'"page":{{"path":"{path}","query":{{}},"referrer":"{session.referrer}","search":"",'
            f'"url":"https://shop.example{path}"}}}},{body}}}'
        ).encode()


def _purchase(total: int) -> str:
    return f'"event":"purchase","properties":{{"total":{total},"currency":"EUR"}}'


def _addition(path: str, price: int) -> str:
    sku = path.rpartition("/")[2]
    return f'"event":"add_to_cart","properties":{{"sku":"{sku}","price":{price}}}'
