"""Device classes: tables of user agents as they are sent, and what each of them is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.devices import ClientHints, device_class, parse_client_hints

TABLE = Path(__file__).parent / "data" / "user-agents.tsv"
IPADS = "iPads that pose as a Macintosh"

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"

DESKTOPS = {
    "Chrome on Windows": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36",
    "Edge on Windows": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
    "Firefox on Windows": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) "
    "Gecko/20100101 Firefox/125.0",
    "Opera on Windows": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} "
    "Chrome/123.0.0.0 Safari/537.36 OPR/109.0.0.0",
    "Internet Explorer 11": "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Internet Explorer with Tablet PC": "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; "
    "Trident/4.0; SLCC2; .NET CLR 2.0.50727; Tablet PC 2.0)",
    "Windows with touch": "Mozilla/5.0 (Windows NT 6.3; ARM; Trident/7.0; Touch; rv:11.0) "
    "like Gecko",
    "Windows 98": "Mozilla/4.0 (compatible; MSIE 6.0; Windows 98)",
    "Safari on a Mac": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} "
    "Version/17.4 Safari/605.1.15",
    "iPad that poses as a Mac": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_6) {APPLE} "
    "Version/16.1 Safari/605.1.15",
    "Chrome on a Mac": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36",
    "Firefox on Linux": "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) "
    "Gecko/20100101 Firefox/125.0",
    "Chrome on Linux": f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/124.0.0.0 Safari/537.36",
    "Chrome OS": f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36",
    "FreeBSD": "Mozilla/5.0 (X11; FreeBSD amd64; rv:109.0) Gecko/20100101 Firefox/115.0",
    "Linux on Wayland": "Mozilla/5.0 (Wayland; Linux x86_64; rv:125.0) "
    "Gecko/20100101 Firefox/125.0",
    "Opera 12": "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18",
    "desktop app": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} "
    "Slack/4.37 Chrome/122.0.6261.57 Electron/29.0.1 Safari/537.36",
}

PHONES = {
    "iPhone": f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) {APPLE} "
    "Version/17.4.1 Mobile/15E148 Safari/604.1",
    "Chrome on an iPhone": f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {APPLE} "
    "CriOS/124.0.6367.68 Mobile/15E148 Safari/604.1",
    "app on an iPhone": "Shop/3.1 (iPhone; iOS 16.1; Scale/3.00)",
    "social app on an iPhone": f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) {APPLE} "
    "Mobile/15E148 [FBAN/FBIOS;FBAV/410.0.0.26.115;FBDV/iPhone12,1;FBMD/iPhone]",
    "app on an iPod": "Shop/3.1 (iPod touch; iOS 12.5.7; Scale/2.00)",
    "iPod": f"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_5 like Mac OS X) {APPLE} "
    "Version/12.1 Mobile/15E148 Safari/604.1",
    "Chrome on Android": f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} "
    "Chrome/124.0.0.0 Mobile Safari/537.36",
    "Samsung phone": f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) {WEBKIT} "
    "SamsungBrowser/24.0 Chrome/117.0.0.0 Mobile Safari/537.36",
    "Edge on Android": f"Mozilla/5.0 (Linux; Android 10; HD1913) {WEBKIT} "
    "Chrome/124.0.0.0 Mobile Safari/537.36 EdgA/124.0.2478.50",
    "Firefox on Android": "Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0",
    "web view on Android": "Mozilla/5.0 (Linux; Android 12; Pixel 6 Build/SD1A.210817.023; wv) "
    f"{WEBKIT} Version/4.0 Chrome/94.0.4606.71 Mobile Safari/537.36",
    "phone that reads like a bot": "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) "
    f"{WEBKIT} Chrome/110.0.0.0 Mobile Safari/537.36",
    "Silk on a phone": "Mozilla/5.0 (Linux; U; Android 4.2.2; en-us; SD4930UR Build/JDQ39) "
    "AppleWebKit/535.19 (KHTML, like Gecko) Silk/3.21 like Chrome/18.0 Mobile Safari/535.19",
    "Windows Phone 7": "Mozilla/5.0 (compatible; MSIE 9.0; Windows Phone OS 7.5; Trident/5.0; "
    "IEMobile/9.0; NOKIA; Lumia 800)",
    "Windows Phone 8.1": "Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; "
    "Touch; rv:11.0; IEMobile/11.0; NOKIA; Lumia 520) like iPhone OS 7_0_3 Mac OS X "
    "AppleWebKit/537 (KHTML, like Gecko) Mobile Safari/537",
    "Edge on Windows Phone": "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; "
    f"Lumia 950) {WEBKIT} Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
    "BlackBerry 9700": "BlackBerry9700/5.0.0.862 Profile/MIDP-2.1 Configuration/CLDC-1.1",
    "feature phone": "Nokia6300/2.0 (05.50) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    "BlackBerry 10": "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) "
    "Version/10.0.9.2372 Mobile Safari/537.10+",
    "Opera Mini": "Opera/9.80 (J2ME/MIDP; Opera Mini/9.5.33867/35.5561; U; en) "
    "Presto/2.8.119 Version/11.10",
    "Opera Mini on Android": "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) "
    "Presto/2.12.423 Version/12.16",
    "Opera Mobile": "Opera/9.80 (Android 2.3.3; Linux; Opera Mobi/ADR-1111101157; U; es-ES) "
    "Presto/2.9.201 Version/11.50",
    "KaiOS": "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
    "Symbian": "Mozilla/5.0 (SymbianOS/9.2; U; Series60/3.1 NokiaN95/31.0.017) "
    "AppleWebKit/413 (KHTML, like Gecko) Safari/413",
    "UC Browser": "UCWEB/2.0 (MIDP-2.0; U; Adr 4.4.4; en-US; XT1022) U2/1.0.0 "
    "UCBrowser/10.6.0.706 U2/1.0.0 Mobile",
    "Harmony phone": f"Mozilla/5.0 (Phone; OpenHarmony 5.0) {WEBKIT} "
    "Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1 Mobile",
}

TABLETS = {
    "iPad": f"Mozilla/5.0 (iPad; CPU OS 12_5_7 like Mac OS X) {APPLE} "
    "Version/12.1.2 Mobile/15E148 Safari/604.1",
    "app on an iPad": "Shop/3.1 (iPad; iOS 16.1; Scale/2.00)",
    "Opera Mini on an iPad": "Opera/9.80 (iPad; Opera Mini/7.0.5/28.2555; U; en) "
    "Presto/2.8.119 Version/11.10",
    "Chrome on Android": f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36",
    "Samsung tablet": f"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-X906C) {WEBKIT} "
    "SamsungBrowser/24.0 Chrome/117.0.0.0 Safari/537.36",
    "Samsung tablet in an app": "Mozilla/5.0 (Linux; Android 9; SM-T590 Build/PPR1; wv) "
    f"{WEBKIT} Version/4.0 Chrome/99.0.4844.88 Mobile Safari/537.36",
    "Samsung tablet with a pen in an app": "Mozilla/5.0 (Linux; Android 12; SM-P610; wv) "
    f"{WEBKIT} Version/4.0 Chrome/99.0.4844.88 Mobile Safari/537.36",
    "large Samsung tablet in an app": "Mozilla/5.0 (Linux; Android 14; SM-X910; wv) "
    f"{WEBKIT} Version/4.0 Chrome/124.0.6367.82 Mobile Safari/537.36",
    "Firefox on Android": "Mozilla/5.0 (Android 13; Tablet; rv:125.0) Gecko/125.0 Firefox/125.0",
    "Silk on a Fire": "Mozilla/5.0 (Linux; Android 9; KFTRWI) "
    f"{WEBKIT} Silk/108.2.5 like Chrome/108.0.5359.220 Safari/537.36",
    "Silk in its mobile mode": "Mozilla/5.0 (Linux; Android 5.1.1; KFAUWI) "
    f"{WEBKIT} Silk/80.5.3 like Chrome/80.0.3987.162 Mobile Safari/537.36",
    "Silk in its desktop mode": f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} "
    "Silk/108.2.5 like Chrome/108.0.5359.220 Safari/537.36",
    "Kindle Fire": "Mozilla/5.0 (Linux; U; Android 2.3.4; en-us; Kindle Fire Build/GINGERBREAD) "
    "AppleWebKit/533.1 (KHTML, like Gecko) Version/4.0 Mobile Safari/533.1",
    "Kindle": "Mozilla/5.0 (Linux; U; en-US) AppleWebKit/528.5+ (KHTML, like Gecko, "
    "Safari/528.5+) Version/4.0 Kindle/3.0 (screen 600x800; rotate)",
    "PlayBook": "Mozilla/5.0 (PlayBook; U; RIM Tablet OS 2.1.0; en-US) AppleWebKit/536.2+ "
    "(KHTML, like Gecko) Version/7.2.1.0 Safari/536.2+",
    "Opera Tablet": "Opera/9.80 (Android 4.1.2; Linux; Opera Tablet/ADR-1301080958) "
    "Presto/2.11.355 Version/12.10",
    "Nexus 7": "Mozilla/5.0 (Linux; Android 4.4.4; Nexus 7 Build/KTU84P) "
    f"{WEBKIT} Chrome/36.0.1985.135 Safari/537.36",
    "Harmony tablet": f"Mozilla/5.0 (Tablet; OpenHarmony 5.0) {WEBKIT} "
    "Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1",
}

OTHERS = {
    "Googlebot": f"Mozilla/5.0 {WEBKIT}; compatible; Googlebot/2.1; "
    "+http://www.google.com/bot.html) Chrome/124.0.0.0 Safari/537.36",
    "Googlebot on a phone": f"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {WEBKIT} "
    "Chrome/124.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
    "+http://www.google.com/bot.html)",
    "Applebot": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) {APPLE} "
    "Version/13.1.1 Safari/605.1.15 (Applebot/0.1)",
    "bingbot": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Baiduspider": "Mozilla/5.0 (compatible; Baiduspider/2.0)",
    "spider on a phone": "Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider)",
    "crawler in a browser": f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} "
    "Chrome/124.0.0.0 Safari/537.36 (compatible; WebCrawler/1.0)",
    "fetcher with an address": f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6) {WEBKIT} "
    "Chrome/66.0.3359.139 Safari/537.36 (compatible; proximic; +https://www.comscore.com)",
    "Slurp": "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "link preview": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Android TV": f"Mozilla/5.0 (Linux; Android 9; BRAVIA 4K UR2 Build/PTT1) {WEBKIT} "
    "Chrome/92.0.4515.159 Safari/537.36",
    "Android TV stick": f"Mozilla/5.0 (Linux; Android 11; SHIELD Android TV) {WEBKIT} "
    "Chrome/98.0.4758.101 Safari/537.36",
    "Fire TV": f"Mozilla/5.0 (Linux; Android 7.1.2; AFTMM Build/NS6265; wv) {WEBKIT} "
    "Version/4.0 Chrome/70.0.3538.110 Mobile Safari/537.36",
    "Android TV set": "Mozilla/5.0 (Linux; Android 9; MiTV-AXSO0 Build/PI) "
    f"{WEBKIT} Chrome/84.0.4147.125 Safari/537.36",
    "Android TV box": "Mozilla/5.0 (Linux; Android 9; MIBOX4 Build/PI; wv) "
    f"{WEBKIT} Version/4.0 Chrome/83.0.4103.120 Mobile Safari/537.36",
    "early Google TV": "Mozilla/5.0 (X11; U; Linux i686; en-US) AppleWebKit/533.4 "
    "(KHTML, like Gecko) Chrome/5.0.375.127 Large Screen Safari/533.4 GoogleTV/162671",
    "hybrid TV": "Mozilla/5.0 (Linux; U; en) HbbTV/1.1.1 (; LGE; 42LM; 4.0; 1.0;)",
    "NetCast TV": "Mozilla/5.0 (DirectFB; Linux armv7l) AppleWebKit/534.26+ (KHTML, like Gecko) "
    "Version/5.0 Safari/534.26+ LG NetCast.TV-2012",
    "early smart TV": "Mozilla/5.0 (SMART-TV; X11; Linux i686) AppleWebKit/535.20+ "
    "(KHTML, like Gecko) Version/5.0 Safari/535.20+",
    "Tizen TV": "Mozilla/5.0 (SMART-TV; LINUX; Tizen 5.0) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/5.0 TV Safari/537.36",
    "webOS TV": f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/79.0.3945.79 Safari/537.36",
    "Chromecast": f"Mozilla/5.0 (X11; Linux armv7l) {WEBKIT} "
    "Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000",
    "Nintendo 3DS": "Mozilla/5.0 (New Nintendo 3DS like iPhone) AppleWebKit/536.30 "
    "(KHTML, like Gecko) NX/3.0.0.5.15 Mobile NintendoBrowser/1.3.10126.EU",
    "Nintendo Switch": "Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/609.4 "
    "(KHTML, like Gecko) NF/6.0.2.20.5 NintendoBrowser/5.1.0.22433",
    "Xbox": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) {WEBKIT} "
    "Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763",
    "PlayStation 5": "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/13.0 Safari/605.1.15",
    "PlayStation Vita": "Mozilla/5.0 (PlayStation Vita 3.61) AppleWebKit/537.73 "
    "(KHTML, like Gecko) Silk/3.2",
    "headset": f"Mozilla/5.0 (Linux; Android 12; Quest 3) {WEBKIT} "
    "OculusBrowser/33.0 Chrome/124.0.6367.118 VR Safari/537.36",
    "curl": "curl/7.88.1",
    "program that names its system": "Wget/1.20.3 (linux-gnu)",
    "program on Android": "Dalvik/2.1.0 (Linux; U; Android 13; SM-G991B Build/TP1A.220624.014)",
    "script": "python-requests/2.31.0",
    "server": "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "app on Apple systems": "Shop/17 CFNetwork/1410.0.3 Darwin/22.6.0",
    "browser without a system": "Mozilla/5.0",
    "nonsense": "UA",
    "one space": " ",
}


def rows(agents: dict[str, str], device: str) -> list[object]:
    return [pytest.param(agent, device, id=f"{device}: {name}") for name, agent in agents.items()]


@pytest.mark.parametrize(
    ("user_agent", "device"),
    rows(DESKTOPS, "desktop")
    + rows(PHONES, "mobile")
    + rows(TABLETS, "tablet")
    + rows(OTHERS, "unknown"),
)
def test_a_user_agent_names_its_device(user_agent: str, device: str) -> None:
    """The class follows from the words that browsers of each kind of device use."""
    assert device_class(user_agent) == device


@pytest.mark.parametrize("user_agent", [None, ""], ids=["absent", "empty"])
def test_without_a_user_agent_nothing_is_known(user_agent: str | None) -> None:
    """No user agent is no answer, which differs from an unknown device."""
    assert device_class(user_agent) is None


def test_upper_case_does_not_matter() -> None:
    """Words count in any case."""
    assert device_class(PHONES["iPhone"].upper()) == "mobile"


def test_a_very_long_user_agent_is_judged_by_its_beginning() -> None:
    """What stands far behind no longer counts, so that no sender can make this slow."""
    assert device_class(DESKTOPS["Chrome on Windows"] + " " * 2000 + "Googlebot") == "desktop"
    assert device_class("x" * 1_000_000 + "iPhone") == "unknown"


def table_rows(ipads: bool) -> list[tuple[str, str]]:
    """Class and user agent of the table's rows: of the named section of iPads, or of all others."""
    others, _, named = TABLE.read_text("utf-8").partition(f"# {IPADS}\n")
    lines = (named if ipads else others).splitlines()
    rows = [line.partition("\t") for line in lines if line and not line.startswith("#")]
    return [(device, agent) for device, _, agent in rows]


