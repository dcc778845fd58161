"""SIGTERM: what was begun is finished, nothing new is taken, and nobody's idle connection holds it up."""

import asyncio
import time
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest
from fixtures.processes import StartProcess
from support.slow import slow_commits, wait_for_a_commit

ACCOUNT = {"email": "late@example.com", "password": "Secret-123", "name": "Late Guest"}


async def test_a_request_under_way_is_finished_and_no_new_one_is_taken(api_process: StartProcess, database_url: str):
    await slow_commits(database_url, "users", 1.5)
    process = api_process(database_url=database_url)
    await process.start()
    async with aiohttp.ClientSession(process.url) as session:
        sent = asyncio.create_task(session.post("/api/v1/auth/register", json=ACCOUNT))
        await wait_for_a_commit(database_url)
        process.ask_to_stop()
        await asyncio.sleep(0.3)
        async with aiohttp.ClientSession(process.url) as another:
            with pytest.raises(aiohttp.ClientConnectionError):
                await another.get("/livez")
        async with await sent as response:
            assert response.status == 201
            assert (await response.json())["data"]["token"]
    assert await process.ended() == 0
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select count(*) from users where email = $1", ACCOUNT["email"]) == 1
    await connection.close()


async def test_an_idle_connection_does_not_hold_the_end_up(api_process: StartProcess, database_url: str):
    process = api_process(database_url=database_url, shutdown_grace_s="10")
    await process.start()
    address = urlsplit(process.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: bilten\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    asked_at = time.monotonic()
    process.ask_to_stop()
    assert await process.ended() == 0
    assert time.monotonic() - asked_at < 4
    writer.transport.abort()


async def test_what_takes_longer_than_the_grace_is_given_up(api_process: StartProcess, database_url: str):
    await slow_commits(database_url, "users", 4)
    process = api_process(database_url=database_url, shutdown_grace_s="0.5")
    await process.start()
    async with aiohttp.ClientSession(process.url) as session:
        sent = asyncio.create_task(session.post("/api/v1/auth/register", json=ACCOUNT))
        await wait_for_a_commit(database_url)
        asked_at = time.monotonic()
        process.ask_to_stop()
        with pytest.raises(aiohttp.ClientError):
            await sent
    await process.ended()
    assert time.monotonic() - asked_at < 6
