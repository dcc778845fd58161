"""The worker killed at each step of what it does with a file: the next one ends it, and nothing is served before."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from bilten.local.clamd import Clamd, eicar
from bilten.local.objectstore import S3Address
from support.faulty_store import FaultyStore, faulty_store
from support.house import House, OpenHouse, letter
from support.jobs import change, until, worker_process
from support.killing import (
    command,
    held,
    left_on_disk,
    nothing,
    remains,
    same_deployment,
    swept,
    time_passes,
    variables,
)
from support.pictures import camera
from support.scanned import impostor, taken

BASE = "http://bilten.example.test"
PDF = {"name": "letter.pdf", "media_type": "application/pdf"}


class Scene:
    """An API, a network before the object store and a place for a scanner, for a worker that will be killed."""

    def __init__(self, house: House, network: FaultyStore, folder: Path, token: str) -> None:
        self.house = house
        self.network = network
        self.folder = folder
        self.token = token

    @property
    def database_url(self) -> str:
        return self.house.api.settings.database_url.get_secret_value()

    @asynccontextmanager
    async def doomed(self, **changes: Any) -> AsyncIterator[None]:
        """A worker behind that network, killed at the end of the block."""
        endpoint = f"http://127.0.0.1:{self.network.port}"
        settings = same_deployment(self.house.api.settings, s3_endpoint=endpoint, **changes)
        del settings["database_url"]
        async with worker_process(self.database_url, self.folder / "log", **variables(settings)):
            yield
        await time_passes(self.house)

    async def called(self, method: str, within: str) -> None:
        await until(lambda: any(each == method and within in path for each, path in self.network.calls))

    async def serves_nothing(self, file_id: str) -> None:
        """Neither to its owner nor under any key that is in a bucket."""
        assert (await self.house.api.get(f"/files/{file_id}/content", token=self.token)).status == 409
        for keys in (await self.house.keys()).values():
            for key in keys:
                assert (await self.house.api.get(f"//uploads/files/{key}")).status == 404


@pytest.fixture
async def scene(
    open_house: OpenHouse, object_store: S3Address, clamd_server: Clamd, tmp_path: Path
) -> AsyncIterator[Scene]:
    spool = tmp_path / "spool"
    house = await open_house(spool_dir=spool, clamd_socket=clamd_server.socket, anonymous_requests_per_minute=10_000)
    async with faulty_store(object_store) as network:
        yield Scene(house, network, tmp_path, await house.api.as_user())


@asynccontextmanager
async def while_it_fetches(scene: Scene) -> AsyncIterator[None]:
    scene.network.fail("stall", lambda method, _: method == "GET", after=1000)
    async with scene.doomed():
        await until(lambda: bool(left_on_disk(scene.folder / "spool")))
        yield


@asynccontextmanager
async def while_the_scanner_looks(scene: Scene) -> AsyncIterator[None]:
    seen = []

    async def keep_silent(reader: Any, _: Any) -> None:
        seen.append(await taken(reader))
        await reader.read()

    async with impostor(scene.folder / "slow", keep_silent) as socket, scene.doomed(clamd_socket=socket):
        await until(lambda: bool(seen))
        yield


@asynccontextmanager
async def while_it_puts_pictures(scene: Scene) -> AsyncIterator[None]:
    bucket = scene.house.api.settings.s3_media_bucket
    scene.network.fail("swallow", lambda method, path: method == "PUT" and "thumbnail" in path, times=99)

    async def some() -> bool:
        return len((await scene.house.keys())["media"]) >= 5

    async with scene.doomed():
        await scene.called("PUT", bucket)
        await until(some)
        yield


@asynccontextmanager
async def before_it_says_clean(scene: Scene) -> AsyncIterator[None]:
    async with held(scene.database_url, "file_verdicts") as waited, scene.doomed():
        await waited()
        assert len((await scene.house.keys())["media"]) > 8
        yield


@asynccontextmanager
async def before_it_says_what_it_found(scene: Scene) -> AsyncIterator[None]:
    async with held(scene.database_url, "file_verdicts") as waited, scene.doomed():
        await waited()
        yield


Step = Callable[[Scene], AbstractAsyncContextManager[None]]
STEPS: list[Step] = [while_it_fetches, while_the_scanner_looks, while_it_puts_pictures, before_it_says_clean]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_a_scan_that_was_killed_is_done_by_the_next_worker(scene: Scene, step: Step):
    house, content = scene.house, camera((400, 300))
    reply = await house.upload(scene.token, content, visibility="public")
    file_id = reply.data["file"]["id"]
    async with step(scene):
        await scene.serves_nothing(file_id)
    await scene.serves_nothing(file_id)
    await swept(house)
    async with house.working():
        file = await house.ended(scene.token, file_id)
        assert file["status"] == "clean", file
        await house.idle()
    assert (await house.fetch(file["url"].removeprefix(BASE)))[0].status == 200
    left = await remains(house)
    assert len(left["objects"]["media"]) > 8
    assert left == nothing(files=1, used=len(content), objects={"quarantine": [], "media": left["objects"]["media"]})
    await swept(house)
    assert await remains(house) == left


async def test_what_is_infected_stays_so_when_who_found_it_is_killed(scene: Scene):
    house = scene.house
    reply = await house.upload(scene.token, letter(eicar()), **PDF, visibility="public")
    file_id = reply.data["file"]["id"]
    async with before_it_says_what_it_found(scene):
        await scene.serves_nothing(file_id)
    await swept(house)
    async with house.working():
        assert (await house.ended(scene.token, file_id))["status"] == "infected"
        await house.idle()
    await scene.serves_nothing(file_id)
    assert await remains(house) == nothing(files=1)
    await swept(house)


@pytest.mark.parametrize("fault", ["swallow", "lose"])
async def test_a_removal_that_was_killed_is_done_by_the_next_worker(scene: Scene, fault: Literal["swallow", "lose"]):
    house = scene.house
    async with house.working():
        file = await house.clean(scene.token, letter(), **PDF, visibility="public")
        await house.idle()
    assert (await house.api.delete(f"/files/{file['id']}", token=scene.token)).status == 200
    scene.network.fail(fault, lambda method, path: method == "POST" and "delete" in path, times=99)
    async with scene.doomed():
        await until(lambda: any(method == "POST" and "delete" in path for method, path in scene.network.calls))
        assert (await house.fetch(file["url"].removeprefix(BASE)))[0].status == 404
    async with house.working():
        await house.idle()
    assert await remains(house) == nothing()
    await swept(house)


async def test_the_commands_put_right_what_killed_processes_left(scene: Scene):
    """A scan whose job is no more, and a reservation of nobody. An object that may be of an upload is left alone."""
    house, settings = scene.house, scene.house.api.settings
    await house.upload(scene.token, letter(), **PDF)
    await change(house.api.db, "delete from jobs")
    young = uuid4().hex
    await house.store.put_bytes(settings.s3_quarantine_bucket, young, b"x", "text/plain")
    begun = {"name": "a.jpg", "media_type": "image/jpeg", "size_bytes": 1000, "sha256": "0" * 64}
    assert (await house.api.post("/files/uploads", token=scene.token, json=begun)).status == 201
    past = "created_at = now() - interval '2 days', expires_at = now() - interval '1 day'"
    for table in ("file_uploads", "quota_reservations", "file_versions"):
        values = past if table != "file_versions" else past.partition(",")[0]
        await change(house.api.db, f"update {table} set {values}")  # noqa: S608 constants
    status, said = await command(settings, "files", "verify")
    assert (status, "no row knows" in said, "Nothing was changed" in said) == (1, False, True), said
    assert "1 versions whose scan nobody was asked for any more" in said
    for minutes in ("-60", "0", "14"):
        assert (await command(settings, "files", "sweep", "--grace-minutes", minutes))[0] == 2
    assert (await command(settings, "files", "sweep", "--grace-minutes", "15"))[0] == 1
    async with house.working():
        await house.idle()
    status, said = await command(settings, "files", "verify")
    assert (status, said.splitlines()[-1]) == (0, "Rows and buckets agree."), said
    assert (await house.api.get("/files/quota", token=scene.token)).data["quota"]["reserved_bytes"] == 0
    assert (await house.keys())["quarantine"] == [young]
