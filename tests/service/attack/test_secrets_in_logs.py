"""The logs of an API process, read as an intruder would: no password, token, address, name or key in them."""

import json
from pathlib import Path

import aiohttp
import asyncpg
from fixtures.processes import ApiProcess, StartProcess
from support.secrets import SECRET_KEY, TOKEN_KEYS

EMAIL = "leaky.visitor@example.com"
PASSWORDS = ("Secret-of-mine-1", "Secret-of-mine-2", "wrong-secret-of-mine")


async def live(process: ApiProcess) -> list[str]:
    """Do what people do, well and badly; the tokens that came up."""
    async with aiohttp.ClientSession(process.url) as session:

        async def call(method: str, path: str, **options: object) -> dict[str, object]:
            async with session.request(method, f"/api/v1{path}", **options) as response:  # type: ignore[arg-type]
                return await response.json()

        account = {"email": EMAIL, "password": PASSWORDS[0], "name": "Leaky Visitor"}
        registered = await call("POST", "/auth/register", json=account)
        data = registered["data"]
        assert isinstance(data, dict)
        signed = {"Authorization": f"Bearer {data['token']}"}
        await call("POST", "/auth/register", json=account)
        await call("POST", "/auth/login", json={"email": EMAIL, "password": PASSWORDS[2]})
        await call("POST", "/auth/login", data=json.dumps(account)[:-5], headers={"Content-Type": "application/json"})
        await call("GET", "/auth/me", headers=signed)
        await call("GET", f"/auth/me?token={data['token']}&email={EMAIL}", headers=signed)
        await call("GET", f"/users/{EMAIL}", headers={"Authorization": f"Bearer {data['token']}x"})
        await call(
            "GET", "/auth/me", headers={"Cookie": f"token={data['token']}", "Referer": f"/?token={data['token']}"}
        )
        changed = {"currentPassword": PASSWORDS[0], "newPassword": PASSWORDS[1]}
        await call("PUT", "/auth/change-password", json=changed, headers=signed)
        await call("PUT", "/users/profile", json={"email": f"new.{EMAIL}"}, headers=signed)
        await call("POST", "/auth/refresh", json={"refreshToken": data["refreshToken"]})
        await call("POST", "/auth/forgot-password", json={"email": EMAIL})
        await call("POST", "/auth/reset-password", json={"token": "made-up-reset-token", "newPassword": PASSWORDS[0]})
        return [str(data["token"]), str(data["refreshToken"]), "made-up-reset-token"]


def assert_clean(log: Path, secrets: list[str]) -> list[dict[str, object]]:
    text = log.read_text()
    for secret in (*secrets, *PASSWORDS, EMAIL, "leaky.visitor", "Leaky", SECRET_KEY, *_private_keys()):
        assert secret not in text
        assert secret.split(".")[-1] not in text, "not even the signature of a token"
    return [json.loads(line) for line in text.splitlines()]


def _private_keys() -> list[str]:
    return [key["d"] for key in json.loads(TOKEN_KEYS)["keys"]]


async def test_the_logs_of_a_day_hold_nobodys_secrets(api_process: StartProcess, database_url: str):
    process = api_process(database_url=database_url, log_level="debug")
    await process.start()
    secrets = await live(process)
    process.ask_to_stop()
    assert await process.ended() == 0
    lines = assert_clean(process.log, secrets)
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) >= 13
    assert all(line["request_id"] and line["route"] and line["status"] for line in requests)


async def test_neither_do_the_logs_of_a_bad_day(api_process: StartProcess, database_url: str):
    process = api_process(database_url=database_url, log_level="debug")
    await process.start()
    connection = await asyncpg.connect(database_url)
    # Constraints and statements that fail, with all that Postgres tells about their values.
    await connection.execute("alter table users add constraint nobody check (email not like 'leaky%') not valid")
    async with aiohttp.ClientSession(process.url) as session:
        account = {"email": EMAIL, "password": PASSWORDS[0], "name": "Leaky Visitor"}
        async with session.post("/api/v1/auth/register", json=account) as response:
            assert response.status == 500
    await connection.execute("alter table users drop column email cascade")
    await connection.close()
    login = {"email": EMAIL, "password": PASSWORDS[0]}
    async with (
        aiohttp.ClientSession(process.url) as session,
        session.post("/api/v1/auth/login", json=login) as response,
    ):
        assert response.status == 500
    process.ask_to_stop()
    await process.ended()
    lines = assert_clean(process.log, [])
    assert len([line for line in lines if line["event"] == "unhandled_error" and "Traceback" in str(line)]) == 2


async def test_a_database_that_cannot_be_reached_is_logged_without_its_password(api_process: StartProcess):
    process = api_process(database_url="postgresql://bilten:hidden-password@127.0.0.1:1/bilten")
    await process.start()
    async with aiohttp.ClientSession(process.url) as session, session.get("/api/v1/events") as response:
        assert response.status == 503
    process.ask_to_stop()
    assert await process.ended() == 0
    assert "hidden-password" not in process.log.read_text()
