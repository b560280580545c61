"""Errors → answers of the Experience API: where an error meets a status code, in one table."""

from __future__ import annotations

import logging

import msgspec

from edgewise import errors
from edgewise.asgi.answers import Answer
from edgewise.asgi.cors import Headers

_LOG = logging.getLogger("edgewise.asgi")
_RETRY: Headers = ((b"retry-after", b"1"),)


class Problem(msgspec.Struct, frozen=True):
    """How one class of errors is answered.

    Shape: the answer's message is `message`, then the error's own text where `told`.
    """

    status: int
    code: str
    message: str = ""
    told: bool = False
    headers: Headers = ()


PROBLEMS: dict[type[errors.EdgewiseError], Problem] = {
    errors.InvalidData: Problem(400, "ERR_INVALID_DATA", "Missing or invalid data.", told=True),
    errors.Unauthorized: Problem(401, "ERR_UNAUTHORIZED", "Not authorized.", told=True),
    errors.ConfigNotFound: Problem(
        404, "ERR_CONFIG_NOT_FOUND", "Organization or environment not found"
    ),
    errors.ProfileNotFound: Problem(404, "ERR_PROFILE_NOT_FOUND", "Profile not found"),
    errors.NamespaceMismatch: Problem(
        404,
        "ERR_NAMESPACE_MISMATCH",
        "The profile belongs to another organization or environment",
    ),
    errors.RouteNotFound: Problem(404, "ERR_NOT_FOUND", "Not found"),
    errors.MethodNotAllowed: Problem(405, "ERR_METHOD_NOT_ALLOWED", told=True),
    errors.BodyTooLarge: Problem(413, "ERR_INVALID_DATA", "Missing or invalid data.", told=True),
    errors.ProfileOverload: Problem(
        429,
        "ERR_PROFILE_OVERLOAD",
        "The profile received too many requests in a short amount of time (These can also be"
        " internal requests based on your merge events). Please backoff.",
        headers=_RETRY,
    ),
    errors.ServiceUnavailable: Problem(
        503,
        "ERR_SERVICE_UNAVAILABLE",
        "Nothing was changed. Please send the same request again.",
        headers=_RETRY,
    ),
    errors.NotStarted: Problem(
        503, "ERR_NOT_STARTED", "Nothing was changed.", told=True, headers=_RETRY
    ),
    errors.StoreBusy: Problem(
        503,
        "ERR_STORE_BUSY",
        "Nothing was changed. Please send the same request again.",
        headers=_RETRY,
    ),
    errors.StoreUnwritable: Problem(
        503,
        "ERR_STORE_UNWRITABLE",
        "Nothing was changed. Please send the same request again.",
        headers=_RETRY,
    ),
}
"""Every class that a caller may learn of; any other error is the server's own."""

_INTERNAL = Problem(500, "ERR_INTERNAL_SERVER_ERROR", "Internal Server Error")


class _Code(msgspec.Struct):
    code: str


class _Envelope(msgspec.Struct):
    message: str
    data: dict[str, object]
    error: _Code


def problem_of(error: Exception) -> Problem:
    """Return how this error is answered; a subclass is answered as its nearest listed parent."""
    for kind in type(error).__mro__:
        if problem := PROBLEMS.get(kind):
            return problem
    return _INTERNAL


def log_failure(error: Exception) -> None:
    """Tell the log of what the server has to mend; of what a caller has, nothing."""
    if problem_of(error) is _INTERNAL:
        _LOG.error("A request failed.", exc_info=error)
    elif isinstance(error, errors.StoreUnwritable):
        # One line: of these there is one a request, and often on the disk that is full.
        _LOG.error("A request failed: %s", error)


def answer_error(error: Exception) -> Answer:
    """Return the answer to a failed request; what the server has to mend goes to the log."""
    problem = problem_of(error)
    log_failure(error)
    detail = str(error) if problem.told else ""
    # A text from elsewhere may hold half surrogate pairs, which UTF-8 cannot.
    message = f"{problem.message} {detail}".strip().encode(errors="replace").decode()
    headers = problem.headers
    if isinstance(error, errors.MethodNotAllowed):
        headers = (*headers, (b"allow", ", ".join(error.allowed).encode()))
    envelope = _Envelope(message, {}, _Code(problem.code))
    return Answer(problem.status, msgspec.json.encode(envelope), headers)
