"""Failed sign-ins are on the audit log: whose account, from where, and never so many that they fill a disk."""

import json

import pytest
from bilten.accounts import sessions
from fixtures.api import Api

FAILED = "select * from audit_log where action = 'account.login_failed' order by id"


async def _fail(api: Api, email: str) -> None:
    assert (await api.post("/auth/login", json={"email": email, "password": "wrong"})).status == 401


async def test_a_failed_login_is_on_the_audit_log_under_its_account(api: Api):
    await _fail(api, "user@bilten.com")
    await _fail(api, "nobody@bilten.com")
    await api.as_user()
    user = await api.db.fetchval("select id from users where email = 'user@bilten.com'")
    rows = await api.db.fetch(FAILED)
    assert [(row["entity"], row["entity_id"]) for row in rows] == [("user", str(user)), ("user", "unknown")]
    assert {(row["actor_id"], str(row["address"])) for row in rows} == {(None, "127.0.0.1")}
    assert all(row["request_id"] for row in rows)
    assert "@" not in json.dumps([str(dict(row)) for row in rows])


async def test_many_failures_of_one_address_are_written_down_a_few_times_a_minute(api: Api):
    for _ in range(sessions.NOTED_OF_ONE + 2):
        await _fail(api, "user@bilten.com")
    await _fail(api, "admin@bilten.com")
    rows = await api.db.fetch(FAILED)
    assert len({row["entity_id"] for row in rows}) == 2
    assert len(rows) == sessions.NOTED_OF_ONE + 1


async def test_failures_of_many_addresses_are_written_down_up_to_a_number_a_minute(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sessions, "NOTED_OF_ALL", 3)
    for number in range(5):
        await _fail(api, f"nobody{number}@example.com")
    assert len(await api.db.fetch(FAILED)) == 3