def hints_of(mobile: str = "", platform: str = "", form_factors: str = "") -> ClientHints | None:
    return parse_client_hints(mobile.encode(), platform.encode(), form_factors.encode())


def test_the_table_is_large_balanced_and_free_of_duplicates() -> None:
    """Agreement with it means something for each class."""
    rows = table_rows(ipads=False)
    agents = [agent for _, agent in rows + table_rows(ipads=True)]
    assert len(set(agents)) == len(agents)
    assert len(rows) >= 400
    counts = Counter(device for device, _ in rows)
    assert counts.keys() == {"desktop", "mobile", "tablet", "unknown"}
    assert min(counts["desktop"], counts["mobile"], counts["tablet"]) >= 100
    assert counts["unknown"] >= 50


def test_the_table_agrees() -> None:
    """The words find the class of 99 in 100 user agents of the table."""
    rows = table_rows(ipads=False)
    wrong = [
        f"{device_class(agent)} instead of {device}: {agent}"
        for device, agent in rows
        if device_class(agent) != device
    ]
    assert len(wrong) <= len(rows) // 100, "\n".join(wrong)


@pytest.mark.parametrize("agent", [agent for _, agent in table_rows(ipads=True)])
def test_an_ipad_that_poses_as_a_macintosh_is_known_by_its_form_factor_only(agent: str) -> None:
    """The known limit: nothing in the user agent differs from a Mac's."""
    assert device_class(agent) == "desktop"
    assert device_class(agent, hints_of("?0", '"macOS"')) == "desktop"
    assert device_class(agent, hints_of("?0", '"iOS"')) == "tablet"
    assert device_class(agent, hints_of("?0", '"macOS"', '"Tablet"')) == "tablet"


