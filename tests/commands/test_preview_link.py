"""`edgewise preview-link` signs what a server takes, and nothing that it would not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgewise.cli import main
from edgewise.clock import now_ms
from edgewise.model.forced import ForcedVariant
from edgewise.previews import find_token, read_preview

RULES = "experiences: [{id: hero, components: [{entry: a, variants: [b]}]}]"
SECRET = "the-secret"
PAGE = "https://shop.example/p?x=1"
HOUR_MS = 3_600_000


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an experience in one environment, and a secret."""
    monkeypatch.setenv("EDGEWISE_PREVIEW_SECRET", SECRET)
    write(tmp_path, "main", RULES)
    write(tmp_path, "dev", "audiences: [{id: a, has trait: t}]")
    return tmp_path / "rules"


def write(folder: Path, environment: str, text: str) -> None:
    """Write the rules of an environment."""
    file = folder / "rules" / "shop" / environment / "rules.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def link(rules: Path, *arguments: str) -> list[str]:
    """The arguments of a command that makes a link."""
    return [*token_alone(rules, *arguments)[:-1], "--url", PAGE]


def token_alone(rules: Path, *arguments: str) -> list[str]:
    """The arguments of a command that makes a token."""
    return ["preview-link", *arguments, "--rules", str(rules), "--token"]


@pytest.mark.parametrize(
    ("arguments", "lives_ms"),
    [
        pytest.param([], HOUR_MS, id="an hour"),
        pytest.param(["--expires", "2d"], 48 * HOUR_MS, id="two days"),
    ],
)
def test_a_link_shows_the_variant_for_a_while(
    rules: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], lives_ms: int
) -> None:
    """The page's address carries a token of the environment that has the experience."""
    before_ms = now_ms()
    assert main(link(rules, "hero", "1", *arguments)) == 0
    url = capsys.readouterr().out.strip()
    assert url.startswith(f"{PAGE}&edgewise_preview=")
    last_ms = before_ms + lives_ms - 1_000
    token = find_token(url)
    assert read_preview(token, SECRET, "shop", "main", last_ms) == ForcedVariant("hero", 1)
    assert read_preview(token, SECRET, "shop", "main", now_ms() + lives_ms) == "expired"


def test_a_token_alone_is_for_headers(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the page it is what a server hands on."""
    assert main(token_alone(rules, "hero", "0")) == 0
    token = capsys.readouterr().out.strip()
    assert read_preview(token, SECRET, "shop", "main", 0) == ForcedVariant("hero", 0)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        pytest.param([], "one of the arguments --url --token is required", id="neither"),
        pytest.param(["--url", PAGE, "--token"], "not allowed with argument --url", id="both"),
    ],
)
def test_a_link_or_a_token(
    rules: Path, capsys: pytest.CaptureFixture[str], form: list[str], message: str
) -> None:
    """Either the page is named or the token alone is asked for."""
    with pytest.raises(SystemExit) as caught:
        main(["preview-link", "hero", "1", "--rules", str(rules), *form])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["heros", "1"], 'did you mean "hero"?', id="experience"),
        pytest.param(["hero", "2"], '"hero" has no variant 2', id="variant"),
        pytest.param(["hero", "1", "--environment", "shop/x"], "there are: shop/", id="unknown"),
        pytest.param(["hero", "1", "--environment", "shop/dev"], "no experience", id="elsewhere"),
        pytest.param(["hero", "1", "--url", "shop.example"], "has an address", id="no address"),
    ],
)
def test_a_link_that_would_show_nothing_is_refused(
    rules: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """What the rules do not have is one clear message, and the status is 2."""
    command = link(rules)
    assert main([*command[:1], *command[1:], *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_an_environment_is_named_where_several_have_it(
    rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One experience in two environments is no guess."""
    write(rules.parent, "dev", RULES)
    assert main(link(rules, "hero", "1")) == 2
    assert "--environment: shop/dev, shop/main" in capsys.readouterr().err
    assert main(token_alone(rules, "hero", "1", "--environment", "shop/dev")) == 0
    token = capsys.readouterr().out.strip()
    assert read_preview(token, SECRET, "shop", "dev", 0) == ForcedVariant("hero", 1)


def test_no_secret_no_link(
    rules: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the secret of the server nothing can be signed."""
    monkeypatch.delenv("EDGEWISE_PREVIEW_SECRET")
    assert main(link(rules, "hero", "1")) == 2
    assert "set EDGEWISE_PREVIEW_SECRET" in capsys.readouterr().err


@pytest.mark.parametrize("time", ["", "1", "0h", "1w", "31d", "-1h", "1 h"])
def test_a_time_that_is_none_is_refused(
    time: str, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link lives for minutes, hours or days, and for 30 days at most."""
    with pytest.raises(SystemExit):
        main(link(rules, "hero", "1", f"--expires={time}"))
    assert "written like 30m" in capsys.readouterr().err
