"""Bytes to and from the object store, on the event loop: signed addresses of the `minio` package, aiohttp's streams.

A thread for each transfer would be held for as long as the slowest client reads; a stream here costs a socket and less
than a megabyte. And what is signed by its address need not be hashed before it is sent.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

import aiohttp
from minio import Minio
from yarl import URL

from bilten.objects.errors import NoSuchObject, StoreUnavailable
from bilten.settings import Settings

#: What is held of a file at a time.
CHUNK_BYTES = 512 * 1024
#: Bytes a second below which a store counts as failed; the other side's slowness does not count.
SLOWEST = 64 * 1024
#: How often a request is made whose failure may be a passing one, and the pause before the second, in seconds.
_TRIES = 3
_PAUSE_S = 0.1
#: Enough of an answer that is no object: a list of 1,000 uploads.
_MOST_TOLD = 4 * 1024 * 1024
#: Objects read at a time, and other calls at a time; one more waits as long as for a connection. Apart, so that readers
#: who take their time keep nobody from writing.
_AT_ONCE = 512
_SIGNED_FOR = timedelta(minutes=15)
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_CODE = re.compile(rb"<Code>([A-Za-z0-9]{1,80})</Code>")

T = TypeVar("T")


class Place(NamedTuple):
    """An object, or where one may be."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Reply:
    """An answer that is no object, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """What the store calls the error."""
        found = _CODE.search(self.body)
        return found[1].decode() if found else f"status {self.status}"


@dataclass(frozen=True)
class Part:
    """Bytes of an open file."""

    fd: int
    offset: int
    length: int


class Body:
    """An object, or a range of it, that is being read. `size` counts this answer's bytes, `total` the object's."""

    def __init__(self, answer: aiohttp.ClientResponse, place: Place, size: int, total: int, patience_s: float) -> None:
        self.size = size
        self.total = total
        self.etag = answer.headers.get("ETag", "").strip('"')
        self._answer = answer
        self._place = place
        self._patience_s = patience_s

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """All of them, once. Raises `StoreUnavailable` when the store stops, crawls or gives other than `size`."""
        got = 0
        waited = 0.0
        while True:
            began = time.monotonic()
            try:
                chunk = await self._answer.content.readany()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise failed("reading", self._place, type(error).__name__) from None
            waited += time.monotonic() - began
            got += len(chunk)
            if waited > self._patience_s + got / SLOWEST:
                raise failed("reading", self._place, f"{got} bytes in {waited:.0f} s")
            if not chunk:
                break
            yield chunk
        if got != self.size:
            raise failed("reading", self._place, f"{got} of {self.size} bytes")


class Transfer:
    """Streams of one process. `signer` signs, `executor` reads files."""

    def __init__(self, settings: Settings, signer: Minio, executor: Executor) -> None:
        self._signer = signer
        self._executor = executor
        self._patience_s = settings.s3_read_timeout_s
        self._timeout = aiohttp.ClientTimeout(
            connect=2 * settings.s3_connect_timeout_s,
            sock_connect=settings.s3_connect_timeout_s,
            sock_read=settings.s3_read_timeout_s,
        )
        self._readers: aiohttp.ClientSession | None = None
        self._others: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make connections possible."""
        self._readers, self._others = self._make_session(), self._make_session()

    async def close(self) -> None:
        """End them."""
        for session in (self._readers, self._others):
            if session is not None:
                await session.close()

    def _make_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_AT_ONCE), timeout=self._timeout, auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=CHUNK_BYTES // 2,
            skip_auto_headers=["Content-Type"],
        )  # fmt: skip

    @asynccontextmanager
    async def get(self, place: Place, offset: int, length: int | None, if_etag: str | None) -> AsyncIterator[Body]:
        """Begin to read. Raises `NoSuchObject`, or `StoreUnavailable`, also when other bytes come than asked for."""
        headers = {"Accept-Encoding": "identity"}
        if offset or length is not None:
            headers["Range"] = f"bytes={offset}-{'' if length is None else offset + length - 1}"
        if if_etag is not None:
            headers["If-Match"] = f'"{if_etag}"'
        answer = await self._again("reading", place, lambda: self._begin("GET", place, {}, headers, None))
        try:
            if not isinstance(answer, aiohttp.ClientResponse):
                raise NoSuchObject(*place) if answer.code == "NoSuchKey" else failed("reading", place, answer.code)
            size, total = _announced(answer, place, offset, length, ranged="Range" in headers)
            yield Body(answer, place, size, total, self._patience_s)
        finally:
            if isinstance(answer, aiohttp.ClientResponse):
                answer.close()  # of an answer read to its end the connection has been given back by then

    async def send(
        self, what: str, method: str, place: Place, *,
        query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None,
        body: bytes | Part | None = None,
    ) -> Reply:  # fmt: skip
        """Make a request that can be repeated; returns refusals too. Raises `StoreUnavailable` when unheard."""
        size = body.length if isinstance(body, Part) else len(body or b"")

        async def once() -> aiohttp.ClientResponse | Reply:
            async with asyncio.timeout(self._patience_s + size / SLOWEST):
                answer = await self._begin(method, place, query or {}, headers or {}, body)
                return answer if isinstance(answer, Reply) else await _read(answer)

        reply = await self._again(what, place, once)
        assert isinstance(reply, Reply)  # noqa: S101 - once() has read it
        return reply

    async def _begin(
        self, method: str, place: Place, query: Mapping[str, str], headers: Mapping[str, str], body: bytes | Part | None
    ) -> aiohttp.ClientResponse | Reply:
        """The answer of an object, unread, or of anything else, read."""
        of_object = method == "GET" and not query
        session = self._readers if of_object else self._others
        if session is None:
            raise RuntimeError("the object store was not opened")
        url = self._signer.get_presigned_url(
            method, place.bucket, place.key, expires=_SIGNED_FOR, extra_query_params=dict(query)
        )
        sent = dict(headers)
        data: bytes | AsyncIterator[bytes] | None = body if isinstance(body, bytes) else None
        if isinstance(body, Part):
            sent["Content-Length"] = str(body.length)
            data = self._pieces(body)
        answer = await session.request(method, URL(url, encoded=True), data=data, headers=sent, allow_redirects=False)
        try:
            return answer if of_object and answer.status in {200, 206} else await _read(answer)
        except BaseException:
            answer.close()
            raise

    async def _pieces(self, part: Part) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        position, end = part.offset, part.offset + part.length
        while position < end:
            wanted = min(CHUNK_BYTES, end - position)
            piece = await loop.run_in_executor(self._executor, os.pread, part.fd, wanted, position)
            if not piece:
                raise EOFError("The file became shorter while it was sent.")
            position += len(piece)
            yield piece

    async def _again(self, what: str, place: Place, once: Callable[[], Awaitable[T]]) -> T:
        """Try until it is answered. What a store says of its own troubles is one more failure."""
        for tried in range(1, _TRIES + 1):
            try:
                answer = await once()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                reason = type(error).__name__
            else:
                if not (isinstance(answer, Reply) and answer.status in _PASSING):
                    return answer
                reason = answer.code
            if tried < _TRIES:
                await asyncio.sleep(_PAUSE_S * 4 ** (tried - 1))
        raise failed(what, place, reason)


