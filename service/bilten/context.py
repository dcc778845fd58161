"""Who asks and under which id: the facts about the current request that logs, audit and jobs share."""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from aiohttp import web

Role = Literal["user", "organizer", "admin"]

REQUEST_ID_HEADER = "X-Request-ID"
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

#: The id of the request this task serves; empty outside of requests.
current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")

#: The address of the peer of that request.
current_address: ContextVar[str | None] = ContextVar("current_address", default=None)

REQUEST_ID = web.RequestKey("request_id", str)


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in caller, as the database knows them now (not as the token once said)."""

    user_id: UUID
    role: Role
    session_id: UUID
    token_id: UUID
    token_expires_at: float


def request_id(request: web.BaseRequest) -> str:
    """The caller's `X-Request-ID` when it is harmless in logs and headers, else a new one."""
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _ACCEPTED_ID.fullmatch(given) else secrets.token_hex(12)
