"""Objects on real stores: written once, read in ranges, listed in pages, removed."""

import asyncio
import os
import threading
import uuid
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bilten.local.objectstore import S3Address
from bilten.objects import transfer
from bilten.objects.errors import NoSuchObject, StoreUnavailable
from bilten.objects.multipart import PART_BYTES
from bilten.objects.transfer import Place
from support.buckets import Bucket, OpenBucket

#: Two parts and a bit, so that the last is shorter.
LARGE = os.urandom(1024) * (2 * PART_BYTES // 1024 + 1)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


async def read(bucket: Bucket, key: str, **options: int) -> bytes:
    return b"".join([chunk async for chunk in bucket.store.get(bucket.name, key, **options)])


async def test_what_was_put_is_read_back_with_its_type_and_size(bucket: Bucket):
    assert await bucket.store.put_bytes(bucket.name, "a/b c+d é.txt", b"content", "text/plain")
    found = await bucket.store.stat(bucket.name, "a/b c+d é.txt")
    assert (found.key, found.size, found.media_type) == ("a/b c+d é.txt", 7, "text/plain")
    assert abs(datetime.now(UTC) - found.modified) < timedelta(minutes=1)
    assert await read(bucket, "a/b c+d é.txt") == b"content"


async def test_an_empty_object_is_an_object(bucket: Bucket, tmp_path: Path):
    (tmp_path / "empty").touch()
    assert await bucket.store.put_file(bucket.name, "empty", tmp_path / "empty", "text/plain")
    assert (await bucket.store.stat(bucket.name, "empty")).size == 0
    assert await read(bucket, "empty") == b""


async def test_a_file_of_several_parts_arrives_whole(bucket: Bucket, large: Path):
    assert await bucket.store.put_file(bucket.name, "large", large, "application/pdf")
    found = await bucket.store.stat(bucket.name, "large")
    assert (found.size, found.media_type) == (len(LARGE), "application/pdf")
    assert await read(bucket, "large") == LARGE
    assert await bucket.store.abort_incomplete(bucket.name, timedelta(days=-1)) == 0


async def test_readers_who_take_their_time_keep_nobody_from_writing(
    object_store: S3Address, open_bucket: OpenBucket, large: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(transfer, "_AT_ONCE", 2)
    bucket = await open_bucket(object_store, s3_connect_timeout_s=1)
    await bucket.store.put_file(bucket.name, "large", large, "application/pdf")
    async with AsyncExitStack() as slow:
        for _ in range(2):
            await slow.enter_async_context(bucket.store.reading(bucket.name, "large"))
        with pytest.raises(StoreUnavailable):
            await read(bucket, "large")
        assert await bucket.store.put_bytes(bucket.name, "small", b"content", "text/plain")


async def test_an_object_is_never_written_over(bucket: Bucket, large: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.write_bytes(b"other")
    for key, path, content in (("small", other, b"other"), ("large", large, LARGE)):
        assert await bucket.store.put_file(bucket.name, key, path, "text/plain")
        assert not await bucket.store.put_file(bucket.name, key, path, "text/plain")
        assert not await bucket.store.put_file(bucket.name, key, large, "text/plain")
        assert not await bucket.store.put_bytes(bucket.name, key, b"changed", "text/plain")
        assert await read(bucket, key) == content


async def test_of_many_that_write_an_object_at_once_one_does(bucket: Bucket):
    made = await asyncio.gather(
        *(bucket.store.put_bytes(bucket.name, "one", b"%d" % number, "text/plain") for number in range(20))
    )
    assert made.count(True) == 1
    assert await read(bucket, "one") == b"%d" % made.index(True)


async def test_ranges_give_those_bytes_and_no_others(bucket: Bucket):
    content = bytes(range(256)) * 4
    await bucket.store.put_bytes(bucket.name, "x", content, "text/plain")
    assert await read(bucket, "x", offset=10) == content[10:]
    assert await read(bucket, "x", offset=10, length=1) == content[10:11]
    assert await read(bucket, "x", length=5) == content[:5]
    assert await read(bucket, "x", offset=1000, length=500) == content[1000:]
    async with bucket.store.reading(bucket.name, "x", offset=3, length=4) as body:
        assert (body.size, body.total) == (4, 1024)
    with pytest.raises(StoreUnavailable, match="InvalidRange"):
        await read(bucket, "x", offset=1024, length=1)


async def test_only_the_bytes_of_an_etag_are_read_and_copied(bucket: Bucket):
    await bucket.store.put_bytes(bucket.name, "x", b"content", "text/plain")
    etag = (await bucket.store.stat(bucket.name, "x")).etag
    async with bucket.store.reading(bucket.name, "x", if_etag=etag) as body:
        assert body.etag == etag
    await bucket.store.copy((bucket.name, "x"), (bucket.name, "y"), if_etag=etag)
    with pytest.raises(StoreUnavailable, match="PreconditionFailed"):
        async with bucket.store.reading(bucket.name, "x", if_etag="0" * 32):
            pass
    with pytest.raises(StoreUnavailable, match="PreconditionFailed"):
        await bucket.store.copy((bucket.name, "x"), (bucket.name, "z"), if_etag="0" * 32)
    assert [found.key async for found in bucket.store.walk(bucket.name)] == ["x", "y"]


async def test_a_copy_is_the_same_in_another_bucket(bucket: Bucket, open_bucket: OpenBucket, large: Path):
    target = await open_bucket(bucket.address)
    await bucket.store.put_file(bucket.name, "large", large, "application/pdf")
    await bucket.store.copy((bucket.name, "large"), (target.name, "there/large"))
    found = await target.store.stat(target.name, "there/large")
    assert (found.size, found.media_type) == (len(LARGE), "application/pdf")
    assert await read(target, "there/large") == LARGE


async def test_what_is_not_there_is_told_apart_from_a_store_that_fails(bucket: Bucket):
    missing = f"The object no is not in the bucket {bucket.name}"
    for call in (
        lambda: bucket.store.stat(bucket.name, "no"),
        lambda: read(bucket, "no"),
        lambda: bucket.store.copy((bucket.name, "no"), (bucket.name, "x")),
    ):
        with pytest.raises(NoSuchObject, match=missing):
            await call()
    gone = f"gone-{uuid.uuid4().hex}"
    for call in (
        lambda: bucket.store.put_bytes(gone, "x", b"x", "text/plain"),
        lambda: bucket.store.remove(gone, ["x"]),
        lambda: read(Bucket(bucket.store, gone, bucket.address, bucket.settings), "x"),
    ):
        with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
            await call()


async def test_objects_are_removed_whether_they_are_there_or_not(bucket: Bucket):
    for key in ("a", "b", "c/d"):
        await bucket.store.put_bytes(bucket.name, key, b"x", "text/plain")
    await bucket.store.remove(bucket.name, ["a", "c/d", "never"])
    await bucket.store.remove(bucket.name, ["a"])
    await bucket.store.remove(bucket.name, [])
    assert [found.key async for found in bucket.store.walk(bucket.name)] == ["b"]


async def test_a_walk_goes_through_all_pages_in_order(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    keys = [f"p/{number:03}/x" for number in range(30)]
    await asyncio.gather(*(bucket.store.put_bytes(bucket.name, key, b"12", "text/plain") for key in [*keys, "q"]))
    monkeypatch.setattr("bilten.objects.store._PAGE", 7)
    found = [found async for found in bucket.store.walk(bucket.name, "p/")]
    assert [one.key for one in found] == keys
    assert {one.size for one in found} == {2}
    assert found[0].etag == (await bucket.store.stat(bucket.name, keys[0])).etag


async def test_a_bucket_is_made_once(bucket: Bucket):
    await bucket.store.put_bytes(bucket.name, "x", b"x", "text/plain")
    await asyncio.gather(*(bucket.store.ensure_bucket(bucket.name) for _ in range(5)))
    assert await read(bucket, "x") == b"x"


async def test_parts_that_a_killed_process_left_are_dropped_once_they_are_old(
    object_store: S3Address, open_bucket: OpenBucket
):
    bucket = await open_bucket(object_store)
    transfer = bucket.store._transfer  # noqa: SLF001 - as a process that ends here would
    for key in ("one", "folder/two"):
        await transfer.send("writing", "POST", Place(bucket.name, key), query={"uploads": ""})
    assert await bucket.store.abort_incomplete(bucket.name, timedelta(hours=1)) == 0
    assert await bucket.store.abort_incomplete(bucket.name, timedelta(seconds=-60)) == 2
    assert await bucket.store.abort_incomplete(bucket.name, timedelta(seconds=-60)) == 0


async def test_slow_readers_hold_no_thread_and_little_memory(bucket: Bucket, large: Path):
    await bucket.store.put_file(bucket.name, "large", large, "text/plain")
    await read(bucket, "large")
    before = threading.active_count()
    async with aclosing(bucket.store.get(bucket.name, "large")) as first:
        readers = [first, *(bucket.store.get(bucket.name, "large") for _ in range(39))]
        sizes = [len(await anext(reader)) for reader in readers]
        assert max(sizes) <= 1024 * 1024
        assert threading.active_count() <= before
        assert (await asyncio.wait_for(bucket.store.stat(bucket.name, "large"), 10)).size == len(LARGE)
        for reader in readers:
            await reader.aclose()


async def test_a_link_is_not_written_as_the_file_it_leads_to(bucket: Bucket, tmp_path: Path):
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="link"):
        await bucket.store.put_file(bucket.name, "linked", tmp_path / "link", "text/plain")
    with pytest.raises(NoSuchObject):
        await bucket.store.stat(bucket.name, "linked")