async def _read(answer: aiohttp.ClientResponse) -> Reply:
    async with answer:
        body = bytearray()
        async for chunk in answer.content.iter_any():
            body += chunk
            if len(body) > _MOST_TOLD:
                raise aiohttp.ClientPayloadError("the answer has no end")
        return Reply(answer.status, answer.headers, bytes(body))


def _announced(
    answer: aiohttp.ClientResponse, place: Place, offset: int, length: int | None, *, ranged: bool
) -> tuple[int, int]:
    """How many bytes will come, of how many. Raises `StoreUnavailable` when they are not those asked for."""
    size = answer.content_length
    if size is None:
        raise failed("reading", place, "no Content-Length")
    if not ranged:
        return size, size
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != 206 or found is None:  # noqa: PLR2004 - Partial Content
        raise failed("reading", place, "a whole object for a range")
    first, last, total = map(int, found.groups())
    expected = total - 1 if length is None else min(offset + length, total) - 1
    if (first, last) != (offset, expected) or size != last - first + 1:
        raise failed("reading", place, "another range than asked for")
    return size, total


def failed(what: str, place: Place, reason: str) -> StoreUnavailable:
    """The error of a call that did not do what it was for."""
    return StoreUnavailable(
        f"The object store failed while {what} {place.bucket}/{place.key} ({reason}). It is tried again later; if it "
        "goes on, look at the store and at BILTEN_S3_*."
    )
