"""Pictures that the frontends upload, ask for and delete."""

import io
from collections.abc import AsyncIterator
from functools import partial
from urllib.parse import urlsplit

from contract.scenarios import refuses, succeeds
from contract.world import Part, Reply, World
from PIL import Image

PROFILE, EVENT, GALLERY = "/uploads/profile-image", "/uploads/event-image", "/uploads/event-gallery"
#: Every upload's field, by its path.
FIELDS = {PROFILE: "image", EVENT: "image", GALLERY: "images"}
MAX_BYTES = 5 * 1024 * 1024
MOST = 10


def picture(kind: str = "JPEG", colour: str = "teal") -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind)
    return out.getvalue()


def part(path: str, content: bytes | None = None, **more: str) -> Part:
    """A picture in the field of that upload."""
    return Part(FIELDS[path], picture() if content is None else content, **more)


async def uploaded(world: World, token: str, path: str = EVENT) -> str:
    """The address of a picture that has just been uploaded."""
    reply = await world.send("POST", path, files=[part(path)], token=token)
    assert reply.status == 200, reply.body
    url: str = reply.body["data"]["url"]
    return url


async def _one(world: World, path: str) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for kind in ("JPEG", "PNG", "WebP"):
        named = {"name": f"mine.{kind.lower()}", "media_type": f"image/{kind.lower()}"}
        yield await world.send("POST", path, files=[part(path, picture(kind), **named)], token=token)


@succeeds("U POST /uploads/profile-image")
async def profile_image(world: World) -> AsyncIterator[Reply]:
    async for reply in _one(world, PROFILE):
        yield reply


@succeeds("U POST /uploads/event-image")
async def event_image(world: World) -> AsyncIterator[Reply]:
    async for reply in _one(world, EVENT):
        yield reply


@succeeds("U POST /uploads/event-gallery")
async def event_gallery(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for count in (1, 2):
        reply = await world.send("POST", GALLERY, files=[part(GALLERY)] * count, token=token)
        assert reply.body["data"]["count"] == len(reply.body["data"]["files"]) == count
        yield reply


@succeeds("U GET /uploads/optimize")
async def optimize(world: World) -> AsyncIterator[Reply]:
    url = await uploaded(world, (await world.person()).token)
    elsewhere = "https://photos.example.com/a.jpg?w=800"
    for asked in (
        {"url": url},
        {"url": url, "width": "600", "height": "600", "quality": "90", "format": "webp", "fit": "cover"},
        {"url": elsewhere, "width": "150", "height": "150", "quality": "80", "format": "webp"},
    ):
        reply = await world.send("GET", "/uploads/optimize", query=asked)
        assert (reply.body["data"]["optimized_url"] == elsewhere) == (asked["url"] == elsewhere)
        yield reply


@succeeds("U DELETE /uploads/delete")
async def delete(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    url = await uploaded(world, token)
    yield await world.send("DELETE", "/uploads/delete", json={"fileUrl": url}, token=token)
    assert (await world.fetch(urlsplit(url).path))[0] == 404


async def no_picture(world: World, path: str) -> AsyncIterator[Reply]:
    yield await world.send("POST", path, files=[], token=(await world.person()).token)


async def no_picture_at_all(world: World, path: str) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for wrong in (
        part(path, picture("GIF"), name="a.gif", media_type="image/gif"),
        part(path, b"%PDF-1.7 and so on", name="a.pdf", media_type="application/pdf"),
    ):
        yield await world.send("POST", path, files=[wrong], token=token)


async def too_large(world: World, path: str) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    yield await world.send("POST", path, files=[part(path, bytes(MAX_BYTES + 1))], token=token)


for _path in FIELDS:
    for _error, _scenario in (
        ("NO_FILE", no_picture),
        ("INVALID_FILE_TYPE", no_picture_at_all),
        ("FILE_TOO_LARGE", too_large),
    ):
        refuses(_error, f"U POST {_path}")(partial(_scenario, path=_path))


@refuses("TOO_MANY_FILES", "U POST /uploads/event-gallery")
async def too_many(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    yield await world.send("POST", GALLERY, files=[part(GALLERY)] * (MOST + 1), token=token)


@refuses("VALIDATION_ERROR", "U GET /uploads/optimize")
async def of_no_picture(world: World) -> AsyncIterator[Reply]:
    for query in ({}, {"url": ""}, {"width": "600"}):
        yield await world.send("GET", "/uploads/optimize", query=query)


@refuses("VALIDATION_ERROR", "U DELETE /uploads/delete")
async def delete_nothing(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for body in ({}, {"fileUrl": ""}, {"fileUrl": None}):
        yield await world.send("DELETE", "/uploads/delete", json=body, token=token)


@refuses("NOT_FOUND", "U DELETE /uploads/delete")
async def delete_what_is_not_there(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for url in ("https://photos.example.com/a.jpg", "/uploads/events/nothing.jpg", "not an address"):
        yield await world.send("DELETE", "/uploads/delete", json={"fileUrl": url}, token=token)


@refuses("FORBIDDEN", "U DELETE /uploads/delete")
async def delete_anothers(world: World) -> AsyncIterator[Reply]:
    url = await uploaded(world, (await world.person()).token)
    other = (await world.person()).token
    yield await world.send("DELETE", "/uploads/delete", json={"fileUrl": url}, token=other)
    assert (await world.fetch(urlsplit(url).path))[0] == 200
