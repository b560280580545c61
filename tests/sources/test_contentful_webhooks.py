"""A webhook is believed only with the secret, and refreshes what it may concern."""

from __future__ import annotations

import json

import pytest

from edgewise.errors import Unauthorized
from edgewise.secret import Secret
from edgewise.sources.contentful.settings import ContentfulSettings
from edgewise.sources.contentful.webhooks import (
    SECRET_HEADER,
    Notice,
    concerns,
    read_webhook,
    verify_webhook,
)

SECRET = Secret("geheimnis-für-zwei")
BROUGHT = (SECRET_HEADER, SECRET.reveal().encode())


def settings(*, preview: bool = False) -> ContentfulSettings:
    """The source of a space called `shop`."""
    return ContentfulSettings(space="shop", token=Secret("t"), preview=preview)


def body(space: str = "shop") -> bytes:
    """What a webhook says of an entry, as far as it matters."""
    linked = {"sys": {"type": "Link", "linkType": "Space", "id": space}}
    return json.dumps({"sys": {"id": "e", "type": "Entry", "space": linked}}).encode()


def test_the_secret_opens() -> None:
    """A webhook with the secret passes, whatever the case of its header's name."""
    verify_webhook([BROUGHT], SECRET)
    verify_webhook([(SECRET_HEADER.title(), BROUGHT[1])], SECRET)


@pytest.mark.parametrize(
    ("headers", "secret"),
    [
        pytest.param([], SECRET, id="missing"),
        pytest.param([(SECRET_HEADER, b"")], SECRET, id="empty"),
        pytest.param([(SECRET_HEADER, b"wrong")], SECRET, id="wrong"),
        pytest.param([(SECRET_HEADER, BROUGHT[1][:-1])], SECRET, id="too-short"),
        pytest.param([(b"x-other", BROUGHT[1])], SECRET, id="other-header"),
        pytest.param([(SECRET_HEADER, b"")], Secret(""), id="none-configured"),
        pytest.param([], Secret(""), id="neither"),
    ],
)
def test_nothing_else_opens(headers: list[tuple[bytes, bytes]], secret: Secret) -> None:
    """A missing or wrong secret is refused, and so is everything where none is configured."""
    with pytest.raises(Unauthorized) as refused:
        verify_webhook(headers, secret)
    assert SECRET.reveal() not in str(refused.value)


@pytest.mark.parametrize(
    ("topic", "content", "notice"),
    [
        pytest.param(
            b"ContentManagement.Entry.publish",
            body(),
            Notice(action="publish", space="shop"),
            id="publish",
        ),
        pytest.param(
            b"ContentManagement.Asset.publish",
            body(),
            Notice(action="publish", space="shop", of_entry=False),
            id="asset",
        ),
        pytest.param(b"", b'{"entryId": "e"}', Notice(), id="own-form"),
        pytest.param(b"", b"", Notice(), id="empty"),
        pytest.param(b"\xff.", b'{"sys": []}', Notice(of_entry=False), id="senseless"),
        pytest.param(b"", b'{"sys": {"space": {"sys": {"id": 1}}}}', Notice(), id="odd-space"),
    ],
)
def test_read_webhook(topic: bytes, content: bytes, notice: Notice) -> None:
    """What a webhook says is read; what it leaves out or garbles stays open."""
    assert read_webhook([(b"X-Contentful-Topic", topic)], content) == notice


@pytest.mark.parametrize(
    ("notice", "delivery", "preview"),
    [
        pytest.param(Notice(), True, True, id="says-nothing"),
        pytest.param(Notice(action="publish", space="shop"), True, True, id="published"),
        pytest.param(Notice(action="unpublish", space="shop"), True, True, id="unpublished"),
        pytest.param(Notice(action="auto_save", space="shop"), False, True, id="draft-saved"),
        pytest.param(Notice(action="publish", space="other"), False, False, id="other-space"),
        pytest.param(Notice(action="publish", of_entry=False), False, False, id="no-entry"),
    ],
)
def test_what_a_webhook_concerns(notice: Notice, delivery: bool, preview: bool) -> None:
    """Published entries concern every source of the space, drafts only previews."""
    assert concerns(notice, settings()) is delivery
    assert concerns(notice, settings(preview=True)) is preview
