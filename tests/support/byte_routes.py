"""Endpoints of no domain that take forms and answer bytes, and a server of them alone."""

import asyncio
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import aiohttp
from aiohttp import web
from bilten.settings import Settings
from bilten.web import cors, docs, headers, openapi, routing
from bilten.web.answers import Answer
from bilten.web.endpoint import endpoint, endpoints_of
from bilten.web.errors import BadRequest, ServiceUnavailable, UnsupportedMediaType
from bilten.web.forms import FileField, Refusals, Upload
from bilten.web.keys import SERVICES, SETTINGS, SPOOL
from bilten.web.serve import Download
from bilten.web.server import ApiRunner
from bilten.web.spelling import Form, Query
from bilten.web.spelling import Path as PathModel
from bilten.web.spool import Spool
from fixtures.api import ORIGIN, Reply, make_settings
from pydantic import Field
from support.jobs import until

#: Of one file.
LIMIT = 256 * 1024
CHANGED_AT = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
CONTENT = bytes(range(32, 127)) * 11 + b"the end"


class Texts(Form):
    """The fields beside the file."""

    folder: str = "/"
    alt_text: str | None = None
    tags: list[str] = Field(default_factory=list)
    visibility: Literal["private", "public"] = "private"


class Number(Query):
    """Something to be wrong about."""

    wait: float = 0


class Received(Answer):
    """What came, and what of it lies on the disk."""

    texts: dict[str, Any]
    files: dict[str, list[dict[str, Any]]]
    stored: list[str]


class Which(PathModel):
    """How the bytes behave."""

    how: Literal["whole", "short", "long", "broken", "gone", "empty", "pieces"]


ONE = FileField("file", lambda _: LIMIT, media_types=("image/png",))
HUGE = FileField("file", lambda _: 2**30)
PICTURES = FileField(
    "images",
    lambda _: LIMIT,
    most=3,
    media_types=("image/jpeg", "image/png"),
    refusals=Refusals(
        missing=lambda: BadRequest("No image files provided", code="NO_FILE"),
        too_many=lambda: BadRequest("Too many files. Maximum is 3 files.", code="TOO_MANY_FILES"),
        too_large=lambda limit: BadRequest(f"File too large. Maximum size is {limit} bytes.", code="FILE_TOO_LARGE"),
    ),
)


#: How files begin that say what they are.
_BEGIN = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff"}


def _received(upload: Upload[Texts]) -> Received:
    paths = [file.path for files in upload.files.values() for file in files]
    return Received(
        texts=upload.form.model_dump(),
        files={
            name: [
                {"name": file.name, "media_type": file.media_type, "size": file.size, "sha256": file.sha256}
                for file in files
            ]
            for name, files in upload.files.items()
        },
        stored=[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths],
    )


@endpoint("POST", "/one", summary="One file", status=201, files=[ONE])
async def take_one(upload: Upload[Texts], query: Number) -> Received:  # noqa: ARG001 it may be wrong
    return _received(upload)


@endpoint(
    "POST", "/guarded", summary="One file of an organizer", auth="organizer", status=201, files=[ONE], creates=True
)
async def take_guarded(upload: Upload[Texts], query: Number) -> Received:  # noqa: ARG001 it may be wrong
    return _received(upload)


@endpoint("POST", "/pictures", summary="Some pictures", files=[PICTURES])
async def take_pictures(upload: Upload[Texts]) -> Received:
    for file in upload.files["images"]:
        begin = _BEGIN.get(file.media_type, b"")
        if not file.path.read_bytes().startswith(begin):
            raise UnsupportedMediaType("This is no picture")
    return _received(upload)


@endpoint("POST", "/huge", summary="A file of any size", files=[HUGE])
async def take_huge(upload: Upload[Texts]) -> Received:
    (file,) = upload.files["file"]
    await upload.release()
    return Received(texts={}, files={"file": [{"size": file.size, "sha256": file.sha256}]}, stored=[])


@dataclass
class Opened:
    """What was asked of the source of the bytes."""

    calls: list[tuple[int, int]] = field(default_factory=list)
    sent: int = 0
    closed: int = 0


OPENED = Opened()


