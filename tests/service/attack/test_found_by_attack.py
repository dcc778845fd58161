"""What an attacker found, each closed for good."""

import asyncio
import socket
from collections import Counter

import pytest
from bilten.accounts import passwords
from bilten.web import connection, server
from fixtures.api import ORIGIN, Api, StartApi
from structlog.testing import capture_logs
from support.counted import counted
from support.jobs import all_done, until, working_on_all
from support.raw import exchange
from support.shape import assert_error

LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
INDEX = b"GET /api/v1 HTTP/1.1\r\nHost: x\r\n\r\n"


async def _raw(api: Api, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(4096), 10)
    writer.close()
    return answer


async def test_bytes_that_are_no_text_in_expect_are_417_and_in_origin_403(api: Api):
    expect = await _raw(api, b"GET /livez HTTP/1.1\r\nHost: x\r\nExpect: \xff\r\nConnection: close\r\n\r\n")
    assert expect.startswith(b"HTTP/1.1 417")
    preflight = b"OPTIONS /livez HTTP/1.1\r\nHost: x\r\nOrigin: \xff\r\nAccess-Control-Request-Method: GET\r\n\r\n"
    assert (await _raw(api, preflight)).startswith(b"HTTP/1.1 403")


async def test_an_origin_that_is_no_text_is_answered_where_all_are_allowed(start_api: StartApi):
    api = await start_api(cors_origins=["*"])
    answer = await _raw(api, b"GET /livez HTTP/1.1\r\nHost: x\r\nOrigin: a\x01b\r\nConnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 400"))
    assert (await api.get("//livez", headers={"Origin": ORIGIN})).headers["Access-Control-Allow-Origin"] == ORIGIN


async def test_a_client_that_hangs_up_within_its_body_is_no_fault_of_ours(api: Api):
    faults = ("POST", "/api/v1/auth/login", "5xx")
    before = (await counted(api)).get(faults)
    _, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    head = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    writer.write(head)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.transport.abort()
    await asyncio.sleep(0.2)
    assert (await counted(api)).get(faults) == before


async def test_the_token_of_an_ended_session_escapes_no_limit(start_api: StartApi):
    api = await start_api(user_requests_per_minute=5, anonymous_requests_per_minute=1000)
    token = await api.as_user()
    await api.post("/auth/logout", token=token)
    statuses = [(await api.get("/events/search/filters", token=token)).status for _ in range(8)]
    assert statuses.count(200) == 4
    assert statuses.count(429) == 4
    wrong = [
        (await api.post("/auth/login", json={"email": "a", "password": "b"}, token=token)).status for _ in range(2)
    ]
    assert wrong == [429, 429]


async def test_a_body_of_hundreds_of_thousands_of_values_is_refused_before_it_is_read(api: Api):
    body = b'{"a":[' + b"[]," * 340_000 + b"0]}"
    reply = await api.post("/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert (reply.status, reply.json["details"][0]["message"]) == (400, "The body holds more than 10000 values")


async def test_more_sign_ins_than_can_be_hashed_soon_are_told_to_come_back_while_the_process_stays_alive(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(passwords, "MAX_QUEUED", 3)
    body = {"email": "user@bilten.com", "password": "wrong"}
    signing_in = [asyncio.create_task(api.post("/auth/login", json=body)) for _ in range(40)]
    assert (await api.get("//livez")).status == 200
    statuses = Counter(reply.status for reply in await asyncio.gather(*signing_in))
    assert set(statuses) == {401, 429}
    refused = next(task.result() for task in signing_in if task.result().status == 429)
    assert_error(refused, 429, "RATE_LIMITED")
    assert refused.headers["Retry-After"] == "1"
    assert (await api.post("/auth/login", json=body)).status == 401


async def test_a_client_that_says_it_sends_no_more_still_gets_its_answer(api: Api):
    login = b'{"email": "user@bilten.com", "password": "user123"}'
    head = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    writer.write(head % len(login) + login)
    writer.write_eof()
    answer = await asyncio.wait_for(reader.read(), 10)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"Login successful"' in answer
    writer.close()


async def test_a_client_that_says_it_sends_no_more_within_its_body_is_let_go(api: Api):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    head = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
    )
    writer.write(head)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_pipelined_requests_before_the_last_word_of_a_client_are_all_answered(api: Api):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    writer.write(LIVEZ * 2 + LIVEZ.replace(b"Host: x", b"Host: x\r\nConnection: close"))
    writer.write_eof()
    answers = await asyncio.wait_for(reader.read(), 10)
    assert answers.count(b"HTTP/1.1 ") == 3
    writer.close()


async def test_a_crowd_of_connections_is_told_so_while_probes_are_answered_and_room_is_given_again(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "PROBES", 1)
    monkeypatch.setattr(connection, "PROBE_S", 60)
    api = await start_api(max_connections=4)
    port = int(api.url.rsplit(":", 1)[1])
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
    (probe,) = await exchange(api.url, LIVEZ)
    assert (probe.status, probe.headers["Connection"]) == (200, "close")
    (refused,) = await exchange(api.url, INDEX)
    assert_error(refused, 503, "TOO_MANY_CONNECTIONS")
    idle.append(await asyncio.open_connection("127.0.0.1", port))
    (turned_away,) = await exchange(api.url, LIVEZ)
    assert_error(turned_away, 503, "TOO_MANY_CONNECTIONS")
    assert turned_away.headers["Retry-After"] == "1"
    for _, writer in idle:
        writer.close()

    async def answered() -> bool:
        return (await exchange(api.url, INDEX))[0].status == 200

    await until(answered)


async def test_a_client_that_reads_none_of_its_answers_is_dropped(start_api: StartApi, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "IDLE_S", 1)
    api = await start_api()
    loop = asyncio.get_running_loop()
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    await loop.sock_connect(deaf, ("127.0.0.1", int(api.url.rsplit(":", 1)[1])))
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(loop.sock_sendall(deaf, LIVEZ * 200_000), 60)
    deaf.close()


async def test_after_a_refused_expectation_nothing_is_taken_for_a_request(api: Api):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    head = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(LIVEZ))
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in answer
    writer.write(LIVEZ * 2)
    assert b"HTTP/1.1 " not in await asyncio.wait_for(reader.read(), 20)
    writer.close()


async def test_no_mailbox_is_filled_by_those_who_ask_for_links_in_its_owners_name(api: Api):
    for _ in range(5):
        assert (await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})).status == 200
    async with working_on_all(api.db, api.settings):
        await until(lambda: all_done(api.db))
    assert await api.db.fetchval("select count(*) from mails") == 1


async def test_every_failed_sign_in_is_logged_without_its_address(api: Api):
    with capture_logs() as logs:
        for email in ("user@bilten.com", "nobody@example.com"):
            await api.post("/auth/login", json={"email": email, "password": "wrong"})
    entries = [entry for entry in logs if entry["event"] == "login_failed"]
    known = str(await api.db.fetchval("select id from users where email = 'user@bilten.com'"))
    assert [entry["account"] for entry in entries] == [known, "unknown"]
    assert "example.com" not in str(entries)


async def test_a_connection_that_never_completes_a_request_is_closed(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(server, "IDLE_S", 0.5)
    api = await start_api()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rsplit(":", 1)[1]))
    writer.write(b"GET /livez HTTP/1.1\r\nX-Slow: ")
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
