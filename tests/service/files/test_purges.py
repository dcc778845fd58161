"""What is removed is gone from the object store and from the CDN, and neither of them waits for the other."""

import socket
from pathlib import Path

import aiohttp
from bilten.local import ports
from bilten.local.family import Family
from fixtures import machine
from fixtures.cache import TOKEN, Cache, varnish_before
from pydantic import HttpUrl, SecretStr
from support.house import House, OpenHouse, letter
from support.jobs import until
from yarl import URL

BASE = "http://bilten.example.test"
PDF = {"name": "letter.pdf", "media_type": "application/pdf", "visibility": "public"}


def nobody() -> str:
    """An address at which nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def before_it(cdn: str) -> dict[str, object]:
    """Settings of a worker that is to tell this CDN."""
    return {"cdn_base_url": cdn, "cdn_purge": "urls", "cdn_purge_token": SecretStr(TOKEN)}


async def deleted(house: House) -> str:
    """A file that was found clean and then deleted: its path. Its bytes and what a CDN has of it are still there."""
    token = await house.api.as_user()
    async with house.working():
        file = await house.clean(token, letter(), **PDF)
        await house.idle()
    assert (await house.api.delete(f"/files/{file['id']}", token=token)).status == 200
    path: str = file["url"].removeprefix(BASE)
    return path


async def failed_once(house: House) -> bool:
    failed = "last_error is not null and finished_at is null and kind like 'files.%'"
    return bool(await house.api.db.fetchval(f"select count(*) from jobs where {failed}"))  # noqa: S608 a constant


async def test_a_cdn_that_nobody_tells_to_forget_keeps_a_file_for_ten_seconds(open_house: OpenHouse):
    house = await open_house(cdn_base_url=HttpUrl("https://cdn.example.com"))
    token = await house.api.as_user()
    async with house.working():
        file = await house.clean(token, letter(), **PDF)
    answer, _ = await house.fetch(file["url"].removeprefix("https://cdn.example.com"))
    assert answer.headers["Cache-Control"] == "public, max-age=10"


async def test_what_the_store_does_not_remove_is_forgotten_by_the_cdn(house: House, cache: Cache):
    path = await deleted(house)
    assert [await cache.get(path) for _ in range(2)] == ["MISS", "HIT"]

    async def forgotten() -> bool:
        return await cache.get(path) == "MISS"

    async with house.working(s3_endpoint=HttpUrl(nobody()), **before_it(cache.url)):
        await until(lambda: failed_once(house))
        await until(forgotten, within_s=30)
    assert len((await house.keys())["media"]) == 1


async def test_what_the_cdn_does_not_forget_is_removed_from_the_store(house: House):
    await deleted(house)

    async def removed() -> bool:
        return not (await house.keys())["media"]

    async with house.working(**before_it(nobody())):
        await until(lambda: failed_once(house))
        await until(removed, within_s=30)


async def test_a_cache_keeps_a_file_under_no_address_that_is_not_purged(
    open_house: OpenHouse, family: Family, tmp_path: Path
):
    machine.require("varnish")
    (port,) = ports.pick(1)
    base = f"http://127.0.0.1:{port}"
    house = await open_house(cdn_base_url=base, cdn_purge="urls", cdn_purge_token=SecretStr(TOKEN))
    token, origin = await house.api.as_user(), URL(house.api.url).port
    assert origin is not None
    async with varnish_before(origin, family, tmp_path, port=port), house.working():
        path = (await house.clean(token, letter(), **PDF))["url"].removeprefix(base)
        odd = path.replace("/uploads/", "/uploads/%66").replace("files", "iles", 1)
        others = [f"/api/v1{path}", f"/v1{path}", f"/api{path}", f"{path}?w=1", odd]
        for each in (path, *others):
            answers = [await ask(base + each) for _ in range(2)]
            kept = "HIT" if each == path else "MISS"
            assert answers == [(200, "MISS"), (200, kept)], each
        file_id = (await house.api.get("/files", token=token)).data["files"][0]["id"]
        assert (await house.api.delete(f"/files/{file_id}", token=token)).status == 200
        await house.idle()
        for each in (path, *others):
            assert (await ask(base + each))[0] == 404, each


async def ask(url: str) -> tuple[int, str]:
    asked = URL(url, encoded=True)
    async with aiohttp.ClientSession() as session, session.get(asked) as answer:
        await answer.read()
        return answer.status, answer.headers["X-Cache"]
