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
from bilten.scanning.render import PRESETS
from hypothesis import strategies
from pydantic.alias_generators import to_camel
from schemathesis.core.file_samples import FILE_SAMPLES, MEDIA_TYPE_FILE_SAMPLES
from schemathesis.generation.modes import GenerationMode

KNOWN: dict[str, Any] = json.loads(Path(os.environ["BILTEN_FUZZ_KNOWN"]).read_text())
SAMPLES = MEDIA_TYPE_FILE_SAMPLES | {"application/pdf": FILE_SAMPLES["pdf"]}
_count = itertools.count()

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


def _new_password(body: dict[str, Any]) -> None:
    # Its letters are beyond what a pattern can say. A format of its own would take seconds to be brought to a length.
    if isinstance(body.get("password"), str):
        body["password"] = f"{body['password'][:-3]}aA1"
    if isinstance(body.get("new_password"), str):
        body["new_password"] = f"{body['new_password'][:-3]}aA1"


def _reset(body: dict[str, Any]) -> None:
    _new_password(body)
    _use("reset_password", "token")(body)


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
        if "image/jpeg" in encoding["contentType"] and (chosen not in SAMPLES or case.path_parameters):
            # Of documents there are no samples. What is uploaded for a file that is there has its type.
            chosen = "image/jpeg"
        elif "application/pdf" in encoding["contentType"] and next(_count) % 4:
            # Of pictures others are made, which takes most of the time: some do.
            chosen = "application/pdf"
        if chosen in SAMPLES:
            case.multipart_content_types = {**(case.multipart_content_types or {}), name: chosen}
        sample = SAMPLES.get(chosen)
        if name in case.body and sample:
            given = case.body[name]
            # Every file is scanned, and every picture made anew: many at once now and then.
            most = None if next(_count) % 8 == 0 else 2
            case.body[name] = [sample for _ in given[:most]] if isinstance(given, list) else sample


def _address(body: dict[str, Any]) -> None:
    if next(_count) % 2:
        body["email"] = KNOWN["account"]["email"]


def _file_name(body: dict[str, Any]) -> None:
    # The extension is that of the content.
    if isinstance(body.get("name"), str):
        body["name"] = f"{body['name'][:200]}a.jpg"


def _upload(body: dict[str, Any]) -> None:
    _file_name(body)
    # The largest is a setting.
    body |= {"media_type": "image/jpeg", "size_bytes": min(body["size_bytes"], 1024)}


def _optimize(case: Any) -> None:
    """Width, height and quality are those of one picture: a rule between three fields."""
    preset = PRESETS[next(_count) % len(PRESETS)]
    case.query |= {name: getattr(preset, name) for name in ("width", "height", "quality") if name in case.query}
    if next(_count) % 2:
        case.query["url"] = KNOWN["public_url"]


def _public(case: Any) -> None:
    if next(_count) % 2:
        case.path_parameters |= KNOWN["public"]


def _signed(case: Any) -> None:
    if next(_count) % 2:
        case.path_parameters["file_id"] = KNOWN["link"]["file_id"]
        case.query = dict(KNOWN["link"]["query"])


def _waiting(case: Any) -> None:
    # To wait for the scanner takes time, which one of four shows as well.
    if case.query and "wait" in case.query and next(_count) % 4:
        case.query["wait"] = 0


_SHAPE: dict[str, Callable[[Any], None]] = {
    "GET /api/v1/files/signed/{file_id}": _signed,
    "GET /api/v1/uploads/optimize": _optimize,
    "GET /api/v1/uploads/{place}/{filename}": _public,
    "GET /uploads/{place}/{filename}": _public,
    "POST /api/v1/files": _waiting,
}
_FILL: dict[str, Callable[[dict[str, Any]], None]] = {
    "POST /api/v1/auth/forgot-password": _address,
    "POST /api/v1/auth/login": _login,
    "POST /api/v1/auth/refresh": _use("refresh", "refresh_token"),
    "POST /api/v1/auth/refresh-token": _use("refresh", "refresh_token"),
    "POST /api/v1/auth/reset-password": _reset,
    "POST /api/v1/auth/register": _new_password,
    "PUT /api/v1/auth/change-password": _new_password,
    "POST /api/v1/auth/verify-email": _use("verify_email", "token"),
    "DELETE /api/v1/uploads/delete": _use("urls", "file_url"),
    "PATCH /api/v1/files/{file_id}": _file_name,
    "POST /api/v1/events": _event,
    "POST /api/v1/files/uploads": _upload,
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
    if case.headers and "Range" in case.headers:
        # One that every file has: one behind the end is refused, as it should be.
        case.headers["Range"] = "bytes=0-9"
    if case.headers and "If-None-Match" in case.headers:
        case.headers["If-None-Match"] = '"another"'
    if case.media_type == "multipart/form-data" and isinstance(case.body, dict):
        _files(case)
    label = f"{case.operation.method.upper()} {case.operation.path}"
    if shape := _SHAPE.get(label):
        shape(case)
    fill = _FILL.get(label)
    if fill and isinstance(case.body, dict):
        fill(case.body)
