"""Uploads that take their time, break off, or come all at once."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest
from support.byte_routes import LIMIT, ByteServer, byte_server
from support.forms import BOUNDARY, FILE, Part, form, head, request
from support.jobs import until
from support.raw import exchange
from support.shape import assert_error

BODY = form(FILE)
BEGUN = BODY[:-20]
MIB = 2**20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ByteServer]:
    async with byte_server(tmp_path, upload_idle_s=0.3, upload_total_s=1.2) as running:
        yield running
        await running.has_nothing_left()


async def connect(server: ByteServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(server.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def drip(server: ByteServer, headers: list[str], pieces: list[bytes], pause_s: float) -> tuple[bytes, float]:
    """What is answered to a body that comes piece by piece, and when, in seconds."""
    reader, writer = await connect(server)
    started = time.monotonic()
    writer.write(head(headers=headers))

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)

    sending = asyncio.create_task(send())
    first = await asyncio.wait_for(reader.readline(), 20)
    took = time.monotonic() - started
    sending.cancel()
    writer.transport.abort()
    return first, took


@pytest.mark.parametrize("sent", [b"", b"--", BEGUN], ids=["nothing", "a beginning", "all but the end"])
async def test_a_sender_that_falls_silent_is_refused_after_the_idle_time(server: ByteServer, sent: bytes):
    first, took = await drip(server, [f"Content-Length: {len(BODY)}"], [sent], 60)
    assert first.startswith(b"HTTP/1.1 408")
    assert 0.3 <= took < 1.2


async def test_a_sender_that_never_falls_silent_is_refused_after_the_total_time(server: ByteServer):
    body = [BODY[n : n + 1] for n in range(len(BODY))]
    first, took = await drip(server, [f"Content-Length: {len(BODY)}"], body, 0.1)
    assert first.startswith(b"HTTP/1.1 408")
    assert 1.2 <= took < 4


async def test_a_sender_gets_no_time_for_what_it_only_announces(server: ByteServer):
    pieces = [BODY[n : n + 1] for n in range(len(BODY))]
    # So many would be worth nearly four seconds more.
    first, took = await drip(server, ["Content-Length: 250000"], pieces, 0.1)
    assert first.startswith(b"HTTP/1.1 408")
    assert took < 4


async def test_a_chunked_sender_gets_time_for_what_it_sends_and_no_more(server: ByteServer):
    begin, _ = BODY.split(b"the bytes")
    pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [begin, *[bytes(16384)] * 60]]
    # Sixteen kibibytes are worth a quarter of a second.
    first, took = await drip(server, ["Transfer-Encoding: chunked"], pieces[:9], 0.15)
    assert first.startswith(b"HTTP/1.1 408")
    assert took >= 0.15 * 8 + 0.3


@pytest.mark.parametrize(
    "sent", [b"", b"--a", BEGUN, BODY[:-4]], ids=["nothing", "a beginning", "a file", "a whole file"]
)
async def test_a_sender_that_hangs_up_leaves_nothing(server: ByteServer, sent: bytes):
    for ending in ("close", "abort"):
        reader, writer = await connect(server)
        writer.write(head(headers=[f"Content-Length: {len(BODY)}"]) + sent)
        await writer.drain()
        await until(lambda: server.spool.reserved > 0)
        if ending == "abort":
            writer.transport.abort()
        else:
            writer.close()
        await server.has_nothing_left()
        assert await reader.read() == b""


async def test_a_spool_that_is_full_is_503_with_the_time_to_wait(tmp_path: Path):
    async with byte_server(tmp_path, spool_bytes=2 * MIB) as server:
        _, writer = await connect(server)
        writer.write(head("/api/v1/huge", headers=[f"Content-Length: {2 * MIB - 1000}"]))
        await until(lambda: server.spool.reserved > 0)
        # Before a byte of it is read.
        (answer,) = await exchange(server.url, head(headers=["Content-Length: 2000"]))
        assert_error(answer, 503, "UPLOADS_BUSY")
        assert answer.headers["Retry-After"] == "1"
        writer.transport.abort()
        await server.has_nothing_left()
        (answer,) = await exchange(server.url, request(BODY))
        assert answer.status == 201


async def test_a_chunked_upload_is_refused_when_the_spool_fills_up(tmp_path: Path):
    async with byte_server(tmp_path, spool_bytes=3 * MIB) as server:

        async def chunks() -> AsyncIterator[bytes]:
            yield BODY.split(b"the bytes")[0]
            for _ in range(64):
                yield bytes(MIB)

        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        reply = await server.post("/huge", data=chunks(), headers=headers)
        assert_error(reply, 503, "UPLOADS_BUSY")
        await server.has_nothing_left()


async def test_whoever_waits_for_a_word_before_the_body_gets_it_or_the_refusal(server: ByteServer):
    reader, writer = await connect(server)
    expecting = ["Expect: 100-continue", f"Content-Length: {len(BODY)}"]
    writer.write(head(headers=expecting))
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert (await reader.readline()).startswith(b"HTTP/1.1 201")
    writer.close()
    reader, writer = await connect(server)
    writer.write(head(headers=["Expect: 100-continue", "Content-Length: 5000000"]))
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def send_huge(server: ByteServer, size: int) -> str:
    """Send so many bytes without holding them; their hash as the server saw it."""
    expected = hashlib.sha256()

    async def body() -> AsyncIterator[bytes]:
        yield BODY.split(b"the bytes")[0]
        piece = os.urandom(256 * 1024)
        for _ in range(size // len(piece)):
            expected.update(piece)
            yield piece
        yield f"\r\n--{BOUNDARY}--\r\n".encode()

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    reply = await server.post("/huge", data=body(), headers=headers)
    assert reply.status == 200, reply.text
    (file,) = reply.json["files"]["file"]
    assert (file["size"], file["sha256"]) == (size, expected.hexdigest())
    return file["sha256"]


async def test_a_hundred_megabytes_pass_through_a_little_memory(tmp_path: Path):
    async with byte_server(tmp_path) as server:
        await send_huge(server, 8 * MIB)
        before = psutil.Process().memory_info().rss
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, psutil.Process().memory_info().rss)
                await asyncio.sleep(0.005)

        watching = asyncio.create_task(watch())
        await send_huge(server, 100 * MIB)
        watching.cancel()
        # The sender is in this process too.
        assert most - before < 16 * MIB


async def test_others_are_served_while_eight_upload(tmp_path: Path):
    async with byte_server(tmp_path) as server:
        # Processor time of the loop's thread from turn to turn: what others take of the machine is not in it.
        turns: list[float] = []

        async def beat() -> None:
            while True:
                before = time.thread_time()
                await asyncio.sleep(0)
                turns.append(time.thread_time() - before)

        beating = asyncio.create_task(beat())
        await asyncio.gather(*(send_huge(server, 16 * MIB) for _ in range(8)))
        beating.cancel()
        await server.has_nothing_left()
        assert sorted(turns)[int(len(turns) * 0.99)] < 0.05


async def test_uploads_at_once_do_not_mix(tmp_path: Path):
    async with byte_server(tmp_path) as server:
        datas = [os.urandom(1000 + 5000 * n) for n in range(30)]

        async def send(data: bytes) -> list[str]:
            fields = aiohttp.FormData()
            fields.add_field("file", data, filename="a")
            return (await server.post("/one", data=fields)).json["stored"]

        assert await asyncio.gather(*map(send, datas)) == [[hashlib.sha256(data).hexdigest()] for data in datas]
        await server.has_nothing_left()


async def test_what_the_handler_refuses_is_unlinked_too(server: ByteServer):
    (answer,) = await exchange(server.url, request(form(FILE, Part('name="visibility"', b"no"))))
    assert_error(answer, 400, "VALIDATION_ERROR")
    (answer,) = await exchange(server.url, request(form(Part('name="file"; filename="a"', bytes(LIMIT)), FILE)))
    assert_error(answer, 400, "VALIDATION_ERROR")
