"""The object store and the disk fail at each step of a file: nothing is lost, nothing else is served, nothing stays."""

import asyncio
import contextlib
import io
import resource
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from bilten.local.clamd import Clamd
from bilten.local.objectstore import S3Address
from fixtures.processes import StartProcess
from support.faulty_store import FaultyStore, When, faulty_store
from support.forms import Part, form, head
from support.house import House, OpenHouse, letter
from support.jobs import change, until
from support.killing import held, nothing, remains, same_deployment, swept, time_passes

BASE = "http://bilten.example.test"
PDF = {"name": "letter.pdf", "media_type": "application/pdf", "visibility": "public"}
CONTENT = letter(bytes(range(1, 200)) * 1000)


class Shaken:
    """An API and a worker whose object store is behind a network that fails, and the same without it."""

    def __init__(self, shaky: House, calm: House, network: FaultyStore, token: str) -> None:
        self.shaky = shaky
        self.calm = calm
        self.network = network
        self.token = token

    def on(self, method: str, bucket: str) -> When:
        name = getattr(self.calm.api.settings, f"s3_{bucket}_bucket")
        return lambda asked, path: asked == method and name in path


@pytest.fixture
async def shaken(
    open_house: OpenHouse, object_store: S3Address, clamd_server: Clamd, tmp_path: Path
) -> AsyncIterator[Shaken]:
    quick = {"s3_read_timeout_s": 0.5, "s3_connect_timeout_s": 2, "clamd_socket": clamd_server.socket}
    calm = await open_house(spool_dir=tmp_path / "spool", clamd_socket=clamd_server.socket)
    async with faulty_store(object_store) as network:
        settings = calm.api.settings
        names = {name: getattr(settings, name) for name in ("s3_quarantine_bucket", "s3_media_bucket", "spool_dir")}
        shaky = await open_house(s3_endpoint=f"http://127.0.0.1:{network.port}", **names, **quick)
        yield Shaken(shaky, calm, network, await calm.api.as_user())


def break_down(network: FaultyStore, how: str, when: When) -> None:
    """The ways in which a store fails, for as long as nobody mends it."""
    if how == "says 500":
        network.say(500, "InternalError", when, times=999)
    elif how == "says 404":
        network.say(404, "NoSuchBucket", when, times=999)
    elif how == "gone":
        network.fail("answer", when, times=999)
    elif how == "silent":
        network.fail("swallow", when, times=999)
    elif how == "partial":
        network.fail("cut", when, times=999, after=5000)
    elif how == "slow":
        network.fail("crawl", when, times=999, after=5000)
    elif how == "other bytes":
        body = letter(b"something else")
        told = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
        network.fail("answer", when, times=999, content=told)
    else:
        raise AssertionError(how)


async def test_an_upload_that_the_store_does_not_take_is_503_and_leaves_nothing(shaken: Shaken):
    for how in ("says 500", "says 404", "gone", "silent"):
        break_down(shaken.network, how, shaken.on("PUT", "quarantine"))
        refused = await shaken.shaky.upload(shaken.token, io.BytesIO(CONTENT), **PDF)
        assert (refused.status, refused.json["code"]) == (503, "SERVICE_UNAVAILABLE"), (how, refused.text)
        assert shaken.calm.api.settings.s3_quarantine_bucket not in refused.text
        assert await remains(shaken.calm) == nothing(), how
        shaken.network.faults.clear()
    assert (await shaken.shaky.upload(shaken.token, io.BytesIO(CONTENT), **PDF)).status == 201


