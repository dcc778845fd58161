"""What is removed is gone from the object store and from the CDN, and neither of them waits for the other."""

import socket

from fixtures.cache import TOKEN, Cache
from pydantic import HttpUrl, SecretStr
from support.house import House, letter
from support.jobs import until

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
