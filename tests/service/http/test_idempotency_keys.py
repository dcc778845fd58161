"""`Idempotency-Key`: a call that is repeated, by a client or after a crash, has one effect and one answer."""

import asyncio
import uuid
from typing import Any

import aiohttp
import asyncpg
import pytest
from contract.world import NEW_EVENT
from fixtures.api import ORIGIN, Api, StartApi
from fixtures.processes import StartProcess
from support.jobs import until
from support.shape import assert_error
from support.slow import slow_commits, wait_for_a_commit

ACCOUNT = {"email": "once@example.com", "password": "Secret-123", "name": "Only Once"}
COUNT = "select count(*) from users where email = 'once@example.com'"


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid.uuid4())}


async def test_a_repeated_call_gets_the_stored_answer_and_has_no_second_effect(api: Api):
    keyed = key()
    first = await api.post("/auth/register", json=ACCOUNT, headers=keyed)
    assert first.status == 201
    assert "Idempotent-Replayed" not in first.headers
    again = await api.post("/auth/register", json=ACCOUNT, headers=keyed)
    assert (again.status, again.json) == (201, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert await api.db.fetchval(COUNT) == 1


async def test_a_replay_carries_the_tag_of_the_answer_it_repeats(api: Api):
    organizer = await api.as_organizer()
    keyed = key()
    first = await api.post("/events", json=NEW_EVENT, token=organizer, headers=keyed)
    again = await api.post("/events", json=NEW_EVENT, token=organizer, headers=keyed | {"Origin": ORIGIN})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert "Idempotent-Replayed" in again.headers["Access-Control-Expose-Headers"]


async def test_a_key_holds_for_another_process_of_the_same_deployment(start_api: StartApi):
    keyed = key()
    first = await (await start_api()).post("/auth/register", json=ACCOUNT, headers=keyed)
    again = await (await start_api()).post("/auth/register", json=ACCOUNT, headers=keyed)
    assert (again.status, again.json) == (201, first.json)


async def test_many_at_once_have_one_effect_and_the_others_are_told_to_wait(start_api: StartApi, database_url: str):
    # A tenth of a second to run into each other.
    await slow_commits(database_url, "users", 0.1)
    api = await start_api(database_pool_size=20)
    keyed = key()
    replies = await asyncio.gather(*(api.post("/auth/register", json=ACCOUNT, headers=keyed) for _ in range(8)))
    assert await api.db.fetchval(COUNT) == 1
    assert len({reply.text for reply in replies if reply.status == 201}) == 1
    waiting = [reply for reply in replies if reply.status != 201]
    assert waiting
    for reply in waiting:
        assert_error(reply, 409, "IDEMPOTENCY_IN_PROGRESS")
        assert int(reply.headers["Retry-After"]) >= 1
    assert (await api.post("/auth/register", json=ACCOUNT, headers=keyed)).status == 201


@pytest.mark.parametrize("change", [{"email": "twice@example.com"}, {"name": "Other"}, {"more": 1}])
async def test_the_same_key_with_another_body_is_refused(api: Api, change: dict[str, Any]):
    keyed = key()
    await api.post("/auth/register", json=ACCOUNT, headers=keyed)
    reply = await api.post("/auth/register", json=ACCOUNT | change, headers=keyed)
    assert_error(reply, 422, "IDEMPOTENCY_KEY_REUSED")
    assert await api.db.fetchval("select count(*) from users where email = 'twice@example.com'") == 0


async def test_the_same_key_of_another_user_is_another_key(api: Api):
    keyed = key()
    replies = [
        await api.post("/events", json=NEW_EVENT, token=token, headers=keyed)
        for token in (await api.as_organizer(), await api.as_admin())
    ]
    assert [reply.status for reply in replies] == [201, 201]
    assert len({reply.data["event"]["id"] for reply in replies}) == 2
    assert all("Idempotent-Replayed" not in reply.headers for reply in replies)


async def test_the_same_key_for_another_call_is_another_key(api: Api):
    keyed, admin = key(), await api.as_admin()
    assert (await api.post("/events", json=NEW_EVENT, token=admin, headers=keyed)).status == 201
    article = {"title": "News", "excerpt": "e", "content": "c", "category": "News"}
    assert (await api.post("/articles", json=article, token=admin, headers=keyed)).status == 201


async def test_a_refused_call_may_be_mended_and_sent_again_with_its_key(api: Api):
    keyed = key()
    assert (await api.post("/auth/register", json=ACCOUNT | {"password": "x"}, headers=keyed)).status == 400
    assert (await api.post("/auth/register", json=ACCOUNT, headers=keyed)).status == 201


@pytest.mark.parametrize("value", ["", "x" * 256, "a b", "é", "a\tb"])
async def test_a_key_that_is_none_is_refused(api: Api, value: str):
    reply = await api.post("/auth/register", json=ACCOUNT, headers={"Idempotency-Key": value})
    assert_error(reply, 400, "BAD_REQUEST")
    assert await api.db.fetchval(COUNT) == 0


@pytest.mark.parametrize("value", ["x", "x" * 255, "!~"])
async def test_any_visible_characters_are_a_key(api: Api, value: str):
    assert (await api.post("/auth/register", json=ACCOUNT, headers={"Idempotency-Key": value})).status == 201


async def test_a_key_is_forgotten_when_its_day_is_over(api: Api):
    keyed = key()
    await api.post("/auth/register", json=ACCOUNT, headers=keyed)
    (expires_in,) = await api.db.fetchrow("select expires_at - now() as expires_in from idempotency_keys")
    assert abs(expires_in.total_seconds() - 86400) < 60


async def test_a_process_killed_while_its_commit_is_under_way_is_repeated_without_a_second_effect(
    api_process: StartProcess, database_url: str
):
    """The gap that a key is for: the effect is there, the answer never was."""
    await slow_commits(database_url, "users", 1)
    process = api_process(database_url=database_url)
    await process.start()
    keyed = key()
    async with aiohttp.ClientSession(process.url) as session:
        sent = asyncio.create_task(session.post("/api/v1/auth/register", json=ACCOUNT, headers=keyed))
        await wait_for_a_commit(database_url)
        process.kill()
        with pytest.raises(aiohttp.ClientError):
            await sent
    connection = await asyncpg.connect(database_url)
    await until(lambda: connection.fetchval(COUNT))
    await process.start()
    async with (
        aiohttp.ClientSession(process.url) as session,
        session.post("/api/v1/auth/register", json=ACCOUNT, headers=keyed) as response,
    ):
        assert response.status == 201
        assert response.headers["Idempotent-Replayed"] == "true"
        token = (await response.json())["data"]["token"]
        me = await session.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert me.status == 200
    assert await connection.fetchval(COUNT) == 1
    await connection.close()


async def test_a_process_killed_before_its_commit_leaves_nothing_and_the_repetition_does_it(
    api_process: StartProcess, database_url: str
):
    process = api_process(database_url=database_url)
    await process.start()
    keyed = key()
    connection = await asyncpg.connect(database_url)
    blocked = "select count(*) from pg_locks where not granted and relation = 'users'::regclass"
    async with aiohttp.ClientSession(process.url) as session:
        async with connection.transaction():
            await connection.execute("lock table users in share mode")
            sent = asyncio.create_task(session.post("/api/v1/auth/register", json=ACCOUNT, headers=keyed))
            await until(lambda: connection.fetchval(blocked))
            process.kill()
            with pytest.raises(aiohttp.ClientError):
                await sent
        assert await connection.fetchval(COUNT) == 0
    await process.start()
    async with (
        aiohttp.ClientSession(process.url) as session,
        session.post("/api/v1/auth/register", json=ACCOUNT, headers=keyed) as response,
    ):
        assert response.status == 201
        assert "Idempotent-Replayed" not in response.headers
    assert await connection.fetchval(COUNT) == 1
    await connection.close()