def test_an_ipad_in_a_web_view_gives_itself_away() -> None:
    """No Mac calls itself mobile."""
    agent = DESKTOPS["iPad that poses as a Mac"].replace("Safari/", "Mobile/15E148 Safari/")
    assert device_class(agent) == "tablet"


@pytest.mark.parametrize(
    ("mobile", "platform", "form_factors", "hints"),
    [
        pytest.param("?1", "", "", ClientHints(mobile=True), id="mobile"),
        pytest.param("?0", "", "", ClientHints(mobile=False), id="not-mobile"),
        pytest.param("", '"Chrome OS"', "", ClientHints(platform="Chrome OS"), id="platform"),
        pytest.param(
            *("", "", '"Tablet"', ClientHints(form_factors=frozenset({"Tablet"}))), id="form-factor"
        ),
        pytest.param(
            *("?1", '"Android"', '"Mobile", "XR"'),
            ClientHints(mobile=True, platform="Android", form_factors=frozenset({"Mobile", "XR"})),
            id="all",
        ),
        pytest.param(
            *(" ?1;a=b ", '"ANDROID" ; v="1"', '"EInk";q=1,,"Sofa", "Mobile"'),
            ClientHints(
                mobile=True, platform="Android", form_factors=frozenset({"EInk", "Mobile"})
            ),
            id="parameters-spaces-capitals-and-new-names",
        ),
        pytest.param("yes", '"macOS"', "", ClientHints(platform="macOS"), id="half-garbage"),
        pytest.param("", "", "", None, id="absent"),
        pytest.param("1", "Android", "Tablet", None, id="no-structured-fields"),
        pytest.param("?2", '"Unknown"', '"Sofa"', None, id="unknown-values"),
        pytest.param("?", '"', '"', None, id="broken-off"),
        pytest.param("", "", '"a,Tablet"', None, id="comma-in-a-string"),
        pytest.param("", "", "," * 300 + '"Tablet"', None, id="far-behind"),
    ],
)
def test_client_hints_are_read_leniently(
    mobile: str, platform: str, form_factors: str, hints: ClientHints | None
) -> None:
    """What is known counts, and what is not is as if it had not been sent."""
    assert hints_of(mobile, platform, form_factors) == hints


