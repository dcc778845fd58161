"""Bytes as answers: conditions, ranges and headers as RFC 9110 has them; whole, or seen to be broken."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from support.byte_routes import CONTENT, OPENED, ByteServer, byte_server
from support.jobs import until
from support.shape import assert_error

SIZE = len(CONTENT)
TEXT = CONTENT.decode()
WHOLE = "/public/whole"
ETAG = '"v1"'
CHANGED = "Wed, 04 Mar 2026 05:06:07 GMT"
BEFORE, AFTER = "Wed, 04 Mar 2026 05:06:06 GMT", "Wed, 04 Mar 2026 05:06:08 GMT"
VOLATILE = {"Date", "X-Request-ID"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ByteServer]:
    async with byte_server(tmp_path, download_stall_s=0.5) as running:
        yield running
        await until(lambda: len(OPENED.calls) <= OPENED.closed, within_s=10)


async def test_a_public_file_is_kept_by_anybody_for_ever(server: ByteServer):
    reply = await server.get(WHOLE, headers={"Origin": "http://localhost:3000"})
    assert (reply.status, reply.text) == (200, TEXT)
    told = {name: reply.headers[name] for name in (
        "Content-Type", "Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Cache-Control", "Vary",
        "Content-Disposition", "X-Content-Type-Options", "Content-Security-Policy", "Cross-Origin-Resource-Policy",
        "Access-Control-Allow-Origin",
    )}  # fmt: skip
    assert told == {
        "Content-Type": "image/png",
        "Content-Length": str(SIZE),
        "ETag": ETAG,
        "Last-Modified": CHANGED,
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Origin",
        "Content-Disposition": 'inline; filename="poster.png"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Access-Control-Allow-Origin": "http://localhost:3000",
    }


async def test_a_private_file_is_kept_by_nobody_and_saved_rather_than_shown(server: ByteServer):
    reply = await server.get("/private")
    assert (reply.status, reply.text) == (200, TEXT)
    assert reply.headers["Cache-Control"] == "private, no-store"
    assert reply.headers["Content-Disposition"].startswith("attachment; ")
    assert "Set-Cookie" not in reply.headers
    assert "Last-Modified" not in reply.headers
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", [WHOLE, "/private", "/public/empty", "/public/gone"])
async def test_head_is_get_without_opening_the_file(server: ByteServer, path: str):
    head = await server.request("HEAD", path)
    assert (head.status, head.text) == (200, "")
    assert OPENED.calls == []
    if path == "/public/gone":
        return
    get = await server.get(path)
    told = [{name: value for name, value in reply.headers.items() if name not in VOLATILE} for reply in (head, get)]
    assert told[0] == told[1]
    assert head.headers["Content-Length"] == str(len(get.text))


@pytest.mark.parametrize(
    ("sent", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=5-", 5, SIZE - 1),
        (f"bytes=5-{SIZE}", 5, SIZE - 1),
        ("bytes=5-" + "9" * 5000, 5, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=-7", SIZE - 7, SIZE - 1),
        (f"bytes=-{SIZE + 1}", 0, SIZE - 1),
        ("bytes=-" + "9" * 5000, 0, SIZE - 1),
        ("BYTES = 1-2", 1, 2),
        ("bytes=,1-2,,", 1, 2),
    ],
)
async def test_one_range_is_206(server: ByteServer, sent: str, first: int, last: int):
    reply = await server.get(WHOLE, headers={"Range": sent})
    assert (reply.status, reply.text) == (206, TEXT[first : last + 1])
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert reply.headers["Content-Length"] == str(last - first + 1)
    assert reply.headers["ETag"] == ETAG
    assert OPENED.calls == [(first, last - first + 1)]


@pytest.mark.parametrize(
    "sent",
    ["bytes=0-1,5-6", "bytes=0-0,-1", "bytes=5-2", "bytes=-", "bytes=", "bytes", "bytes=a-b", "bytes=1-2-3",
     "bytes=--5", "bytes=+1-2", "bytes=0x1-2", "bytes=1 - 2", "items=0-1", "", "bytes=٣-٤", "bytes=1.5-2"],
)  # fmt: skip
async def test_several_ranges_and_what_is_none_get_the_whole_file(server: ByteServer, sent: str):
    reply = await server.get(WHOLE, headers={"Range": sent})
    assert (reply.status, reply.text) == (200, TEXT)
    assert "Content-Range" not in reply.headers


@pytest.mark.parametrize(
    "sent", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", "bytes=" + "9" * 5000 + "-"]
)
async def test_a_range_behind_the_end_is_416_with_the_length(server: ByteServer, sent: str):
    reply = await server.get(WHOLE, headers={"Range": sent})
    assert_error(reply, 416, "RANGE_NOT_SATISFIABLE")
    assert reply.headers["Content-Range"] == f"bytes */{SIZE}"
    assert OPENED.calls == []


async def test_any_range_of_an_empty_file_is_416_and_all_of_it_is_nothing(server: ByteServer):
    for sent in ("bytes=0-", "bytes=-5"):
        assert_error(await server.get("/public/empty", headers={"Range": sent}), 416, "RANGE_NOT_SATISFIABLE")
    reply = await server.get("/public/empty")
    assert (reply.status, reply.text, reply.headers["Content-Length"]) == (200, "", "0")


async def test_a_range_is_no_word_to_head(server: ByteServer):
    reply = await server.request("HEAD", WHOLE, headers={"Range": "bytes=0-1"})
    assert (reply.status, reply.headers["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": ETAG}, 304),
        ({"If-None-Match": 'W/"v1"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"v0", W/"v1", "v2"'}, 304),
        ({"If-None-Match": '"v0","v2"'}, 200),
        ({"If-None-Match": "v1"}, 200),
        ({"If-None-Match": ""}, 200),
        ({"If-Modified-Since": CHANGED}, 304),
        ({"If-Modified-Since": AFTER}, 304),
        ({"If-Modified-Since": BEFORE}, 200),
        ({"If-Modified-Since": "Wednesday, 04-Mar-26 05:06:07 GMT"}, 304),
        ({"If-Modified-Since": "Wed Mar  4 05:06:07 2026"}, 304),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Wed, 99 Mar 2026 05:06:07 GMT"}, 200),
        ({"If-Modified-Since": "Wed, 04 Mar 99999999999999999999 05:06:07 GMT"}, 200),
        ({"If-None-Match": '"v0"', "If-Modified-Since": AFTER}, 200),
        ({"If-Match": ETAG}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"v0", "v1"'}, 200),
        ({"If-Match": 'W/"v1"'}, 412),
        ({"If-Match": '"v0"'}, 412),
        ({"If-Match": ""}, 412),
        ({"If-Unmodified-Since": CHANGED}, 200),
        ({"If-Unmodified-Since": BEFORE}, 412),
        ({"If-Unmodified-Since": "never"}, 200),
        ({"If-Match": ETAG, "If-Unmodified-Since": BEFORE}, 200),
        ({"If-Match": ETAG, "If-None-Match": ETAG}, 304),
        ({"If-Match": '"v0"', "If-None-Match": ETAG}, 412),
        ({"If-Range": ETAG, "Range": "bytes=0-1"}, 206),
        ({"If-Range": 'W/"v1"', "Range": "bytes=0-1"}, 200),
        ({"If-Range": '"v0"', "Range": "bytes=0-1"}, 200),
        ({"If-Range": '"v0"', "Range": f"bytes={SIZE}-"}, 200),
        ({"If-Range": CHANGED, "Range": "bytes=0-1"}, 206),
        ({"If-Range": AFTER, "Range": "bytes=0-1"}, 200),
        ({"If-Range": BEFORE, "Range": "bytes=0-1"}, 200),
        ({"If-Range": "soon", "Range": "bytes=0-1"}, 200),
        ({"If-Range": '"v0"'}, 200),
        ({"If-None-Match": ETAG, "Range": "bytes=0-1"}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_conditions(server: ByteServer, method: str, headers: dict[str, str], status: int):
    reply = await server.request(method, WHOLE, headers=headers)
    assert reply.status == (200 if status == 206 and method == "HEAD" else status)
    if status == 412:
        assert OPENED.calls == []
        return
    assert reply.headers["ETag"] == ETAG
    assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Origin" in reply.headers["Vary"]
    if status == 304:
        assert reply.text == ""
        assert OPENED.calls == []


async def test_conditions_in_several_lines_are_one_list(server: ByteServer):
    headers = [("If-None-Match", '"v0"'), ("If-None-Match", ETAG)]
    async with server.session.get(server.base + WHOLE, headers=headers) as response:
        assert response.status == 304


async def test_what_cannot_be_opened_is_an_error_in_our_shape(server: ByteServer):
    assert_error(await server.get("/public/gone"), 503, "SERVICE_UNAVAILABLE")


@pytest.mark.parametrize("how", ["short", "broken", "long"])
async def test_a_file_that_does_not_arrive_whole_is_never_taken_for_it(server: ByteServer, how: str):
    async with server.session.get(f"{server.base}/public/{how}") as response:
        assert response.headers["Content-Length"] == str(SIZE)
        if how == "long":
            # All that was said has arrived; the connection is not used again.
            assert await response.read() == CONTENT
        else:
            # At once, and not when the connection has been idle for long enough.
            with pytest.raises(aiohttp.ClientError):
                await asyncio.wait_for(response.read(), 10)
    assert (await server.get("/ping")).status == 200


async def test_a_broken_file_ends_its_connection(server: ByteServer):
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for how in ("long", "ping"):
        path = "/api/v1/ping" if how == "ping" else f"/api/v1/public/{how}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bilten\r\n\r\n".encode())
    with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):  # noqa: PT012 either may see it first
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(SIZE)
        await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_a_reader_who_stops_costs_little_and_is_let_go(server: ByteServer):
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    writer.write(b"GET /api/v1/endless HTTP/1.1\r\nHost: bilten\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    sent = 0
    async with asyncio.timeout(20):
        # The kernels on both sides hold some megabytes.
        while OPENED.closed == 0:
            sent = OPENED.sent
            await asyncio.sleep(0.05)
    assert sent < 64 * 2**20
    assert OPENED.sent <= sent + 2**20
    writer.close()


async def test_a_reader_who_hangs_up_ends_the_reading(server: ByteServer):
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"GET /api/v1/endless HTTP/1.1\r\nHost: bilten\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()
    await until(lambda: OPENED.closed == 1, within_s=10)


async def test_a_slow_reader_gets_all_of_it(server: ByteServer):
    async with server.session.get(f"{server.base}/public/pieces") as response:
        pieces = []
        async for piece in response.content.iter_chunked(50):
            pieces.append(piece)
            await asyncio.sleep(0.01)
    assert b"".join(pieces) == CONTENT


async def test_others_are_served_while_many_read(server: ByteServer):
    async def read() -> bytes:
        async with server.session.get(server.base + WHOLE) as response:
            return await response.read()

    assert set(await asyncio.gather(*(read() for _ in range(100)))) == {CONTENT}
