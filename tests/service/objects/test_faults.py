"""A store that fails, in every way it can: what is tried again, what is given up, and nothing taken for whole that is
not."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from bilten.local.objectstore import S3Address
from bilten.objects.errors import NoSuchObject, StoreUnavailable
from bilten.objects.multipart import PART_BYTES
from support.buckets import Bucket, OpenBucket
from support.faulty_store import FaultyStore, faulty_store
from support.jobs import until

LARGE = os.urandom(1024) * (2 * PART_BYTES // 1024 + 1)
CONTENT = bytes(range(256)) * 4096

Call = Callable[[Bucket, Path], Awaitable[Any]]


async def get(bucket: Bucket, key: str = "x") -> bytes:
    return b"".join([chunk async for chunk in bucket.store.get(bucket.name, key)])


async def walk(bucket: Bucket) -> list[str]:
    return [found.key async for found in bucket.store.walk(bucket.name)]


#: Every call, and what it needs of the object `x` and the file.
CALLS: dict[str, Call] = {
    "get": lambda bucket, _: get(bucket),
    "stat": lambda bucket, _: bucket.store.stat(bucket.name, "x"),
    "put_bytes": lambda bucket, _: bucket.store.put_bytes(bucket.name, "y", b"y", "text/plain"),
    "put_file": lambda bucket, path: bucket.store.put_file(bucket.name, "y", path, "text/plain"),
    "copy": lambda bucket, _: bucket.store.copy((bucket.name, "x"), (bucket.name, "z")),
    "remove": lambda bucket, _: bucket.store.remove(bucket.name, ["y"]),
    "walk": lambda bucket, _: walk(bucket),
    "ensure_bucket": lambda bucket, _: bucket.store.ensure_bucket(bucket.name),
}


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(LARGE)
    return path


@pytest.fixture
async def filled(shaky: Bucket, network: FaultyStore) -> Bucket:
    """The bucket behind the network, with an object `x`."""
    await shaky.store.put_bytes(shaky.name, "x", CONTENT, "text/plain")
    network.calls.clear()
    return shaky


@pytest.mark.parametrize("name", CALLS)
async def test_a_store_that_says_500_for_a_moment_is_asked_again(
    name: str, filled: Bucket, network: FaultyStore, large: Path
):
    network.say(500, "InternalError", times=1)
    await CALLS[name](filled, large)
    assert len(network.calls) >= 2


@pytest.mark.parametrize("name", CALLS)
async def test_a_store_that_keeps_saying_500_is_unavailable(
    name: str, filled: Bucket, network: FaultyStore, large: Path
):
    network.say(503, "SlowDown", times=1000)
    with pytest.raises(StoreUnavailable, match="The object store failed while") as failure:
        await CALLS[name](filled, large)
    assert filled.address.secret_key not in str(failure.value)
    assert "Signature" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert len(network.calls) <= 5


@pytest.mark.parametrize("name", CALLS)
async def test_a_store_that_never_answers_is_given_up_in_time(
    name: str, hasty: Bucket, network: FaultyStore, large: Path
):
    network.fail("swallow", times=1000)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await CALLS[name](hasty, large)
    assert time.monotonic() - began < 12


@pytest.mark.parametrize("name", CALLS)
async def test_a_store_that_is_not_there_is_unavailable_at_once(
    name: str, object_store: S3Address, open_bucket: OpenBucket, large: Path
):
    async with faulty_store(object_store) as network:
        address = S3Address(f"http://127.0.0.1:{network.port}", object_store.access_key, object_store.secret_key)
        bucket = await open_bucket(address)
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await CALLS[name](bucket, large)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", CALLS)
async def test_wrong_keys_are_refused_without_being_told(
    name: str, object_store: S3Address, open_bucket: OpenBucket, large: Path
):
    right = await open_bucket(object_store)
    await right.store.put_bytes(right.name, "x", CONTENT, "text/plain")
    wrong = await open_bucket(S3Address(object_store.endpoint, object_store.access_key, "not-the-secret"), made=False)
    bucket = Bucket(wrong.store, right.name, wrong.address, wrong.settings)
    with pytest.raises(StoreUnavailable) as failure:
        await CALLS[name](bucket, large)
    assert "not-the-secret" not in str(failure.value)
    assert "Signature=" not in str(failure.value)


@pytest.mark.parametrize("after", [0, 1, 100_000])
@pytest.mark.parametrize("kind", ["cut", "shorten", "stall", "crawl"])
async def test_a_body_that_ends_too_soon_is_never_taken_for_whole(
    kind: Any, after: int, filled: Bucket, hasty: Bucket, network: FaultyStore
):
    network.fail(kind, after=after)
    got = bytearray()
    with pytest.raises(StoreUnavailable):  # noqa: PT012 - what came before it counts too
        async with hasty.store.reading(filled.name, "x") as body:
            assert body.size == (after if kind == "shorten" else len(CONTENT))
            async for chunk in body.chunks():
                got += chunk
            if kind == "shorten":
                raise StoreUnavailable("the size is not that of the object, which its reader knows")
    assert got == CONTENT[: len(got)]
    assert len(got) < len(CONTENT)


async def test_a_range_answered_with_the_whole_object_is_refused(filled: Bucket, network: FaultyStore):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
    network.fail("answer", content=head + b"abcd")
    with pytest.raises(StoreUnavailable, match="a whole object for a range"):
        async with filled.store.reading(filled.name, "x", offset=2):
            pass


@pytest.mark.parametrize("told", ["bytes 0-3/9", "bytes 2-4/9", "bytes 2-5/7", "items 2-5/9", ""])
async def test_another_range_than_asked_for_is_refused(told: str, filled: Bucket, network: FaultyStore):
    head = f"HTTP/1.1 206 X\r\nContent-Length: 4\r\nContent-Range: {told}\r\nConnection: close\r\n\r\n"
    network.fail("answer", content=head.encode() + b"abcd")
    with pytest.raises(StoreUnavailable, match="range"):
        async with filled.store.reading(filled.name, "x", offset=2, length=9):
            pass


async def test_a_body_without_a_length_is_refused(filled: Bucket, network: FaultyStore):
    network.fail("answer", content=b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcd")
    with pytest.raises(StoreUnavailable, match="no Content-Length"):
        await get(filled)


async def test_an_answer_without_end_that_is_no_object_is_cut_off(filled: Bucket, network: FaultyStore):
    endless = b"HTTP/1.1 404 X\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n" + bytes(6 * 1024 * 1024)
    network.fail("answer", content=endless, times=3)
    with pytest.raises(StoreUnavailable):
        await get(filled)


async def test_an_object_that_a_proxy_does_not_find_is_not_taken_for_gone(filled: Bucket, network: FaultyStore):
    page = b"<html>no such site</html>"
    head = b"HTTP/1.1 404 X\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(page)
    network.fail("answer", content=head + page)
    with pytest.raises(StoreUnavailable):
        await get(filled)


@pytest.mark.parametrize(
    "fails", [lambda _, path: "partNumber=2" in path, lambda method, path: method == "POST" and "uploadId" in path],
    ids=["a part", "the end"],
)  # fmt: skip
@pytest.mark.parametrize("how", ["refused", "swallow", "missing"])
async def test_an_upload_that_fails_leaves_neither_object_nor_parts(
    fails: Any, how: Any, shaky: Bucket, hasty: Bucket, network: FaultyStore, large: Path
):
    bucket = hasty if how == "swallow" else shaky
    if how == "refused":
        network.say(400, "BadDigest", fails)
    elif how == "missing":  # as S3 does, in a 200
        body = b"<Error><Code>InternalError</Code></Error>"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        network.fail("answer", fails, content=head + body)
    else:
        network.fail("swallow", fails, times=3)
    with pytest.raises(StoreUnavailable):
        await bucket.store.put_file(shaky.name, "large", large, "text/plain")
    assert network.calls[-1][0] == "DELETE"
    assert await walk(shaky) == []
    with pytest.raises(NoSuchObject):
        await shaky.store.stat(shaky.name, "large")
    assert await uploads_of(shaky) == 0


async def uploads_of(bucket: Bucket) -> int:
    """Uploads that are still open, as the store tells them."""
    return len(await asyncio.to_thread(bucket.store._client.begun_uploads, bucket.name))  # noqa: SLF001


async def test_an_upload_whose_end_was_confirmed_to_nobody_is_there(shaky: Bucket, network: FaultyStore, large: Path):
    network.fail("lose", lambda method, path: method == "POST" and "uploadId" in path)
    assert not await shaky.store.put_file(shaky.name, "large", large, "text/plain")
    assert await get(shaky, "large") == LARGE
    assert await uploads_of(shaky) == 0


async def test_an_upload_whose_end_was_confirmed_to_nobody_is_done_where_no_conditions_are_known(
    shaky: Bucket, network: FaultyStore, large: Path
):
    network.say(501, "NotImplemented", lambda method, path: method == "POST" and "uploadId" in path)
    network.fail("lose", lambda method, path: method == "POST" and "uploadId" in path)
    assert await shaky.store.put_file(shaky.name, "large", large, "text/plain")
    assert await get(shaky, "large") == LARGE


async def test_a_write_that_was_confirmed_to_nobody_is_not_done_twice(shaky: Bucket, network: FaultyStore):
    network.fail("lose", lambda method, _: method == "PUT")
    await shaky.store.put_bytes(shaky.name, "y", b"y", "text/plain")
    assert await get(shaky, "y") == b"y"


async def test_an_upload_that_is_called_off_leaves_nothing(shaky: Bucket, network: FaultyStore, large: Path):
    network.fail("swallow", lambda _, path: "partNumber=2" in path, times=9)
    upload = asyncio.create_task(shaky.store.put_file(shaky.name, "large", large, "text/plain"))
    await until(lambda: any("partNumber=2" in path for _, path in network.calls))
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await walk(shaky) == []
    assert await uploads_of(shaky) == 0


async def test_a_store_that_knows_no_conditions_is_written_to_without(shaky: Bucket, network: FaultyStore):
    network.say(501, "NotImplemented")
    assert await shaky.store.put_bytes(shaky.name, "y", b"y", "text/plain")
    assert await get(shaky, "y") == b"y"


async def test_reading_that_is_called_off_ends_the_connection(filled: Bucket, network: FaultyStore):
    network.fail("stall", after=1000)
    async with filled.store.reading(filled.name, "x") as body:
        assert await anext(body.chunks())
        assert network.open == 1
    await until(lambda: not network.open)


async def test_a_store_whose_threads_all_hang_still_streams(filled: Bucket, hasty: Bucket, network: FaultyStore):
    network.fail("swallow", lambda method, _: method == "HEAD", times=1000)
    stats = [asyncio.create_task(hasty.store.stat(filled.name, "x")) for _ in range(9)]
    await until(lambda: len(network.calls) >= 8)
    async with hasty.store.reading(filled.name, "x") as body:
        assert await anext(body.chunks())
        assert not any(stat.done() for stat in stats)
    for failed in await asyncio.gather(*stats, return_exceptions=True):
        assert isinstance(failed, StoreUnavailable)
