"""How many requests a minute: told in every answer, refused with the time to wait, and nobody pays for another."""

import asyncio

import pytest
from fixtures.api import Api, StartApi
from support.shape import assert_error


async def used_up(api: Api, token: str | None = None) -> None:
    async with asyncio.timeout(30):
        while (await api.get("/auth/me" if token else "/articles", token=token)).status != 429:
            pass


async def test_every_counted_answer_tells_what_is_left(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=5)
    for left in (4, 3, 2):
        headers = (await api.get("/articles")).headers
        assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("5", str(left))
        assert 1 <= int(headers["RateLimit-Reset"]) <= 60


async def test_beyond_the_limit_an_address_is_refused_with_the_time_to_wait(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=2)
    await used_up(api)
    reply = await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"})
    assert_error(reply, 429, "RATE_LIMITED")
    assert reply.headers["Retry-After"] == reply.headers["RateLimit-Reset"]
    assert reply.headers["RateLimit-Remaining"] == "0"


async def test_unknown_paths_methods_and_void_tokens_cost_like_any_request(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=6)
    await api.get("//no/such/path")
    await api.get("/tickets/my-tickets")
    await api.delete("/auth/login")
    await api.get("/events", token="undefined")
    await api.get("/auth/me", token="eyJhbGciOiJub25lIn0.e30.")
    assert (await api.get("/articles")).headers["RateLimit-Remaining"] == "0"
    assert_error(await api.get("//no/such/path"), 429, "RATE_LIMITED")


async def test_a_signed_in_user_has_a_window_of_their_own(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=4, user_requests_per_minute=3)
    token = await api.as_user()
    organizer = await api.as_organizer()
    await used_up(api, token)
    refused = await api.get("/auth/me", token=token)
    assert_error(refused, 429, "RATE_LIMITED")
    assert refused.headers["RateLimit-Limit"] == "3"
    assert (await api.get("/auth/me", token=organizer)).status == 200
    await used_up(api)
    assert (await api.get("/auth/me", token=organizer)).status == 200


async def test_a_token_does_not_pay_for_paths_that_are_not_there(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=5)
    token = await api.as_user()
    for _ in range(4):
        await api.get("//no/such/path", token=token)
    assert_error(await api.get("//no/such/path", token=token), 429, "RATE_LIMITED")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"])
async def test_an_address_that_a_stranger_claims_is_not_believed(start_api: StartApi, header: str):
    api = await start_api(anonymous_requests_per_minute=3)
    for number in range(3):
        assert (await api.get("/articles", headers={header: f"10.0.0.{number}"})).status == 200
    assert (await api.get("/articles", headers={header: "10.0.0.9"})).status == 429


async def test_probes_and_scrapes_are_not_counted(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=1)
    await used_up(api)
    for path in ("//livez", "//readyz", "//health", "//metrics"):
        assert (await api.get(path)).status == 200
