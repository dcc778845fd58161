"""Refresh tokens: one winner, a double click forgiven, a thief locked out for good."""

import asyncio
import hashlib
from datetime import timedelta

from fixtures.api import Api, Reply, StartApi
from support.rows import stored_text


async def _session(api: Api) -> dict[str, str]:
    reply = await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"})
    data: dict[str, str] = reply.data
    return data


async def _refresh(api: Api, token: str, path: str = "/auth/refresh") -> Reply:
    return await api.post(path, json={"refreshToken": token})


async def _let_time_pass(api: Api, seconds: int) -> None:
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            f"update refresh_tokens set created_at = created_at - interval '{seconds} s', "  # noqa: S608 an int
            f"replaced_at = replaced_at - interval '{seconds} s'"
        )


async def test_a_refresh_gives_new_tokens_under_both_addresses_and_spellings(api: Api):
    first = await _session(api)
    second = await _refresh(api, first["refreshToken"])
    assert second.status == 200
    assert second.data["token"] == second.data["accessToken"]
    third = await api.post("/auth/refresh-token", json={"refresh_token": second.data["refreshToken"]})
    assert (await api.get("/auth/me", token=third.data["token"])).status == 200
    assert (await api.get("/auth/me", token=first["token"])).status == 200, "the session goes on, so its tokens do"


async def test_of_parallel_refreshes_one_wins_and_nobody_is_signed_out(api: Api):
    first = await _session(api)
    replies = await asyncio.gather(*(_refresh(api, first["refreshToken"]) for _ in range(8)))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 7
    assert {reply.json["error"] for reply in replies if reply.status == 409} == {"REFRESH_SUPERSEDED"}
    winner = next(reply for reply in replies if reply.status == 200)
    assert (await _refresh(api, winner.data["refreshToken"])).status == 200


async def test_an_old_token_ends_the_session_and_the_end_survives_its_own_401(api: Api):
    first = await _session(api)
    second = (await _refresh(api, first["refreshToken"])).data
    await _let_time_pass(api, 11)
    reused = await _refresh(api, first["refreshToken"])
    assert (reused.status, reused.json["error"]) == (401, "TOKEN_REUSED")
    assert (await _refresh(api, second["refreshToken"])).status == 401
    assert (await api.get("/auth/me", token=second["token"])).status == 401
    assert (await api.get("/auth/me", token=first["token"])).status == 401
    assert await api.db.fetchval("select count(*) from audit_log where action = 'session.token_reused'") == 1
    again = await _refresh(api, first["refreshToken"])
    assert (again.status, again.json["error"]) == (401, "TOKEN_REUSED")


async def test_the_one_before_the_one_just_replaced_is_no_double_click(api: Api):
    first = await _session(api)
    second = (await _refresh(api, first["refreshToken"])).data
    await _refresh(api, second["refreshToken"])
    reply = await _refresh(api, first["refreshToken"])
    assert (reply.status, reply.json["error"]) == (401, "TOKEN_REUSED")


async def test_a_stolen_token_ends_only_its_own_session(api: Api):
    victim, bystander = await _session(api), await _session(api)
    await _refresh(api, victim["refreshToken"])
    await _let_time_pass(api, 11)
    await _refresh(api, victim["refreshToken"])
    assert (await api.get("/auth/me", token=bystander["token"])).status == 200


async def _let_days_pass(api: Api, days: int) -> None:
    back = f"- interval '{days} d'"
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            f"update sessions set created_at = created_at {back}, expires_at = expires_at {back}"  # noqa: S608 an int
        )
        await tx.exec_driver_sql(
            f"update refresh_tokens set created_at = created_at {back}, expires_at = expires_at {back}, "  # noqa: S608
            f"replaced_at = replaced_at {back}"
        )


async def test_a_session_in_use_goes_on_for_ninety_days_and_then_the_password_is_asked_for(api: Api):
    tokens = await _session(api)
    for _ in range(3):
        await _let_days_pass(api, 25)
        reply = await _refresh(api, tokens["refreshToken"])
        assert reply.status == 200, reply.text
        tokens = reply.data
        assert (await api.get("/auth/me", token=tokens["token"])).status == 200
    await _let_days_pass(api, 14)
    assert (await api.get("/auth/me", token=tokens["token"])).status == 200
    await _let_days_pass(api, 1)
    assert (await api.get("/auth/me", token=tokens["token"])).status == 401
    assert (await _refresh(api, tokens["refreshToken"])).status == 401


async def test_a_session_nobody_uses_ends_after_thirty_days(api: Api):
    tokens = await _session(api)
    await _let_days_pass(api, 30)
    assert (await _refresh(api, tokens["refreshToken"])).status == 401
    assert (await api.get("/auth/me", token=tokens["token"])).status == 401


async def test_a_session_and_its_newest_refresh_token_end_together(api: Api, start_api: StartApi):
    long = await start_api(refresh_token_ttl_s=365 * 86400)
    for server in (api, long):
        tokens = await _session(server)
        await _refresh(server, tokens["refreshToken"])
    ends = await api.db.fetch(
        "select s.expires_at - r.expires_at as apart, s.expires_at - s.created_at as life from sessions s "
        "join refresh_tokens r on r.session_id = s.id where r.replaced_at is null order by life"
    )
    assert [end["apart"] for end in ends] == [timedelta(0)] * 2
    assert timedelta(days=30) <= ends[0]["life"] < timedelta(days=31)
    assert ends[1]["life"] == timedelta(days=90)


async def test_unknown_expired_and_signed_out_tokens_are_refused_alike(api: Api):
    unknown = await _refresh(api, "x" * 43)
    ended = await _session(api)
    await api.post("/auth/logout", token=ended["token"])
    after_logout = await _refresh(api, ended["refreshToken"])
    expired = await _session(api)
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            "update refresh_tokens set created_at = created_at - interval '40 d', expires_at = now() - interval '1 s'"
        )
    after_expiry = await _refresh(api, expired["refreshToken"])
    for reply in (unknown, after_logout, after_expiry):
        assert (reply.status, reply.json["error"]) == (401, "INVALID_REFRESH_TOKEN")


async def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api: Api):
    session = await _session(api)
    assert (await _refresh(api, session["token"])).status == 400, "it is too long for one"
    assert (await api.get("/auth/me", token=session["refreshToken"])).status == 401


async def test_no_token_of_a_session_is_stored_readable(api: Api):
    session = await _session(api)
    stored = await stored_text(api.db)
    assert hashlib.sha256(session["refreshToken"].encode()).hexdigest() in stored
    assert session["refreshToken"] not in stored
    assert session["token"] not in stored
