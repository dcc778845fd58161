"""Makes an API give each status there is, for real."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from fixtures.api import Api, Reply
from support.jobs import change

#: Settings under which every provocation works.
SETTINGS: dict[str, Any] = {"max_json_bytes": 1024}

Provocation = Callable[[Api, dict[str, str]], Awaitable[Reply]]


def _account() -> dict[str, str]:
    return {"email": f"{uuid.uuid4()}@example.com", "password": "Secret-123", "name": "Nadia El Sayed"}


async def ok(api: Api, headers: dict[str, str]) -> Reply:
    return await api.get("", headers=headers)


async def created(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/register", json=_account(), headers=headers)


async def invalid(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/login", json={}, headers=headers)


async def unauthorized(api: Api, headers: dict[str, str]) -> Reply:
    return await api.get("/auth/me", headers=headers)


async def forbidden(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/articles", json={}, token=await api.as_user(), headers=headers)


async def unknown_route(api: Api, headers: dict[str, str]) -> Reply:
    return await api.get("//no/such/path", headers=headers)


async def unknown_thing(api: Api, headers: dict[str, str]) -> Reply:
    return await api.get("/events/999999", headers=headers)


async def wrong_method(api: Api, headers: dict[str, str]) -> Reply:
    return await api.delete("/auth/login", headers=headers)


async def conflict(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/register", json=_account() | {"email": "user@bilten.com"}, headers=headers)


async def stale(api: Api, headers: dict[str, str]) -> Reply:
    change = {"title": "Another"}
    return await api.put("/events/6", json=change, token=await api.as_admin(), headers=headers | {"If-Match": '"old"'})


async def too_large(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/login", json={"email": "a" * 2000}, headers=headers)


async def wrong_type(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/login", data="text", headers=headers)


async def odd_expectation(api: Api, headers: dict[str, str]) -> Reply:
    return await api.post("/auth/login", data=b"{}", headers=headers | {"Expect": "magic"})


async def reused_key(api: Api, headers: dict[str, str]) -> Reply:
    keyed = headers | {"Idempotency-Key": str(uuid.uuid4())}
    await api.post("/auth/register", json=_account(), headers=keyed)
    return await api.post("/auth/register", json=_account(), headers=keyed)


async def too_many(api: Api, headers: dict[str, str]) -> Reply:
    while (reply := await api.get("//no/such/path", headers=headers)).status != 429:
        pass
    return reply


async def broken(api: Api, headers: dict[str, str]) -> Reply:
    # A statement that names a table which is not there is as good a bug as any.
    await change(api.db, "alter table users rename to moved")
    return await api.post("/auth/login", json={"email": "a@example.com", "password": "x"}, headers=headers)


PROVOCATIONS: list[tuple[int, str | None, Provocation]] = [
    (200, None, ok),
    (201, None, created),
    (400, "VALIDATION_ERROR", invalid),
    (401, "UNAUTHORIZED", unauthorized),
    (403, "FORBIDDEN", forbidden),
    (404, "NOT_FOUND", unknown_route),
    (404, "NOT_FOUND", unknown_thing),
    (405, "METHOD_NOT_ALLOWED", wrong_method),
    (409, "USER_EXISTS", conflict),
    (412, "PRECONDITION_FAILED", stale),
    (413, "PAYLOAD_TOO_LARGE", too_large),
    (415, "UNSUPPORTED_MEDIA_TYPE", wrong_type),
    (417, "EXPECTATION_FAILED", odd_expectation),
    (422, "IDEMPOTENCY_KEY_REUSED", reused_key),
    (429, "RATE_LIMITED", too_many),
    (500, "INTERNAL_ERROR", broken),
]
