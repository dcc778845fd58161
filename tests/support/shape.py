"""The one shape of every error, its headers, and what no answer may ever show."""

import json
import re
from collections.abc import Mapping
from typing import Any

#: Traces of the inside: stack, statement, file, library, address of the database.
_LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|\bline \d+, in\b|\bselect .+ from\b|\binsert into\b|asyncpg|sqlalchemy|pydantic|aiohttp"
    r"|site-packages|/home/|/root/|/usr/|postgres(ql)?://|errors\.pydantic\.dev",
    re.IGNORECASE,
)
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def assert_error(answer: Any, status: int, code: str | None = None) -> dict[str, Any]:
    """The body of an error, after looking at all that every error must be. `answer` has status, headers and text."""
    assert answer.status == status, answer.text
    body = assert_shape(answer.text, answer.headers)
    assert code is None or body["error"] == code, body
    return body


def assert_shape(text: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Whatever the status: the members, their types, the headers; and nothing of the inside."""
    body: dict[str, Any] = json.loads(text)
    assert headers["Content-Type"].startswith("application/json")
    assert body.keys() == {"success", "error", "code", "message", "details", "requestId"}
    assert body["success"] is False
    assert re.fullmatch("[A-Z][A-Z0-9_]*", body["error"])
    assert body["code"] == body["error"]
    assert isinstance(body["message"], str)
    assert body["message"].strip()
    for detail in body["details"]:
        assert detail.keys() == {"field", "code", "message"}
        assert all(isinstance(value, str) for value in detail.values())
    assert body["requestId"] == headers["X-Request-ID"]
    assert {name: headers.get(name) for name in _SECURITY} == _SECURITY
    assert "Content-Security-Policy" in headers
    assert_no_leak(text)
    return body


def assert_no_leak(text: str) -> None:
    """Nothing of the inside shows."""
    assert not (found := _LEAKS.search(text)), found
