"""Loaded by schemathesis: gives valid requests what no schema can say, so that they reach real rows.

Only requests that are meant to be valid are touched; what is meant to be refused goes out as it was generated.
"""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import schemathesis
from bilten.events.fields import time_zones
from hypothesis import strategies
from pydantic.alias_generators import to_camel
from schemathesis.core.file_samples import MEDIA_TYPE_FILE_SAMPLES
from schemathesis.generation.modes import GenerationMode

KNOWN: dict[str, Any] = json.loads(Path(os.environ["BILTEN_FUZZ_KNOWN"]).read_text())
_count = itertools.count()

# The rule for new passwords; its letters are beyond what a pattern can say.
schemathesis.openapi.format("new-password", strategies.from_regex(r"[a-z]{2,20}[A-Z]{2,20}[0-9]{2,20}", fullmatch=True))
schemathesis.openapi.format("iana-time-zone", strategies.sampled_from(sorted(time_zones())))


def _login(body: dict[str, Any]) -> None:
    if next(_count) % 2:
        body |= KNOWN["account"]


def _event(body: dict[str, Any]) -> None:
    # The end after the start: a rule between two fields. One alone may stand against what is stored.
    if body.get("start_date") is None:
        body.pop("end_date", None)
    else:
        # An end that was answered comes back as the start of another event.
        body["start_date"] = min(body["start_date"], "9998-01-01T00:00:00Z")
        body["end_date"] = "9999-12-30T00:00:00Z"
    if body.get("status") == "published":
        body["description"] = "What is published says something of itself."


def _use(name: str, member: str) -> Callable[[dict[str, Any]], None]:
    """A token works once; there are some, and then the generated ones."""

    def fill(body: dict[str, Any]) -> None:
        if KNOWN[name]:
            body[member] = KNOWN[name].pop()

    return fill


def _files(case: Any) -> None:
    """Whole files of the very types they are sent as; bytes of no type would all be refused."""
    form = case.operation.definition.raw["requestBody"]["content"][case.media_type]
    for name, encoding in form.get("encoding", {}).items():
        chosen = (case.multipart_content_types or {}).get(name) or encoding["contentType"].split(",")[0]
        sample = MEDIA_TYPE_FILE_SAMPLES.get(chosen)
        if name in case.body and sample:
            given = case.body[name]
            case.body[name] = [sample for _ in given] if isinstance(given, list) else sample


def _address(body: dict[str, Any]) -> None:
    if next(_count) % 2:
        body["email"] = KNOWN["account"]["email"]


_FILL: dict[str, Callable[[dict[str, Any]], None]] = {
    "POST /api/v1/auth/forgot-password": _address,
    "POST /api/v1/auth/login": _login,
    "POST /api/v1/auth/refresh": _use("refresh", "refresh_token"),
    "POST /api/v1/auth/refresh-token": _use("refresh", "refresh_token"),
    "POST /api/v1/auth/reset-password": _use("reset_password", "token"),
    "POST /api/v1/auth/verify-email": _use("verify_email", "token"),
    "POST /api/v1/events": _event,
    "PUT /api/v1/events/{event_id}": _event,
}


@schemathesis.hook
def filter_query(_context: Any, query: Any) -> bool:
    """Left out: both spellings of one parameter."""
    return not query or not any(to_camel(name) != name and to_camel(name) in query for name in query)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.query:
        # Opaque and signed, bound to its list and order: tests/service/attack takes care of cursors.
        case.query.pop("cursor", None)
    if case.headers and "Idempotency-Key" in case.headers:
        # A key that was used with another body is refused, as it should be.
        case.headers["Idempotency-Key"] = f"key-{next(_count)}"
    if case.headers and "If-Match" in case.headers:
        # Any version: one that was made up is refused, as it should be.
        case.headers["If-Match"] = "*"
    if case.headers and "If-None-Match" in case.headers:
        case.headers["If-None-Match"] = '"another"'
    if case.media_type == "multipart/form-data" and isinstance(case.body, dict):
        _files(case)
    fill = _FILL.get(f"{case.operation.method.upper()} {case.operation.path}")
    if fill and isinstance(case.body, dict):
        fill(case.body)
