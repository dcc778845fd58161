"""Bytes to scan, the EICAR test file among them in every wrapping; it is put together at run time."""

import asyncio
import base64
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bilten.local.clamd import Clamd, eicar
from bilten.scanning.scanner import EngineVersion
from fixtures.clamd import scanner_of
from support import documents
from support.jobs import until

MIB = 1024 * 1024

WRAPPINGS: dict[str, Callable[[], bytes]] = {
    "plain": eicar,
    "1 byte after": lambda: eicar() + b"\n",
    "60 bytes after": lambda: eicar() + b" " * 60,
    "bytes before": lambda: b"x" * 5000 + eicar(),
    "stored in a zip": lambda: documents.zipped({"a.com": eicar()}, zipfile.ZIP_STORED),
    "in a zip": lambda: documents.zipped({"a.com": eicar()}),
    "in a zip in a zip": lambda: documents.zipped({"a.zip": documents.zipped({"a.com": eicar()})}),
    "in a DOCX": lambda: documents.office(more={"word/embeddings/a.bin": eicar()}),
    "in an ODT": lambda: documents.odt({"Pictures/a.png": eicar()}),
    "in a DOC": lambda: documents.word(more={"Data": eicar()}),
    "in a PDF": lambda: documents.pdf(eicar()),
}


def mail() -> bytes:
    """A mail with the test file attached in base64."""
    return (
        b"From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: application/octet-stream; name=a.com\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(eicar())
    )


async def chunks(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


NUMBERED = b"ClamAV 1.4.3/27400/Sun Nov 22 09:13:56 2026"


@asynccontextmanager
async def impostor(path: Path, answer: Answering, version: bytes = NUMBERED) -> AsyncIterator[Path]:
    """Something on a socket that says it is clamd, and then does to each scan what the test wants."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(9) == b"nVERSION\n":
                writer.write(version + b"\n")
                await writer.drain()
            elif await reader.readexactly(1) == b"\0":
                await answer(reader, writer)
        except (OSError, EOFError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield path
    finally:
        server.close()


async def taken(reader: asyncio.StreamReader) -> bytes:
    """What a client streams, as clamd takes it."""
    whole = b""
    while length := int.from_bytes(await reader.readexactly(4), "big"):
        whole += await reader.readexactly(length)
    return whole


async def version_other_than(server: Clamd, before: EngineVersion) -> EngineVersion:
    """What the daemon says, once it says something else."""
    found = before

    async def other() -> bool:
        nonlocal found
        found = await scanner_of(server).version()
        return found != before

    await until(other)
    return found