@pytest.mark.parametrize(
    ("method", "bucket", "faults"),
    [
        ("GET", "quarantine", ["says 500", "says 404", "gone", "silent", "partial", "slow"]),
        ("PUT", "media", ["says 500", "gone", "silent"]),
    ],
    ids=["while it reads what was sent", "while it puts what is served"],
)
async def test_a_file_waits_unserved_while_the_store_fails_the_worker(
    shaken: Shaken, method: str, bucket: str, faults: list[str]
):
    house = shaken.calm
    async with shaken.shaky.working():
        for how in faults:
            break_down(shaken.network, how, shaken.on(method, bucket))
            file_id = (await house.upload(shaken.token, io.BytesIO(CONTENT), **PDF)).data["file"]["id"]
            await until(lambda: failed_once(house))
            assert (await house.file(shaken.token, file_id))["status"] == "scanning"
            assert (await house.api.get(f"/files/{file_id}/content", token=shaken.token)).status == 409
            assert (await house.keys())["media"] == []
            shaken.network.faults.clear()
            await ends_clean(shaken, file_id)
            assert (await house.api.delete(f"/files/{file_id}", token=shaken.token)).status == 200
            await house.idle()
            assert await remains(house) == nothing(), how


async def test_other_bytes_than_were_sent_are_never_clean(shaken: Shaken):
    file = (await shaken.calm.upload(shaken.token, io.BytesIO(CONTENT), **PDF)).data["file"]
    break_down(shaken.network, "other bytes", shaken.on("GET", "quarantine"))
    async with shaken.shaky.working():
        ended = await shaken.calm.ended(shaken.token, file["id"])
        assert (ended["status"], ended["url"]) == ("error", None)
        shaken.network.faults.clear()
        await time_passes(shaken.calm)
        await shaken.calm.idle()
    assert await remains(shaken.calm) == nothing(files=1)


async def test_a_file_that_the_store_does_not_give_whole_is_never_taken_for_it(shaken: Shaken):
    async with shaken.calm.working():
        file = await shaken.calm.clean(shaken.token, CONTENT, **PDF)
        await shaken.calm.idle()
    path = file["url"].removeprefix(BASE)
    for how in ("says 500", "says 404", "gone", "silent", "partial", "slow"):
        break_down(shaken.network, how, shaken.on("GET", "media"))
        try:
            answer, _ = await shaken.shaky.fetch(path)
            assert (answer.status, answer.content_type) == (503, "application/json"), how
            assert "immutable" not in answer.headers.get("Cache-Control", "")
        except aiohttp.ClientPayloadError:
            assert how in ("partial", "slow")
        shaken.network.faults.clear()
    answer, content = await shaken.shaky.fetch(path)
    assert (answer.status, content) == (200, CONTENT)


async def test_what_the_store_does_not_remove_is_not_served_and_goes_later(shaken: Shaken):
    async with shaken.calm.working():
        file = await shaken.calm.clean(shaken.token, CONTENT, **PDF)
        await shaken.calm.idle()
    break_down(shaken.network, "says 500", shaken.on("POST", "media"))
    assert (await shaken.shaky.api.delete(f"/files/{file['id']}", token=shaken.token)).status == 200
    async with shaken.shaky.working():
        await until(lambda: failed_once(shaken.calm))
        assert (await shaken.shaky.fetch(file["url"].removeprefix(BASE)))[0].status == 404
        shaken.network.faults.clear()
        await time_passes(shaken.calm)
        await shaken.calm.idle()
    assert await remains(shaken.calm) == nothing()


async def failed_once(house: House) -> bool:
    sql = (
        "select exists (select from jobs where last_error is not null and finished_at is null and kind like 'files.%')"
    )
    found: bool = await house.api.db.fetchval(sql)
    return found


async def ends_clean(shaken: Shaken, file_id: str) -> None:
    """However often a retry was already on its way when the fault ended."""

    async def over() -> bool:
        await change(shaken.calm.api.db, "update jobs set run_at = now() where finished_at is null")
        return (await shaken.calm.file(shaken.token, file_id))["status"] not in ("pending", "scanning")

    await until(over)
    file = await shaken.calm.file(shaken.token, file_id)
    assert file["status"] == "clean", file
    assert (await shaken.calm.fetch(file["url"].removeprefix(BASE)))[1] == CONTENT
    await shaken.calm.idle()
    left = await remains(shaken.calm)
    objects = {"quarantine": [], "media": left["objects"]["media"]}
    assert left == nothing(files=1, used=len(CONTENT), objects=objects)
    assert len(objects["media"]) == 1
    await swept(shaken.calm)
    assert (await remains(shaken.calm)) == left


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As full a disk as can be had everywhere: the kernel refuses to write on."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


