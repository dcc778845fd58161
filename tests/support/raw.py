"""HTTP by hand, over a bare socket: for requests that no client library would send."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from multidict import CIMultiDict

#: Longer than any refusal may take, in seconds.
PATIENCE_S = 10


@dataclass(frozen=True)
class RawAnswer:
    """One answer as it came over the wire."""

    status: int
    headers: CIMultiDict[str]
    text: str


async def exchange(url: str, request: bytes | Iterable[bytes], *, answers: int = 1) -> list[RawAnswer]:
    """Send bytes, in pieces if they come in pieces, and read that many answers; fewer when the server closes first.

    Raises `TimeoutError` when neither comes.
    """
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            sending = asyncio.create_task(_send(writer, [request] if isinstance(request, bytes) else request))
            read = []
            while len(read) < answers and (answer := await _read(reader)) is not None:
                read.append(answer)
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            return read
    finally:
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, pieces: Iterable[bytes]) -> None:
    # The server may have answered and closed before all of it went out, as it should.
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


async def _read(reader: asyncio.StreamReader) -> RawAnswer | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = CIMultiDict(tuple(map(str.strip, line.split(":", 1))) for line in lines if line)
    body = await reader.readexactly(int(headers.get("Content-Length", 0)))
    return RawAnswer(int(first.split()[1]), headers, body.decode())
