"""Endpoints that answer bytes: a handler says what they are and how they are opened, and all of HTTP is done here.

    @endpoint("GET", "/files/{file_id}/content", summary="The file", media_types=["image/webp", "application/pdf"])
    async def content(services: Services, path: FilePath) -> Download:
        return Download(size=…, media_type=…, etag=…, keep=False, open=lambda offset, length: store.get(…))

The length is always said and never passed over: who gets fewer bytes sees the connection break off.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from bilten.web import ranges
from bilten.web.disposition import content_disposition
from bilten.web.errors import ServiceUnavailable
from bilten.web.keys import SETTINGS

log = structlog.get_logger("bilten.http")

#: (offset, length) → exactly so many bytes from there on, in chunks. Raises before the first chunk what is answered
#: as an error; later errors break the connection off.
Opener = Callable[[int, int], AsyncIterator[bytes]]

#: What is handed to the connection at once, in bytes: with what the kernel holds, all that a slow reader costs.
SLICE = 64 * 1024
#: A year: the longest that caches agree on (RFC 2616 §14.21). The address of such a file changes with its bytes.
_FOR_EVER = "public, max-age=31536000, immutable"
_NEVER = "private, no-store"


@dataclass(frozen=True, kw_only=True)
class Download:
    """Bytes to answer with."""

    open: Opener
    size: int
    media_type: str
    #: Strong, without its quotes: other bytes have another.
    etag: str
    #: Whether anybody may keep it for ever; else nobody may keep it.
    immutable: bool
    #: The one target, path and query as sent, under which it is: caches that are told what to forget by its address
    #: would go on showing it under others. None: under any.
    only_at: str | None = None
    last_modified: datetime | None = None
    #: What a browser saves it as; any text.
    filename: str | None = None
    #: Whether a browser may show it; else it saves it.
    inline: bool = False
    #: What else a cache is to know of it.
    more: Mapping[str, str] = field(default_factory=dict)

    def headers(self) -> dict[str, str]:
        """What goes with it, whether all of it is sent, a part, or nothing."""
        headers = {
            hdrs.ETAG: f'"{self.etag}"',
            hdrs.CACHE_CONTROL: _FOR_EVER if self.immutable else _NEVER,
            hdrs.ACCEPT_RANGES: "bytes",
            hdrs.CONTENT_DISPOSITION: content_disposition(self.filename, inline=self.inline),
            # Uploaded by strangers: were it ever taken for a page, nothing in it would run.
            "Content-Security-Policy": "sandbox; default-src 'none'",
            **self.more,
        }
        if self.last_modified is not None:
            headers[hdrs.LAST_MODIFIED] = format_datetime(self.last_modified.astimezone(UTC), usegmt=True)
        return headers


async def respond(request: web.Request, download: Download) -> web.StreamResponse:
    """The response to a GET or HEAD. Raises 412, 416, and whatever `open` raises before its first byte."""
    if download.only_at not in (None, request.raw_path):
        download = replace(download, immutable=False)
    tag, headers = f'"{download.etag}"', download.headers()
    if ranges.not_modified(request, tag, download.last_modified):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    span = ranges.wanted(request, download.size, tag, download.last_modified)
    headers[hdrs.CONTENT_TYPE] = download.media_type
    status = HTTPStatus.OK
    if span is None:
        span = ranges.Span(0, download.size)
    else:
        status = HTTPStatus.PARTIAL_CONTENT
        headers[hdrs.CONTENT_RANGE] = f"bytes {span.offset}-{span.offset + span.length - 1}/{download.size}"
    headers[hdrs.CONTENT_LENGTH] = str(span.length)
    if request.method == hdrs.METH_HEAD or not span.length:
        return web.Response(status=status, headers=headers)
    body = download.open(span.offset, span.length)
    # Before the status is sent: what cannot be opened is still an error in our shape.
    first = await anext(body, b"")
    if not first:
        raise ServiceUnavailable("The file cannot be read right now. Try again in a moment.")
    return _Stream(
        first, body, span.length, stall_s=request.app[SETTINGS].download_stall_s, status=status, headers=headers
    )


class _Stream(web.StreamResponse):
    """Sends what comes of an iterator, as fast as the reader reads."""

    def __init__(
        self,
        first: bytes,
        rest: AsyncIterator[bytes],
        length: int,
        *,
        stall_s: float,
        status: int,
        headers: dict[str, str],
    ) -> None:
        super().__init__(status=status, headers=headers)
        self._first = first
        self._rest = rest
        self._length = length
        self._stall_s = stall_s

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the headers, then the body. The connection is broken off where that cannot be done whole."""
        try:
            writer = await super().prepare(request)
            await self._send(self._first)
            self._first = b""
            async for chunk in self._rest:
                await self._send(chunk)
            self._check_end()
        except BaseException as error:
            if request.transport is not None:
                request.transport.abort()
            if isinstance(error, asyncio.CancelledError | ConnectionError):
                raise
            log.warning("download_broken_off", path=request.path[:200], reason=f"{type(error).__name__}: {error}"[:500])
            raise ConnectionResetError("The download was broken off") from None
        finally:
            if isinstance(self._rest, AsyncGenerator):
                with contextlib.suppress(Exception):
                    await self._rest.aclose()
        return writer

    def _check_end(self) -> None:
        if self._length:
            raise EOFError(f"{self._length} bytes are missing")

    async def _send(self, chunk: bytes) -> None:
        self._length -= len(chunk)
        if self._length < 0:
            raise EOFError(f"{-self._length} bytes too many")
        for offset in range(0, len(chunk), SLICE):
            async with asyncio.timeout(self._stall_s):
                await self.write(chunk[offset : offset + SLICE])
