"""What an attacker found, each closed for good."""

import asyncio

from fixtures.api import ORIGIN, Api, StartApi
from support.counted import counted


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


async def test_more_sign_ins_than_can_be_hashed_soon_are_told_to_come_back(api: Api):
    body = {"email": "user@bilten.com", "password": "wrong"}
    replies = await asyncio.gather(*(api.post("/auth/login", json=body) for _ in range(130)))
    counts = {status: sum(reply.status == status for reply in replies) for status in (401, 429)}
    assert sum(counts.values()) == 130
    assert counts[401] >= 100
    assert all(reply.headers["Retry-After"] for reply in replies if reply.status == 429)