ANDROID_PHONE = PHONES["Chrome on Android"]
ANDROID_TABLET = TABLETS["Chrome on Android"]
LINUX = DESKTOPS["Chrome on Linux"]


@pytest.mark.parametrize(
    ("user_agent", "hints", "device"),
    [
        pytest.param(ANDROID_PHONE, hints_of("?1", '"Android"'), "mobile", id="phone"),
        pytest.param(ANDROID_TABLET, hints_of("?0", '"Android"'), "tablet", id="tablet"),
        pytest.param(ANDROID_PHONE, hints_of("?0", '"Android"'), "tablet", id="tablet-as-phone"),
        pytest.param(
            *(ANDROID_TABLET, hints_of("?0", '"Android"', '"Desktop"'), "tablet"),
            id="tablet-of-a-browser-that-knows-two-form-factors",
        ),
        pytest.param(
            *(ANDROID_PHONE, hints_of("?1", '"Android"', '"Tablet"'), "tablet"),
            id="tablet-that-prefers-the-mobile-site",
        ),
        pytest.param(LINUX, hints_of("?1", '"Android"'), "mobile", id="phone-as-desktop"),
        pytest.param(LINUX, hints_of("?0", '"Android"'), "tablet", id="tablet-as-desktop"),
        pytest.param(LINUX, hints_of("?0", '"Linux"'), "desktop", id="phone-whose-hints-pose-too"),
        pytest.param(ANDROID_PHONE, hints_of("?0", '"Windows"'), "desktop", id="desktop-as-phone"),
        pytest.param(
            *(DESKTOPS["Chrome OS"], hints_of("?0", '"Chrome OS"', '"Tablet"'), "tablet"),
            id="tablet-with-chrome-os",
        ),
        pytest.param(
            *(DESKTOPS["Chrome on Windows"], hints_of("?0", '"Windows"', '"Tablet"'), "tablet"),
            id="tablet-with-windows",
        ),
        pytest.param(ANDROID_TABLET, hints_of("", "", '"EInk"'), "tablet", id="reader"),
        pytest.param(ANDROID_PHONE, hints_of("?1", "", '"EInk"'), "mobile", id="phone-with-eink"),
        pytest.param(
            *(ANDROID_PHONE, hints_of("?1", '"Android"', '"Mobile", "XR"'), "unknown"), id="headset"
        ),
        pytest.param(ANDROID_TABLET, hints_of("", "", '"Automotive"'), "unknown", id="car"),
        pytest.param(ANDROID_PHONE, hints_of("?1", "", '"Watch"'), "unknown", id="watch"),
        pytest.param("Shop/3.1", hints_of("?1", '"Android"'), "mobile", id="app-in-a-web-view"),
        pytest.param(ANDROID_PHONE, hints_of("?0"), "mobile", id="too-little-against-the-agent"),
        pytest.param(LINUX, hints_of("", '"Android"'), "desktop", id="platform-of-any-class"),
        pytest.param(
            *(TABLETS["large Samsung tablet in an app"], hints_of("?1", '"Android"'), "tablet"),
            id="tablet-by-its-name",
        ),
        pytest.param(
            *(TABLETS["Silk in its desktop mode"], hints_of("?0", '"Linux"'), "tablet"),
            id="tablet-by-its-browser",
        ),
        pytest.param(None, hints_of("?1"), "mobile", id="hints-alone-phone"),
        pytest.param(None, hints_of("?0", '"Android"'), "tablet", id="hints-alone-tablet"),
        pytest.param("", hints_of("?0", '"macOS"'), "desktop", id="hints-alone-desktop"),
        pytest.param(None, hints_of("", "", '"Desktop"'), "desktop", id="hints-alone-form-factor"),
        pytest.param(None, hints_of("?0"), None, id="hints-alone-that-say-too-little"),
    ],
)
def test_hints_decide_where_they_say_more(
    user_agent: str | None, hints: ClientHints | None, device: str | None
) -> None:
    """Hints correct a frozen or posing user agent, and the agent fills what they leave open."""
    assert hints is not None
    assert device_class(user_agent, hints) == device


