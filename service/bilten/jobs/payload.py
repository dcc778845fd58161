"""A job's payload as it lies in the database: sealed, because mails carry links that sign in whoever has them.

Beside it, readable, is the id of the request that asked for the job, so that the worker's log lines can be found by it.
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from bilten.context import current_request_id
from bilten.sealed import Sealer
from bilten.settings import Settings

#: What is left of the payload of a job that is done.
CLEARED: dict[str, str] = {}

_SEALED = "sealed"
_REQUEST_ID = "request_id"


def seal(settings: Settings, kind: str, payload: Mapping[str, Any]) -> dict[str, str]:
    """The payload as it is stored. Takes JSON values, UUIDs and times; raises `TypeError` for others."""
    sealed = _sealer(settings, kind).seal(orjson.dumps(dict(payload)))
    return {_SEALED: base64.b64encode(sealed).decode(), _REQUEST_ID: current_request_id.get()}


def unseal(settings: Settings, kind: str, stored: Mapping[str, Any]) -> bytes:
    """The payload's JSON. Raises `bilten.sealed.Unsealable` when the secret, the kind or the bytes are not the same."""
    try:
        sealed = base64.b64decode(stored.get(_SEALED, ""), validate=True)
    except ValueError:
        sealed = b""
    return _sealer(settings, kind).open(sealed)


def request_id(stored: Mapping[str, Any]) -> str:
    """The id of the request that asked for the job; empty when none did."""
    return str(stored.get(_REQUEST_ID, ""))


def _sealer(settings: Settings, kind: str) -> Sealer:
    return Sealer(settings.secret_key.get_secret_value(), purpose=f"job {kind}")
