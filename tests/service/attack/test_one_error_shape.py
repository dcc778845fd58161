"""Every refusal of every layer has one shape, carries the security headers, and shows nothing of the inside."""

from uuid import UUID

import pytest
from fixtures.api import Api, StartApi, make_settings, serve
from support.provoke import PROVOCATIONS, SETTINGS, Provocation
from support.shape import assert_error, assert_no_leak

#: Nobody listens there.
GONE = "postgresql://bilten:hidden-password@127.0.0.1:1/bilten"
NAMES = [f"{status} {provocation.__name__}" for status, _, provocation in PROVOCATIONS]


@pytest.mark.parametrize(("status", "code", "provocation"), PROVOCATIONS, ids=NAMES)
async def test_every_status_has_the_shape_the_headers_and_no_secret(
    start_api: StartApi, status: int, code: str | None, provocation: Provocation
):
    api = await start_api(anonymous_requests_per_minute=20, **SETTINGS)
    reply = await provocation(api, {})
    if code:
        assert_error(reply, status, code)
    assert reply.status == status
    assert_no_leak(reply.text)
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "Server" not in reply.headers or "Python" not in reply.headers["Server"], "no version is told"
    if status in (401, 405, 429):
        assert reply.headers[{401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After"}[status]]


@pytest.mark.parametrize("path", ["/events", "/articles/1", "/auth/me", "//readyz", "//health"])
async def test_without_its_database_every_call_is_a_503_in_time_that_says_when_to_come_back(path: str):
    async with serve(make_settings(GONE)) as api:
        token = api.services.tokens.issue(**_SOMEBODY) if path == "/auth/me" else None
        reply = await api.get(path, token=token)
        refused = assert_error(reply, 503)
        assert refused["error"] in ("SERVICE_UNAVAILABLE", "NOT_READY")
        assert int(reply.headers["Retry-After"]) >= 1
        assert "hidden-password" not in reply.text
        assert (await api.get("//livez")).status == 200


_ID = UUID(int=1)
_SOMEBODY = {"user_id": _ID, "session_id": _ID, "epoch": 0, "email": "a@example.com", "role": "user"}


async def test_a_harmless_request_id_comes_back(api: Api):
    for sent in ("a", "A-Z_0.9", "x" * 128, "f47ac10b-58cc-4372-a567-0e02b2c3d479"):
        reply = await api.get("/auth/me", headers={"X-Request-ID": sent})
        assert assert_error(reply, 401)["requestId"] == sent


async def test_any_other_request_id_is_replaced(api: Api):
    for sent in ("", " ", "a b", "x" * 129, "<script>", "a\tb", "\u00e9", '"', "a,b", "${jndi:ldap://x}", "../"):
        reply = await api.get("/auth/me", headers={"X-Request-ID": sent})
        made = assert_error(reply, 401)["requestId"]
        assert made != sent.strip()
        assert len(made) == 24


async def test_two_requests_have_two_ids(api: Api):
    assert len({(await api.get("//livez")).headers["X-Request-ID"] for _ in range(20)}) == 20
