"""What can be wrong with a call to the API server, by what the caller does about it."""

import json
from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A call that failed. Its text names the call and never shows what was sent."""

    def __init__(self, call: str, status: int, message: str) -> None:
        super().__init__(f"{call}: {status or 'no answer'}: {message}")
        self.call = call
        self.status = status
        self.message = message


class Unavailable(ApiError):
    """No answer, or one that asks to come back: 429 and 5xx. Try again after `retry_after_s`, if it says so."""

    def __init__(self, call: str, status: int, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(call, status, message)
        self.retry_after_s = retry_after_s


class Conflict(ApiError):
    """409: it exists already, or is another than was meant, or has changed meanwhile. Look again."""


class Missing(ApiError):
    """404: the object, its namespace or its kind is not there."""


class Expired(ApiError):
    """410: too much has happened since that version. List again."""


class Refused(ApiError):
    """Any other 4xx: the same call will be refused again until something else changes."""


_KINDS: dict[int, type[ApiError]] = {404: Missing, 409: Conflict, 410: Expired}
_OVERLOADED = 429
_SERVER_ERROR = 500


def from_answer(
    call: str, status: int, body: str | bytes | None, headers: Mapping[str, str], *, hide: bool
) -> ApiError:
    """The error of an answer. `hide` leaves the server's words out: of a Secret they can quote what was sent."""
    message = "" if hide else _message(body)
    if status == _OVERLOADED or status >= _SERVER_ERROR:
        return Unavailable(call, status, message or "the API server is busy or failing", _seconds(headers))
    return _KINDS.get(status, Refused)(call, status, message or "refused; see the API server's audit log")


def _message(body: str | bytes | None) -> str:
    try:
        told: Any = json.loads(body or "")
    except ValueError:
        return ""
    return str(told.get("message") or "")[:1024] if isinstance(told, dict) else ""


def _seconds(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None