async def _bytes(how: str, offset: int, length: int) -> AsyncIterator[bytes]:
    OPENED.calls.append((offset, length))
    try:
        if how == "gone":
            raise ServiceUnavailable("The object store does not answer right now. Try again in a moment.")
        given = CONTENT[offset : offset + length]
        size = 100 if how == "pieces" else 500
        for start in range(0, len(given), size):
            if start and how in ("short", "broken"):
                if how == "broken":
                    raise OSError("The store hung up")
                return
            yield given[start : start + size]
        if how == "long":
            yield b"and more"
    finally:
        OPENED.closed += 1


@endpoint("GET", "/public/{how}", summary="A public file", media_types=["image/png"])
async def show_public(path: Which) -> Download:
    size = 0 if path.how == "empty" else len(CONTENT)
    return Download(
        open=lambda offset, length: _bytes(path.how, offset, length),
        size=size,
        media_type="image/png",
        etag="v1",
        last_modified=CHANGED_AT,
        filename="poster.png",
        inline=True,
        immutable=True,
    )


@endpoint("GET", "/private", summary="A private file", media_types=["application/pdf"])
async def show_private() -> Download:
    return Download(
        open=lambda offset, length: _bytes("whole", offset, length),
        size=len(CONTENT),
        media_type="application/pdf",
        etag="v1",
        filename='Über "alles"\r\nSet-Cookie: a=b.pdf',
        immutable=False,
    )


async def _endless() -> AsyncIterator[bytes]:
    try:
        while True:
            OPENED.sent += 1024 * 1024
            yield bytes(1024 * 1024)
            await asyncio.sleep(0)
    finally:
        OPENED.closed += 1


@endpoint("GET", "/endless", summary="More than anybody reads", media_types=["application/pdf"])
async def show_endless() -> Download:
    return Download(
        open=lambda _offset, _length: _endless(),
        size=2**40,
        media_type="application/pdf",
        etag="v1",
        immutable=False,
    )


@endpoint("GET", "/ping", summary="Whether the loop turns")
async def ping() -> Answer:
    return Answer()


@dataclass
class ByteServer:
    """A running server of these endpoints, and a client of it."""

    url: str
    base: str
    spool: Spool
    folder: Path
    session: aiohttp.ClientSession

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        async with self.session.request(method, self.base + path, **options) as response:
            return Reply(response.status, response.headers, (await response.read()).decode("latin-1"))

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.request("POST", path, **options)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.request("GET", path, **options)

    def left(self) -> list[Path]:
        """What lies in the spool."""
        return [path for path in self.folder.glob("*/*") if path.name != "lock"]

    async def has_nothing_left(self) -> None:
        """Return when the spool is empty: a moment after a client that gave up. Raises `TimeoutError`."""
        await until(lambda: not self.left() and not self.spool.reserved, within_s=10)


def byte_settings(folder: Path, **overrides: Any) -> Settings:
    """Settings of a server that has no database."""
    # How large files may be is said here, and not by these settings, which the spool has to have room for.
    values = {"spool_dir": folder, "shutdown_grace_s": 0.5, "max_image_bytes": 1, "max_document_bytes": 1}
    return make_settings("postgresql://nobody@127.0.0.1:1/none", **values | overrides)


@asynccontextmanager
async def byte_server(folder: Path, **overrides: Any) -> AsyncIterator[ByteServer]:
    """The endpoints of this file behind everything that stands before those of the API, but for limits and tokens."""

    settings = byte_settings(folder, **overrides)
    app = web.Application()
    app[SETTINGS] = settings
    app[SERVICES] = None
    app[SPOOL] = Spool(settings.spool_dir, settings.spool_bytes, rooms_each=settings.uploads_at_once)
    cors.setup(app, origins=[ORIGIN], outage_drops_cors=False)
    headers.setup(app)
    endpoints = endpoints_of(sys.modules[__name__])
    routing.add(app, endpoints)
    docs.setup(app, lambda: openapi.document(endpoints))

    async def run(app: web.Application) -> AsyncIterator[None]:
        await app[SPOOL].open()
        yield
        await app[SPOOL].close()

    app.cleanup_ctx.append(run)
    runner = ApiRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    OPENED.calls.clear()
    OPENED.sent = OPENED.closed = 0
    try:
        async with aiohttp.ClientSession() as session:
            yield ByteServer(url, f"{url}/api/v1", app[SPOOL], folder, session)
    finally:
        await runner.cleanup()
