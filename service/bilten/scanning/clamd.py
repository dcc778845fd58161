"""ClamAV's daemon, over a unix socket or TCP; whatever it does but say OK or FOUND is `ScanUnavailable`.

The package `clamd` speaks PING and VERSION. INSTREAM is spoken here, on asyncio, for what the package does there, as
measured: `send` where the kernel may take a part, no time limit while connecting, an empty answer returned as None,
raw BrokenPipeError, a text that is cut off taken for a whole one, and wrong verdicts when an object is shared.
A verdict is believed only if every byte was taken and the answer came whole.

VERSION has number and date of ClamAV's own signatures only. Of any other set the stamp in it is asked: see `stamp`.
"""

import asyncio
import re
import socket
import struct
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import clamd

from bilten.scanning import stamp
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.scanner import EngineVersion, Verdict, Word

_CONNECT_S = 5.0
_CONTROL_S = 10.0
#: For how long a version is taken to be still true: older is on the safe side, as it only means another scan.
_VERSION_S = 10.0
_MAX_REPLY_BYTES = 4096
_PIECE_BYTES = 256 * 1024

_FOUND = re.compile(r"stream: (\S.*) FOUND")
_VERSION = re.compile(r"ClamAV (?P<engine>[^/\s]+)(?:/(?P<signatures>\d+)/(?P<made>.+))?")
#: Names that say where the engine stopped looking, not what it found.
_NOT_LOOKED = ("Heuristics.Limits.Exceeded", "Heuristics.Encrypted")


@dataclass(frozen=True)
class Address:
    """A unix socket, or a host and port."""

    path: Path | None = None
    host: str = "127.0.0.1"
    port: int = 3310

    def __str__(self) -> str:
        return str(self.path) if self.path else f"{self.host}:{self.port}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises `OSError`."""
        if self.path:
            return await asyncio.open_unix_connection(self.path)
        return await asyncio.open_connection(self.host, self.port)


class ClamdScanner:
    """At most `concurrency` scans at once, which must be fewer than the daemon's MaxThreads.

    `max_bytes` must be the daemon's StreamMaxLength; `timeout_s` is the longest wait for each step of a scan, and
    longer than the daemon's MaxScanTime.
    """

    def __init__(self, address: Address, *, max_bytes: int, concurrency: int, timeout_s: float) -> None:
        self._address = address
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._slots = asyncio.Semaphore(concurrency)
        self._asking = asyncio.Lock()
        self._known: tuple[float, EngineVersion] | None = None

    async def scan(self, chunks: AsyncIterator[bytes]) -> Verdict:
        """See `Scanner`. Bytes beyond `max_bytes` are never sent: such a file is unscannable."""
        async with self._slots:
            version = await self.version()
            reply = await self._ask(chunks)
        if reply is None:
            return Verdict("unscannable", "Bilten.TooLarge", version.engine, version.signatures)
        word, signature = _judged(reply)
        return Verdict(word, signature, version.engine, version.signatures)

    async def version(self) -> EngineVersion:
        """See `Scanner`."""
        async with self._asking:
            if self._known is None or time.monotonic() > self._known[0] + _VERSION_S:
                self._known = None
                asked = time.monotonic()
                version = await asyncio.to_thread(self._ask_version)
                self._known = (asked, version if version.made_at else await self._stamped(version))
            return self._known[1]

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _stamped(self, version: EngineVersion) -> EngineVersion:
        """Of which signatures and of when, if there is a stamp among them. Raises `ScanUnavailable`."""
        reply = await self._ask(_probe())
        found = stamp.read(_judged(reply)[1]) if reply else None
        return EngineVersion(version.engine, found.digest, found.made_at) if found else version

    async def _ask(self, chunks: AsyncIterator[bytes]) -> str | None:
        """What the daemon says of these bytes; None when there are more than it takes."""
        try:
            async with asyncio.timeout(_CONNECT_S):
                reader, writer = await self._address.connect()
        except (OSError, TimeoutError) as error:
            raise self._unavailable("cannot be reached", error) from error
        try:
            return await self._reply(reader) if await self._send(writer, chunks) else None
        finally:
            # Never linger on a full buffer of a daemon that hangs.
            writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, chunks: AsyncIterator[bytes]) -> bool:
        """Whether all of it was sent; False when it is longer than may be."""
        await self._write(writer, b"zINSTREAM\0")
        sent = 0
        async for chunk in chunks:
            sent += len(chunk)
            if sent > self._max_bytes:
                return False
            for piece in _pieces(chunk):
                await self._write(writer, struct.pack("!I", len(piece)), piece)
        await self._write(writer, bytes(4))
        return True

    async def _write(self, writer: asyncio.StreamWriter, *parts: bytes) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                writer.writelines(parts)
                await writer.drain()
        except (OSError, TimeoutError) as error:
            raise self._unavailable("did not take the file", error) from error

    async def _reply(self, reader: asyncio.StreamReader) -> str:
        try:
            async with asyncio.timeout(self._timeout_s):
                reply = await reader.readuntil(b"\0")
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as error:
            raise self._unavailable("gave no verdict", error) from error
        return reply[:-1].decode(errors="replace").strip()

    def _ask_version(self) -> EngineVersion:
        try:
            said = _Control(self._address).version()
        except (OSError, ValueError, clamd.ClamdError) as error:
            raise self._unavailable("does not say its version", error) from error
        match = _VERSION.fullmatch(said)
        if match is None:
            raise ScanUnavailable(f"The scanner at {self._address} does not say its version: {said[:80]!r}.")
        return EngineVersion(f"clamav {match['engine']}", match["signatures"] or "unnumbered", _date(match["made"]))

    def _unavailable(self, what: str, error: BaseException) -> ScanUnavailable:
        return ScanUnavailable(f"The scanner at {self._address} {what}: {error!r}. The file waits until it does.")


class _Control(clamd.ClamdUnixSocket):  # type: ignore[misc] # the package has no types
    """One command, one connection; made with a time limit and closed when it fails, which the package forgets."""

    def __init__(self, address: Address) -> None:
        super().__init__(str(address.path), _CONTROL_S)
        self._address = address

    def _init_socket(self) -> None:
        address = self._address
        if address.path is None:
            self.clamd_socket = socket.create_connection((address.host, address.port), _CONTROL_S)
            return
        self.clamd_socket = socket.socket(socket.AF_UNIX)
        try:
            self.clamd_socket.settimeout(_CONTROL_S)
            self.clamd_socket.connect(str(address.path))
        except OSError:
            self.clamd_socket.close()
            raise


def _pieces(chunk: bytes) -> Iterator[bytes]:
    """A piece of no bytes would end the stream."""
    return (chunk[at : at + _PIECE_BYTES] for at in range(0, len(chunk), _PIECE_BYTES))


async def _probe() -> AsyncIterator[bytes]:
    yield stamp.PROBE


def _judged(reply: str) -> tuple[Word, str | None]:
    if reply == "stream: OK":
        return "clean", None
    found = _FOUND.fullmatch(reply)
    if found is None:
        raise ScanUnavailable(f"The scanner gave no verdict: {reply[:200]!r}. The file waits until it does.")
    return "unscannable" if found[1].startswith(_NOT_LOOKED) else "infected", found[1]


def _date(said: str | None) -> datetime | None:
    """Of `Sun Nov 22 08:21:14 2026`: a daemon says it in its own zone, which is UTC wherever containers run."""
    try:
        return datetime.strptime(said, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC) if said else None
    except ValueError:
        return None