async def test_a_full_disk_of_the_api_refuses_uploads_and_of_the_worker_delays_them(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    house = await open_house(spool_dir=tmp_path / "spool", clamd_socket=clamd_server.socket)
    token = await house.api.as_user()
    with files_of_at_most(50_000):
        refused = await house.upload(token, io.BytesIO(CONTENT), **PDF)
    assert (refused.status, refused.json["code"]) == (503, "UPLOADS_BUSY")
    assert refused.headers["Retry-After"]
    assert await remains(house) == nothing()
    file = (await house.upload(token, io.BytesIO(CONTENT), **PDF)).data["file"]
    async with house.working():
        with files_of_at_most(50_000):
            await until(lambda: failed_once(house))
        assert (await house.file(token, file["id"]))["status"] == "scanning"
        await time_passes(house)
        assert (await house.ended(token, file["id"]))["status"] == "clean"


async def test_uploads_beyond_the_room_for_them_wait_their_turn_elsewhere(open_house: OpenHouse, tmp_path: Path):
    most = {"max_document_bytes": 2**20, "max_image_bytes": 2**20, "spool_bytes": 2**21}
    house = await open_house(spool_dir=tmp_path / "spool", **most)
    tokens = [await house.api.as_user(), await house.api.as_organizer(), await house.api.as_admin()]
    assert 4 * len(tokens) * len(CONTENT) > 2**21
    replies = await asyncio.gather(*(house.upload(each, io.BytesIO(CONTENT), **PDF) for each in 4 * tokens))
    told = {(reply.status, reply.json.get("code")) for reply in replies}
    assert told == {(201, None), (503, "UPLOADS_BUSY")}
    taken = sum(reply.status == 201 for reply in replies)
    left = await remains(house)
    assert (left["files"], left["used"], left["reserved"]) == (taken, taken * len(CONTENT), 0)
    assert house.api.services.spool.reserved == 0


async def test_an_api_that_is_told_to_stop_finishes_the_upload_that_is_under_way(
    open_house: OpenHouse, api_process: StartProcess, tmp_path: Path
):
    house = await open_house(spool_dir=tmp_path / "spool")
    process = api_process(**same_deployment(house.api.settings, shutdown_grace_s="60"))
    await process.start(within_s=60)
    token = await house.api.as_user()
    body = form(Part('name="file"; filename="a.pdf"', CONTENT, ["Content-Type: application/pdf"]))
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    lines = [f"Authorization: Bearer {token}", f"Content-Length: {len(body)}"]
    writer.write(head("/api/v1/files", headers=lines) + body[:1000])
    await writer.drain()
    spool = tmp_path / "spool"
    await until(lambda: any(each.name.isdigit() for each in spool.rglob("*")))
    process.ask_to_stop()
    await until(lambda: refuses(process.port))
    async with held(house.api.settings.database_url.get_secret_value(), "files") as waited:
        # As a slow line does: what comes late is still of the upload.
        for start in range(1000, len(body), 20_000):
            await asyncio.sleep(0.1)
            writer.write(body[start : start + 20_000])
        await waited()
    assert (await reader.readline()).startswith(b"HTTP/1.1 201")
    assert await process.ended() == 0
    writer.transport.abort()
    left = await remains(house)
    quarantine = left["objects"]["quarantine"]
    assert left == nothing(files=1, used=len(CONTENT), objects={"quarantine": quarantine, "media": []})
    assert len(quarantine) == 1


async def refuses(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.transport.abort()
    return False
