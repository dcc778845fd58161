"""multipart/form-data in one pass from the socket into the spool: within its bytes, within its time, or not at all."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import multipart as parts
from aiohttp import hdrs, web

from bilten.settings import Settings
from bilten.web.errors import ApiError, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from bilten.web.form_reader import Arrived, FormReader, refusal
from bilten.web.forms import FormSpec
from bilten.web.spool import Room, Spool

MEDIA_TYPE = "multipart/form-data"
#: RFC 2046 §5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
#: For each of so many bytes an upload may take a second more.
_BYTES_PER_S = 64 * 1024


def check(request: web.Request, spec: FormSpec, settings: Settings) -> str:
    """The boundary of a form that may be read. Raises 413, then 415, then 400, before a byte of the body is read."""
    if request.content_length is not None and request.content_length > spec.most_bytes(settings):
        raise _too_large(spec, settings)
    if hdrs.CONTENT_ENCODING in request.headers:
        raise UnsupportedMediaType("Send the body without Content-Encoding")
    if request.content_type != MEDIA_TYPE:
        raise UnsupportedMediaType(f"Send the body as {MEDIA_TYPE}")
    _, options = parts.parse_options_header(request.headers.get(hdrs.CONTENT_TYPE, ""))
    boundary: str = options.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise refusal("invalid_boundary", "The content type must name a boundary of 1 to 70 characters (RFC 2046)")
    return boundary


@asynccontextmanager
async def receive(
    request: web.Request,
    spec: FormSpec,
    boundary: str,
    *,
    spool: Spool,
    settings: Settings,
    user_id: UUID | None,
) -> AsyncIterator[tuple[Arrived, Room]]:
    """Read the form; its files are there until the block ends.

    Raises 400, 408, 413, 415, 429 or 503, and leaves nothing behind then.
    """
    length = request.content_length
    async with spool.room(length, user_id=user_id) as room:
        reader = FormReader(spec, boundary, room, settings)
        try:
            async with asyncio.timeout(settings.upload_total_s) as total:
                while chunk := await _next(request, settings.upload_idle_s):
                    # Every byte is part of a file, of a text or of what is between them, and each of these has a bound.
                    await reader.read(chunk)
                    # Time is given for what has come, not for what was announced, so that nobody holds room by words.
                    total.reschedule((total.when() or 0) + len(chunk) / _BYTES_PER_S)
                reader.end()
        except TimeoutError:
            raise RequestTimeout from None
        yield reader.form, room


async def _next(request: web.Request, idle_s: float) -> bytes:
    async with asyncio.timeout(idle_s):
        return await request.content.readany()


def _too_large(spec: FormSpec, settings: Settings) -> ApiError:
    for file in spec.files:
        return file.too_large(file.at_most_bytes(settings))
    return PayloadTooLarge(f"The body is larger than {spec.most_bytes(settings)} bytes")
