"""Whoever asks for a link learns nothing about whose address that is, not even from the clock."""

from typing import Any

import pytest
from bilten.accounts import links
from bilten.db.database import Database
from fixtures.api import Api, StartApi
from support.jobs import all_done, change, until, working_on_all
from support.links import a_minute_passes

KNOWN, UNVERIFIED, UNKNOWN = "user@bilten.com", "new@example.com", "nobody@example.com"
_TABLES = "select tablename from pg_tables where schemaname = 'public' order by tablename"


async def _rows(db: Database) -> dict[str, int]:
    names = [row["tablename"] for row in await db.fetch(_TABLES)]
    return {name: await db.fetchval(f"select count(*) from {name}") for name in names}  # noqa: S608 names of tables


async def _do_all(api: Api) -> None:
    async with working_on_all(api.db, api.settings):
        await until(lambda: all_done(api.db))


async def _mailed(db: Database, template: str = "%") -> list[str]:
    rows = await db.fetch("select to_address from mails where subject like $1 order by to_address", template)
    return [row["to_address"] for row in rows]


@pytest.mark.parametrize("path", ["/auth/forgot-password", "/auth/resend-verification"])
async def test_a_known_and_an_unknown_address_cost_the_same_and_get_the_same_answer(start_api: StartApi, path: str):
    api = await start_api(forgot_password_reveals=False)
    body = {"email": UNVERIFIED, "password": "Secret12", "name": "New"}
    assert (await api.post("/auth/register", json=body)).status == 201
    seen: list[Any] = []
    for email in (KNOWN, UNVERIFIED, UNKNOWN, "no address"):
        before = await _rows(api.db)
        reply = await api.post(path, json={"email": email})
        after = await _rows(api.db)
        written = {name: count - before[name] for name, count in after.items() if count != before[name]}
        seen.append((reply.status, reply.json, written))
    assert seen[0][0] == 200
    assert seen[0][2] == {"jobs": 1}
    assert seen == [seen[0]] * 4


async def test_a_link_for_a_new_password_is_mailed_to_those_who_have_an_account(start_api: StartApi):
    api = await start_api(forgot_password_reveals=False)
    for email in (KNOWN, UNKNOWN):
        await api.post("/auth/forgot-password", json={"email": email}, headers={"X-Request-ID": f"for-{email[:4]}"})
    await _do_all(api)
    assert await _mailed(api.db) == [KNOWN]
    (row,) = await api.db.fetch("select * from audit_log where action = 'account.forgot_password'")
    assert (row["request_id"], str(row["address"])) == ("for-user", "127.0.0.1")
    assert row["entity_id"] == str(await api.db.fetchval("select id from users where email = $1", KNOWN))


async def test_a_link_for_verifying_is_mailed_again_to_those_who_have_not_verified(api: Api):
    await api.post("/auth/register", json={"email": UNVERIFIED, "password": "Secret1", "name": "New"})
    await _do_all(api)
    assert await _mailed(api.db) == [UNVERIFIED]
    await a_minute_passes(api.db)
    for email in (KNOWN, UNVERIFIED, UNKNOWN):
        await api.post("/auth/resend-verification", json={"email": email})
    await _do_all(api)
    assert await _mailed(api.db) == [UNVERIFIED, UNVERIFIED]


async def test_a_link_that_is_made_twice_is_mailed_once(api: Api):
    await api.post("/auth/forgot-password", json={"email": KNOWN})
    sealed = await api.db.fetchval("select payload::text from jobs")
    await _do_all(api)
    again = "update jobs set finished_at = null, payload = cast(:payload as jsonb) where kind = :kind"
    await change(api.db, again, payload=sealed, kind=links.LINK)
    await _do_all(api)
    assert await api.db.fetchval("select attempts from jobs where kind = $1", links.LINK) == 2
    assert await _mailed(api.db) == [KNOWN]
    assert await api.db.fetchval("select count(*) from one_time_tokens") == 1
