"""Every error has its status, code and text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from edgewise import errors
from edgewise.asgi.problems import PROBLEMS, answer_error, problem_of

MISSING = "Missing or invalid data."
AGAIN = "Nothing was changed. Please send the same request again."
OVERLOAD = (
    "The profile received too many requests in a short amount of time "
    "(These can also be internal requests based on your merge events). Please backoff."
)


def classes_below(kind: type[errors.EdgewiseError]) -> Iterator[type[errors.EdgewiseError]]:
    """Every class under this one."""
    for child in kind.__subclasses__():
        yield child
        yield from classes_below(child)


class OwnBusy(errors.StoreBusy):
    """A store's own kind of being busy."""


@pytest.mark.parametrize(
    ("error", "status", "code", "message", "headers"),
    [
        pytest.param(
            errors.InvalidData("events: expected an array"),
            400,
            "ERR_INVALID_DATA",
            f"{MISSING} events: expected an array",
            {},
            id="invalid-data",
        ),
        pytest.param(
            errors.InvalidData(), 400, "ERR_INVALID_DATA", MISSING, {}, id="invalid-without-detail"
        ),
        pytest.param(
            errors.InvalidData("\ud800"),
            400,
            "ERR_INVALID_DATA",
            f"{MISSING} ?",
            {},
            id="invalid-with-half-a-surrogate-pair",
        ),
        pytest.param(
            errors.ConfigNotFound("hidden"),
            404,
            "ERR_CONFIG_NOT_FOUND",
            "Organization or environment not found",
            {},
            id="config-not-found",
        ),
        pytest.param(
            errors.ProfileNotFound("hidden"),
            404,
            "ERR_PROFILE_NOT_FOUND",
            "Profile not found",
            {},
            id="profile-not-found",
        ),
        pytest.param(
            errors.NamespaceMismatch("hidden"),
            404,
            "ERR_NAMESPACE_MISMATCH",
            "The profile belongs to another organization or environment",
            {},
            id="namespace-mismatch",
        ),
        pytest.param(
            errors.RouteNotFound("hidden"), 404, "ERR_NOT_FOUND", "Not found", {}, id="no-route"
        ),
        pytest.param(
            errors.MethodNotAllowed(["GET", "POST"]),
            405,
            "ERR_METHOD_NOT_ALLOWED",
            "Method not allowed; this path takes GET, POST.",
            {b"allow": b"GET, POST"},
            id="method-not-allowed",
        ),
        pytest.param(
            errors.BodyTooLarge(9),
            413,
            "ERR_INVALID_DATA",
            f"{MISSING} The body is larger than 9 bytes.",
            {},
            id="body-too-large",
        ),
        pytest.param(
            errors.ProfileOverload("hidden"),
            429,
            "ERR_PROFILE_OVERLOAD",
            OVERLOAD,
            {b"retry-after": b"1"},
            id="profile-overload",
        ),
        pytest.param(
            errors.ServiceUnavailable("hidden"),
            503,
            "ERR_SERVICE_UNAVAILABLE",
            AGAIN,
            {b"retry-after": b"1"},
            id="service-unavailable",
        ),
        pytest.param(
            errors.NotStarted("Start it."),
            503,
            "ERR_NOT_STARTED",
            "Nothing was changed. Start it.",
            {b"retry-after": b"1"},
            id="not-started",
        ),
        pytest.param(
            errors.StoreBusy("hidden"),
            503,
            "ERR_STORE_BUSY",
            AGAIN,
            {b"retry-after": b"1"},
            id="store-busy",
        ),
        pytest.param(
            OwnBusy("hidden"), 503, "ERR_STORE_BUSY", AGAIN, {b"retry-after": b"1"}, id="subclass"
        ),
        pytest.param(
            errors.StoreUnwritable("hidden"),
            503,
            "ERR_STORE_UNWRITABLE",
            AGAIN,
            {b"retry-after": b"1"},
            id="store-unwritable",
        ),
        pytest.param(
            errors.StoreCorrupt("hidden"),
            500,
            "ERR_INTERNAL_SERVER_ERROR",
            "Internal Server Error",
            {},
            id="store-corrupt",
        ),
        pytest.param(
            KeyError("hidden"),
            500,
            "ERR_INTERNAL_SERVER_ERROR",
            "Internal Server Error",
            {},
            id="unexpected",
        ),
    ],
)
def test_error_is_answered(
    error: Exception, status: int, code: str, message: str, headers: dict[bytes, bytes]
) -> None:
    """An error is answered in the documented envelope, with what its kind may tell."""
    answer = answer_error(error)
    assert answer.status == status
    assert json.loads(answer.body) == {"message": message, "data": {}, "error": {"code": code}}
    assert dict(answer.headers) == headers


@pytest.mark.parametrize("kind", sorted(classes_below(errors.RequestError), key=str))
def test_every_request_error_has_its_own_row(kind: type[errors.EdgewiseError]) -> None:
    """A fault of the caller never looks like one of the server."""
    assert kind in PROBLEMS


@pytest.mark.parametrize("kind", sorted(classes_below(errors.StoreError), key=str))
def test_every_store_error_is_the_servers(kind: type[errors.EdgewiseError]) -> None:
    """A store's failure is 503 where a retry may help, else 500."""
    expected = 503 if issubclass(kind, (errors.StoreBusy, errors.StoreUnwritable)) else 500
    assert problem_of(kind("x")).status == expected


def test_internals_are_only_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """What failed inside is logged with its traceback; the caller's own faults are not."""
    answer_error(errors.ProfileNotFound())
    assert caplog.records == []
    try:
        raise KeyError("secret")
    except KeyError as error:
        answer = answer_error(error)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "secret" in caplog.text
    assert "Traceback" in caplog.text
    assert b"secret" not in answer.body


def test_a_disk_that_is_full_is_one_line_a_request(caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong with the disk is told in the log, in one line, and not to the caller."""
    answer = answer_error(errors.StoreUnwritable("a.db: the disk is full."))
    (record,) = caplog.records
    assert record.getMessage() == "A request failed: a.db: the disk is full."
    assert record.exc_info is None
    assert b"a.db" not in answer.body
