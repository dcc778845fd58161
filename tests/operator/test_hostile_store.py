"""A store that a spec names may answer what it likes: nobody else's instance has to wait for it, or pays for it."""

import asyncio
import base64
import itertools
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from bilten_operator.cluster.object_store import ObjectStores
from bilten_operator.cluster.store_http import Ended, _Endable
from bilten_operator.plan.model import DeleteBuckets, EnsureBuckets, Ref, StepName

SECRET = Ref("v1", "Secret", "app", "s3")

Hostile = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(hostile: Hostile) -> AsyncIterator[str]:
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                seen.append(request.split(b" ")[1].decode())
                await hostile(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            # What nobody reads any more would keep the connection open beyond the test.
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(answer(reader, writer))
        tasks.add(task)

    seen.clear()
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


#: Paths that the server was asked for.
seen: list[str] = []


async def secret(_: Ref) -> dict[str, Any]:
    value = base64.b64encode(b"not-the-secret").decode()
    return {"data": {"accessKey": value, "secretKey": value}}


async def ensure(endpoint: str, *, total_s: float = 1) -> str:
    action = EnsureBuckets(StepName.BUCKETS, "key", endpoint, "us-east-1", SECRET, ("bucket-a",), "uid", (), "wanted")
    async with asyncio.timeout(60):
        problem = await ObjectStores(total_s=total_s).act(action, secret)
    assert problem
    return problem


async def drip_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 404 ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n\r\n")
    await drip_head(_, writer)


@pytest.mark.parametrize("hostile", [drip_head, drip_body])
async def test_one_that_answers_a_byte_at_a_time_is_left_when_its_time_is_over(hostile: Hostile):
    async def not_of_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A HEAD has no body: the bucket is not there, and so the next request makes it.
        await (hostile(reader, writer) if hostile is drip_head or len(seen) > 1 else not_there(writer))

    async with serving(not_of_head) as endpoint:
        assert "Ended" in await ensure(endpoint)


async def not_there(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def test_an_answer_without_end_takes_no_memory():
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(seen) == 1:
            await not_there(writer)
            return
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\n\r\n")
        for _ in range(64):
            writer.write(b"x" * 2**20)
            await writer.drain()

    async with serving(flood) as endpoint:
        tracemalloc.start()
        try:
            assert "TooLarge" in await ensure(endpoint, total_s=50)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most < 32 * 2**20


async def test_a_list_without_end_is_left_when_its_time_is_over():
    numbers = itertools.count()

    async def listing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "tagging" in seen[-1]:
            body = b"<Tagging><TagSet><Tag><Key>bilten.io/owner</Key><Value>uid</Value></Tag></TagSet></Tagging>"
        elif "versions" in seen[-1]:
            body = (
                f"<ListVersionsResult><Name>b</Name><IsTruncated>true</IsTruncated>"
                f"<NextKeyMarker>{next(numbers)}</NextKeyMarker></ListVersionsResult>"
            ).encode()
        else:
            body = b""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async with serving(listing) as endpoint:
        action = DeleteBuckets("key", endpoint, "us-east-1", SECRET, ("bucket-a",), "uid", "deleted")
        async with asyncio.timeout(60):
            problem = await ObjectStores(total_s=1).act(action, secret)
    assert problem
    assert "Ended" in problem


@pytest.mark.parametrize(
    "body", [b"<Error>", b"\xff\xfe", b"<Error/>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Error>&c;</Error>"]
)
async def test_what_is_no_answer_of_a_store_is_said_to_be_none(body: bytes):
    async def garbled(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(seen) == 1:
            await not_there(writer)
            return
        head = f"HTTP/1.1 400 Bad\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async with serving(garbled) as endpoint:
        problem = await ensure(endpoint)
    assert problem.startswith(endpoint)


def test_a_connection_that_is_made_too_late_is_closed():
    def too_late(_: socket.socket) -> None:
        raise Ended

    with socket.create_server(("127.0.0.1", 0)) as listening:
        late = type("Late", (_Endable,), {"opened": staticmethod(too_late)})(*listening.getsockname())
        with pytest.raises(Ended) as told:
            late.connect()
        peer, _ = listening.accept()
        with peer:
            peer.settimeout(30)
            assert peer.recv(1) == b""
    assert told.value.__traceback__, "what it holds is not collected"


async def test_where_a_redirection_leads_is_not_asked():
    async def elsewhere(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: /latest/meta-data\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with serving(elsewhere) as endpoint:
        await ensure(endpoint)
    assert all("meta-data" not in path for path in seen)


async def test_what_it_says_is_cut():
    async def chatter(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(seen) == 1:
            await not_there(writer)
            return
        body = f"<Error><Code>Odd</Code><Message>{'x' * 100_000}</Message></Error>".encode()
        head = f"HTTP/1.1 400 Bad\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    async with serving(chatter) as endpoint:
        problem = await ensure(endpoint)
    assert "says Odd: xxx" in problem
    assert len(problem) < 1100
