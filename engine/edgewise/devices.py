"""The class of device that a user agent and its client hints name.

The rules are few and plain on purpose: substrings, the most telling ones first. Known limits: a
tablet that poses as a desktop computer (iPadOS does) counts as one, and so does a phone in its
"desktop site" mode; where such a browser sends hints at all, it makes them agree with the pose.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

# Longer user agents and hints are judged by their beginning, which bounds the cost.
_LONGEST = 1024
_LONGEST_HINT = 256

_BOTS = ("bot", "+http", "crawl", "spider", "headless", "phantomjs", "lighthouse", "preview/")
_TELEVISIONS = ("bravia", "; aft", "crkey", "mibox")
_CONSOLES = ("playstation", "nintendo", "xbox", " vr safari")

# The first row with a word that occurs decides; all is in lower case. The words of a row are looked
# for only where its stem occurs, which is in each of them: a search that most agents are spared.
_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # A brand of phones, before the bots that it reads like.
    ("mobile", "cubot", ("cubot",)),
    ("unknown", "", (*_BOTS, *_TELEVISIONS, *_CONSOLES)),
    # What fetches pages with a browser's engine adds its name behind it, or within its comment.
    ("unknown", "compatible", ("safari/537.36 (compatible", "gecko; compatible")),
    ("unknown", "tv", (" tv", "smart-tv", "smarttv", "googletv", "hbbtv", "netcast.tv", "mitv")),
    # Before the tablets, because desktop browsers may say "Tablet PC".
    ("desktop", "", ("windows nt",)),
    ("tablet", " sm-", (" sm-t", " sm-x", " sm-p")),
    ("tablet", "", ("ipad", "tablet", "kindle", "kobo", " kf", " gt-p")),
    ("mobile", "", ("mobi", "iphone", "ipod", "opera mini", "symbian", "midp")),
    # A tablet's browser, which may pose as a desktop one.
    ("tablet", "", ("silk/",)),
)

# These words tell a device in browsers only: one on a phone would have said "Mobile", while a
# program such as "wget (linux-gnu)" just names a system.
_BROWSER_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Samsung's phones, on which some browsers leave "Mobile" out.
    ("mobile", (" sm-a", " sm-f", " sm-g", " sm-n", " sm-s")),
    ("tablet", ("android",)),
    ("desktop", ("windows", "macintosh", "x11", "linux")),
)
_BROWSERS = ("mozilla/", "opera/")

# Most browsers say this and it tells nothing; without it there is a third less to search.
_COMMON = " applewebkit/537.36 (khtml, like gecko) "

# Known values as they stand in a header, but in lower case; what is not here counts as absent.
_MOBILE = {b"?1": True, b"?0": False}
_PLATFORMS = {
    b'"%s"' % name.lower().encode(): name
    for name in ("Android", "iOS", "Chrome OS", "Chromium OS", "Linux", "macOS", "Windows")
}
_FORM_FACTORS = {
    b'"%s"' % name.lower().encode(): name
    for name in ("Desktop", "Automotive", "Mobile", "Tablet", "XR", "EInk", "Watch")
}

_HANDHELD_PLATFORMS = ("Android", "iOS")
# Neither a computer nor a phone nor a tablet.
_OTHER_FORM_FACTORS = frozenset({"Automotive", "XR", "Watch"})


class ClientHints(msgspec.Struct, frozen=True):
    """What a browser's client hints say about its device, in the specification's own spelling.

    Args:
        mobile: whether the browser is on a mobile device, or prefers what such a one would get.
        platform: the operating system, where it is one that tells a class of device.
        form_factors: all that apply, of those that the specification lists.
    """

    mobile: bool | None = None
    platform: str | None = None
    form_factors: frozenset[str] = frozenset()


def parse_client_hints(mobile: bytes, platform: bytes, form_factors: bytes) -> ClientHints | None:
    """Return the client hints of a request, or None where it has none that can be used.

    A value that is unknown, malformed or far behind in a long header counts as absent.

    Args:
        mobile: the value of `Sec-CH-UA-Mobile`, empty where absent; the others likewise.
        platform: the value of `Sec-CH-UA-Platform`.
        form_factors: the value of `Sec-CH-UA-Form-Factors`.
    Source: User-Agent Client Hints (WICG) for the names and values; RFC 8941 for their form: `?1`,
        `"Android"`, `"Mobile", "XR"`, each of them with parameters that mean nothing here.
    """
    if not (mobile or platform or form_factors):
        return None
    items = map(_bare, form_factors[:_LONGEST_HINT].split(b","))
    hints = ClientHints(
        mobile=_MOBILE.get(_bare(mobile)),
        platform=_PLATFORMS.get(_bare(platform)),
        form_factors=frozenset(_FORM_FACTORS[item] for item in items if item in _FORM_FACTORS),
    )
    return hints if hints != _NO_HINTS else None


def device_class(user_agent: str | None, hints: ClientHints | None = None) -> str | None:
    """Return "desktop", "mobile", "tablet" or "unknown"; None where nothing was sent that says.

    Bots, televisions, consoles, headsets, cars, watches and programs that are not browsers are
    "unknown". The first of these that applies decides:

    1. A user agent that names a bot, a television, a console or a tablet: no hint knows better.
    2. The form factor "Automotive", "XR" or "Watch": unknown. Browsers list "XR" beside others.
    3. The form factor "Tablet": a tablet, even where the mobile site is preferred.
    4. The form factor "Mobile" or `?1`: mobile.
    5. The form factor "EInk": a tablet, as readers are that name themselves.
    6. The platform Android or iOS with `?0` or "Desktop": a tablet. Chromium derives the form
       factor from the same bit, so its "Desktop" on a tablet says no more than "not a phone".
    7. Any other known platform, or the form factor "Desktop": a desktop computer.
    8. The user agent.

    Cost: some microseconds for a user agent that is new, a tenth of it for a recent one.
    Source: User-Agent Client Hints (WICG). Mobile and platform come with every secure request of a
        Chromium browser, form factors only where the site asked for them. A tablet is Android
        without "Mobile", in the hints as in the user agent, which is otherwise frozen.
    """
    device, is_certain = _classify(user_agent[:_LONGEST]) if user_agent else (None, False)
    if hints is None or is_certain:
        return device
    return _hinted_class(hints) or device


# Most visitors share a few hundred user agents; the cut above bounds the memory that this takes.
@lru_cache(maxsize=4096)
def _classify(user_agent: str) -> tuple[str, bool]:
    """The class, and whether a word names it that is more exact than any hint."""
    agent = user_agent.lower().replace(_COMMON, " ")
    for device, stem, words in _ROWS:
        if stem not in agent:
            continue
        for word in words:
            if word in agent:
                # A Macintosh that calls itself mobile is an iPad, in a web view.
                if device == "mobile" and "macintosh" in agent:
                    return "tablet", True
                return device, device in ("unknown", "tablet")
    if agent.startswith(_BROWSERS):
        for device, words in _BROWSER_ROWS:
            for word in words:
                if word in agent:
                    return device, False
    return "unknown", False


def _hinted_class(hints: ClientHints) -> str | None:
    factors = hints.form_factors
    if factors & _OTHER_FORM_FACTORS:
        return "unknown"
    if "Tablet" in factors:
        return "tablet"
    if hints.mobile or "Mobile" in factors:
        return "mobile"
    if "EInk" in factors:
        return "tablet"
    if hints.platform in _HANDHELD_PLATFORMS:
        return "tablet" if hints.mobile is False or "Desktop" in factors else None
    return "desktop" if hints.platform or "Desktop" in factors else None


def _bare(item: bytes) -> bytes:
    """An item of a header without its parameters, spaces and capitals."""
    return item[:_LONGEST_HINT].partition(b";")[0].strip().lower()


_NO_HINTS = ClientHints()
