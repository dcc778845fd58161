"""Uploads that are too much, too slow, broken off or all at once: what is refused leaves nothing anywhere."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from bilten.local.objectstore import S3Address
from fixtures.api import Reply, serve
from pydantic import AnyHttpUrl
from support.faulty_store import faulty_store
from support.forms import BOUNDARY, Part, form, head
from support.house import House, OpenHouse, letter
from support.jobs import until
from support.killing import nothing, remains
from support.raw import exchange

LIMIT = 300_000
PDF = ["Content-Type: application/pdf"]
DISPOSITION = 'name="file"; filename="a.pdf"'


def padded(size: int) -> bytes:
    """A letter of so many bytes."""
    return letter(bytes(size - len(letter(b"x" * 100_000)) + 100_000))


@pytest.fixture
async def house(open_house: OpenHouse, tmp_path: Path) -> House:
    limits = {"max_document_bytes": LIMIT, "max_image_bytes": LIMIT, "upload_idle_s": 2, "user_quota_bytes": 10**6}
    return await open_house(
        uploads_at_once=100, spool_dir=tmp_path / "spool", user_requests_per_minute=10_000, **limits
    )


def chunked(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 50_000):
        piece = body[start : start + 50_000]
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"


def requests(token: str) -> dict[str, tuple[int, list[bytes]]]:
    """What is sent, and the status of its answer."""
    who = f"Authorization: Bearer {token}"
    whole, more = (form(Part(DISPOSITION, padded(size), PDF)) for size in (LIMIT, LIMIT + 1))
    file = Part(DISPOSITION, letter(), PDF)

    def start(*lines: str) -> bytes:
        return head("/api/v1/files", headers=[who, *lines])

    def sent(body: bytes, *lines: str) -> list[bytes]:
        return [start(f"Content-Length: {len(body)}", *lines), body]

    return {
        "said to be too long, and never sent": (413, [start("Content-Length: 100000000")]),
        "too long by one byte": (413, sent(more)),
        "too long in chunks, without a length": (413, [start("Transfer-Encoding: chunked"), *chunked(more)]),
        "a shorter length than it has": (400, [start("Content-Length: 1000"), whole[:1000]]),
        "both a length and chunks": (400, [start("Content-Length: 5", "Transfer-Encoding: chunked"), *chunked(whole)]),
        "packed once more": (415, sent(whole, "Content-Encoding: gzip")),
        "no form": (400, sent(letter())),
        "no final boundary": (400, sent(form(file)[:-8])),
        "two files": (400, sent(form(file, file))),
        "a form in a form": (400, sent(form(Part(DISPOSITION, form(file), ["Content-Type: multipart/mixed"])))),
        "10,000 parts": (413, sent(form(file, *[Part('name="t"')] * 10_000))),
        "10,000 headers": (400, sent(form(Part(DISPOSITION, b"x", [f"X-{each}: y" for each in range(10_000)])))),
        "1 MB of a header": (413, sent(form(Part(DISPOSITION, b"x", ["X: " + "y" * 1_000_000])))),
        "a name in a charset of nobody": (
            400, sent(form(Part("name=\"file\"; filename*=utf-7''a%2Bb.pdf", letter(), PDF))),
        ),
        "an endless beginning": (400, [start("Transfer-Encoding: chunked"), *chunked(b"\r\n" * 1_000_000)]),
        "an empty file": (400, sent(form(Part(DISPOSITION, b"", PDF)))),
        "falls silent": (408, [start("Content-Length: 100000"), f"--{BOUNDARY}\r\n".encode()]),
    }  # fmt: skip


async def test_what_is_refused_on_its_way_leaves_nothing(house: House):
    told = {}
    expected = {}
    for name, (status, pieces) in requests(await house.api.as_user()).items():
        answers = await exchange(house.api.url, iter(pieces))
        told[name] = answers[0].status if answers else 0
        expected[name] = status
    assert told == expected
    assert await remains(house) == nothing()


async def test_what_is_just_as_long_as_it_may_be_is_taken_also_in_chunks(house: House):
    token, content = await house.api.as_user(), padded(LIMIT)
    assert len(content) == LIMIT
    body = form(Part(DISPOSITION, content, PDF))
    for framing, pieces in (
        (f"Content-Length: {len(body)}", [body]),
        ("Transfer-Encoding: chunked", [*chunked(body)]),
    ):
        start = head("/api/v1/files", headers=[f"Authorization: Bearer {token}", framing])
        (answer,) = await exchange(house.api.url, iter([start, *pieces]))
        assert answer.status == 201, answer.text
        assert hashlib.sha256(content).hexdigest() in answer.text


@asynccontextmanager
async def sending(house: House, token: str, share: float) -> AsyncIterator[asyncio.StreamWriter]:
    """A caller who has sent so much of an upload."""
    body = form(Part(DISPOSITION, padded(LIMIT), PDF))
    _, writer = await asyncio.open_connection(*house.api.url.removeprefix("http://").split(":"))
    lines = [f"Authorization: Bearer {token}", f"Content-Length: {len(body)}"]
    writer.write(head("/api/v1/files", headers=lines) + body[: int(len(body) * share)])
    await writer.drain()
    yield writer
    writer.transport.abort()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
async def test_a_caller_who_hangs_up_midway_leaves_nothing(house: House, share: float):
    async with sending(house, await house.api.as_user(), share):
        await until(lambda: house.api.services.spool.reserved > 0)
    await until(lambda: house.api.services.spool.reserved == 0)
    assert await remains(house) == nothing()


async def test_a_caller_who_hangs_up_while_his_file_is_looked_at_leaves_all_of_it_or_nothing(house: House):
    token = await house.api.as_user()
    for _ in range(5):
        async with sending(house, token, 1):
            await until(lambda: house.api.services.spool.reserved > 0)

    async def settled() -> bool:
        left = await remains(house)
        return (house.api.services.spool.reserved, left["reserved"], left["bytes on disk"]) == (0, 0, [])

    await until(settled)
    left = await remains(house)
    assert left["used"] == left["files"] * LIMIT
    assert len(left["objects"]["quarantine"]) == left["files"]


async def test_a_hundred_uploads_at_once_are_never_more_together_than_one_may_store(house: House):
    token, content, limit = await house.api.as_user(), padded(100_500), 10**6
    over, most = False, 0

    async def watch() -> None:
        nonlocal most
        while not over:
            held = await house.api.db.fetchval("select sum(used_bytes + reserved_bytes)::int8 from file_quotas")
            most = max(most, int(held or 0))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    pdf = {"name": "a.pdf", "media_type": "application/pdf"}
    replies: list[Reply] = await asyncio.gather(*(house.upload(token, io.BytesIO(content), **pdf) for _ in range(100)))
    over = True
    await watching
    taken = [reply for reply in replies if reply.status == 201]
    refused = [reply for reply in replies if reply.status != 201]
    assert {(reply.status, reply.json["code"]) for reply in refused} == {(409, "QUOTA_EXCEEDED")}
    assert len(taken) == limit // len(content)
    assert len(content) <= most <= limit
    assert len({reply.data["file"]["id"] for reply in taken}) == len(taken)
    left = await remains(house)
    assert len(left["objects"]["quarantine"]) == len(taken)
    objects = {"quarantine": left["objects"]["quarantine"], "media": []}
    assert left == nothing(files=len(taken), used=len(taken) * len(content), objects=objects)
    again = await house.upload(token, content, **pdf)
    assert again.status == 409


async def test_an_upload_that_is_completed_many_times_at_once_is_one_file_and_is_paid_for_once(
    house: House, object_store: S3Address
):
    """Also while what it was uploaded as is being removed, and though each look at it takes its time."""
    token, content = await house.api.as_user(), padded(200_000)
    sha256 = hashlib.sha256(content).hexdigest()
    declared = {"name": "a.pdf", "media_type": "application/pdf", "size_bytes": len(content), "sha256": sha256}
    async with faulty_store(object_store) as network, house.working():
        settings = house.api.settings
        later = settings.model_copy(
            update={"s3_endpoint": AnyHttpUrl(f"http://127.0.0.1:{network.port}"), "s3_read_timeout_s": 100}
        )
        async with serve(later) as slow:
            upload = (await house.api.post("/files/uploads", token=token, json=declared)).data["upload"]
            parts = aiohttp.FormData(upload["fields"])
            parts.add_field("file", io.BytesIO(content), content_type="application/pdf")
            async with aiohttp.ClientSession() as browser, browser.post(upload["url"], data=parts) as answer:
                assert answer.status in (200, 204)
            path = f"/files/uploads/{upload['id']}/complete"
            # This one has seen that the object is there, and reads it when another has completed the upload.
            network.fail("hold", lambda method, _: method == "GET")
            late = asyncio.create_task(slow.post(path, token=token))
            await until(lambda: any(method == "GET" for method, _ in network.calls))
            replies = await asyncio.gather(*(house.api.post(path, token=token) for _ in range(8)))
            await house.idle()
            network.flowing.set()
            replies.append(await late)
    assert {reply.status for reply in replies} == {200}, [reply.text for reply in replies]
    assert len({reply.data["file"]["id"] for reply in replies}) == 1
    left = await remains(house)
    objects = {"quarantine": [], "media": left["objects"]["media"]}
    of_form = {"reserved": len(content), "reservations": 1}
    assert left == nothing(files=1, used=len(content), **of_form, objects=objects)
    assert len(objects["media"]) == 1
