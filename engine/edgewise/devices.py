"""The class of device that a user agent names.

The rules are few and plain on purpose: substrings, the most telling ones first. Known limits: a
tablet that poses as a desktop computer (iPadOS does) counts as one, and so does a phone in its
"desktop site" mode.
"""

from __future__ import annotations

from functools import lru_cache

# Longer user agents are judged by their beginning, which bounds the cost.
_LONGEST = 1024

# The first row with a word that occurs decides; words are in lower case.
_ROWS = (
    # A brand of phones, before the bots that it reads like.
    ("mobile", ("cubot",)),
    ("unknown", ("bot", "+http", "crawl", "spider")),
    ("unknown", (" tv", "smart-tv", "smarttv", "googletv", "hbbtv", "netcast")),
    ("unknown", ("bravia", "; aft", "crkey", "mitv", "mibox")),
    ("unknown", ("playstation", "nintendo", "xbox", "oculusbrowser")),
    # Before the tablets, because desktop browsers may say "Tablet PC".
    ("desktop", ("windows nt",)),
    ("tablet", ("ipad", "tablet", "kindle", " kf", " sm-t", " sm-x", " sm-p")),
    ("mobile", ("mobi", "iphone", "ipod", "opera mini", "symbian", "midp")),
)

# These words tell a device in browsers only: one on a phone would have said "Mobile", while a
# program such as "wget (linux-gnu)" just names a system. "silk" is a tablet's browser that may
# pose as a desktop one.
_BROWSER_ROWS = (
    ("tablet", ("android", "silk/")),
    ("desktop", ("windows", "macintosh", "x11", "linux")),
)
_BROWSERS = ("mozilla/", "opera/")

_WORDS = tuple((word, device) for device, words in _ROWS for word in words)
_BROWSER_WORDS = tuple((word, device) for device, words in _BROWSER_ROWS for word in words)


def device_class(user_agent: str | None) -> str | None:
    """Return "desktop", "mobile", "tablet" or "unknown"; None where no user agent was sent.

    Bots, televisions, consoles and programs that are not browsers are "unknown".

    Cost: some microseconds for a user agent that is new, a tenth of it for a recent one.
    """
    return _classify(user_agent[:_LONGEST]) if user_agent else None


# Most visitors share a few hundred user agents; the cut above bounds the memory that this takes.
@lru_cache(maxsize=4096)
def _classify(user_agent: str) -> str:
    agent = user_agent.lower()
    for word, device in _WORDS:
        if word in agent:
            return device
    if agent.startswith(_BROWSERS):
        for word, device in _BROWSER_WORDS:
            if word in agent:
                return device
    return "unknown"
