"""A network before the object store that fails as networks and stores do: on command, and countably."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from bilten.local.objectstore import S3Address

Kind = Literal["answer", "lose", "cut", "stall", "crawl", "swallow", "shorten", "hold"]
When = Callable[[str, str], bool]


@dataclass
class Fault:
    """What happens to the next `times` calls that `when` picks.

    answer: the network says `content` itself. lose: the store does it, its answer never arrives. cut: the connection
    ends after `after` bytes of the answer's body. stall: it goes silent there. crawl: a byte every 0.1 s from there.
    swallow: what is sent is taken, and never answered. shorten: the answer announces `after` bytes and has no more.
    hold: it reaches the store once `flowing` is set.
    """

    kind: Kind
    when: When
    times: int = 1
    after: int = 0
    content: bytes = b""


@dataclass
class FaultyStore:
    """Plain TCP, with each request on a connection of its own."""

    upstream: tuple[str, int]
    faults: list[Fault] = field(default_factory=list)
    #: Method and path of each request.
    calls: list[tuple[str, str]] = field(default_factory=list)
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0
    port: int = 0

    def fail(
        self, kind: Kind, when: When = lambda *_: True, *, times: int = 1, after: int = 0, content: bytes = b""
    ) -> None:
        """Have the next calls fail."""
        self.faults.append(Fault(kind, when, times, after, content))

    def say(self, status: int, code: str, when: When = lambda *_: True, *, times: int = 1) -> None:
        """Answer the next calls with an error of S3."""
        body = f"<Error><Code>{code}</Code><Message>injected</Message></Error>".encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
        self.fail("answer", when, times=times, content=f"{head}Connection: close\r\n\r\n".encode() + body)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._pass(reader, writer)
        finally:
            self.open -= 1
            writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, _ = head.decode().split(" ", 2)
        self.calls.append((method, path))
        fault = self._fault(method, path)
        if fault and fault.kind == "hold":
            await self.flowing.wait()
            fault = None
        if fault and fault.kind == "swallow":
            while await reader.read(65536):
                pass
            return
        if fault and fault.kind == "answer":
            drain = asyncio.create_task(self._pump(reader, None))
            writer.write(fault.content)
            await writer.drain()
            await asyncio.sleep(0.05)
            drain.cancel()
            return
        there, to_store = await asyncio.open_connection(*self.upstream)
        to_store.write(head[:-2] + b"Connection: close\r\n\r\n")
        up = asyncio.create_task(self._pump(reader, to_store))
        try:
            answer = await there.readuntil(b"\r\n\r\n")
            if fault and fault.kind == "lose":
                while await there.read(65536):
                    pass
                return
            if fault and fault.kind == "shorten":
                answer = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % fault.after, answer)
            writer.write(answer)
            await self._body(there, writer, fault)
            if fault and fault.kind == "stall":
                await up
        finally:
            up.cancel()
            to_store.transport.abort()

    async def _body(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: Fault | None) -> None:
        left = fault.after if fault else -1
        while left != 0 and (chunk := await there.read(65536 if left < 0 else min(left, 65536))):
            left -= len(chunk) if left > 0 else 0
            writer.write(chunk)
            await writer.drain()
        while fault and fault.kind == "crawl" and (chunk := await there.read(1)):
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0.1)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65536):
                if writer:
                    writer.write(chunk)
                    await writer.drain()

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.when(method, path):
                fault.times -= 1
                return fault
        return None


@asynccontextmanager
async def faulty_store(address: S3Address) -> AsyncIterator[FaultyStore]:
    """A network, listening."""
    url = urlsplit(address.endpoint)
    assert url.hostname
    assert url.port
    network = FaultyStore((url.hostname, url.port))
    running: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(network.serve(reader, writer))
        running.add(task)
        task.add_done_callback(running.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