@pytest.mark.parametrize(
    "name", ["Googlebot on a phone", "Fire TV", "webOS TV", "Chromecast", "Xbox", "headset"]
)
@pytest.mark.parametrize("hints", [hints_of("?1", '"Android"', '"Tablet"'), hints_of("?1")])
def test_what_names_itself_stays_unknown(name: str, hints: ClientHints) -> None:
    """A bot, a television or a console does not become a phone by its hints."""
    assert device_class(OTHERS[name], hints) == "unknown"


HEADERS = st.binary(max_size=40) | st.lists(
    st.sampled_from([b"?1", b"?0", b'"Android"', b'"Tablet"', b'"XR"', b'"', b",", b";", b" "])
).map(b"".join)


@given(st.none() | st.text(), HEADERS, HEADERS, HEADERS)
def test_anything_has_a_class_or_none(
    user_agent: str | None, mobile: bytes, platform: bytes, form_factors: bytes
) -> None:
    """Whatever is sent, the answer is one of the four classes, or none where nothing was."""
    hints = parse_client_hints(mobile, platform, form_factors)
    known = {"desktop", "mobile", "tablet", "unknown"}
    assert device_class(user_agent, hints) in known | ({None} if not user_agent else set())
    assert device_class(user_agent, None) in (known if user_agent else {None})
