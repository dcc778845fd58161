"""The API killed at each step of an upload: what the next processes and the sweep leave is all of it, or nothing."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import ANY

import aiohttp
import pytest
from bilten.local.clamd import Clamd
from bilten.local.objectstore import S3Address
from fixtures.api import serve
from fixtures.processes import ApiProcess, StartProcess
from support.faulty_store import FaultyStore, faulty_store
from support.forms import Part, form, head
from support.house import House, OpenHouse, letter
from support.jobs import until
from support.killing import held, left_on_disk, nothing, remains, same_deployment, swept, time_passes

CONTENT = letter(b"harmless " * 1000)
#: More than one part of an object.
LARGE = letter(b"harmless " * 1_000_000)
PDF = Part('name="file"; filename="a.pdf"', CONTENT, ["Content-Type: application/pdf"])


@dataclass
class Scene:
    """An API that will be killed, the network before its object store, and an API beside it that lives."""

    house: House
    process: ApiProcess
    network: FaultyStore
    token: str
    alive: bool = True
    #: Of callers who wait, for as long as the test does.
    callers: list[asyncio.StreamWriter] = field(default_factory=list)

    def kill(self) -> None:
        if self.alive:
            self.process.kill()
        self.alive = False

    @property
    def spool(self) -> Path:
        folder = self.house.api.settings.spool_dir
        assert folder is not None
        return folder

    @property
    def database_url(self) -> str:
        return self.house.api.settings.database_url.get_secret_value()

    async def send(self, path: str, *parts: Part, share: float = 1) -> None:
        """A form, or as much of it, to the one that will be killed; nobody waits for its answer."""
        body = form(*parts)
        await self._say(head(f"/api/v1{path}", headers=[*self._who(), f"Content-Length: {len(body)}"]))
        self.callers[-1].write(body[: int(len(body) * share)])
        await self.callers[-1].drain()

    async def call(self, method: str, path: str) -> None:
        """A call without a body, likewise."""
        lines = [f"{method} /api/v1{path} HTTP/1.1", "Host: x", *self._who(), "Content-Length: 0", "", ""]
        await self._say("\r\n".join(lines).encode())

    def _who(self) -> list[str]:
        return [f"Authorization: Bearer {self.token}"]

    async def _say(self, request: bytes) -> None:
        _, caller = await asyncio.open_connection("127.0.0.1", self.process.port)
        self.callers.append(caller)
        caller.write(request)
        await caller.drain()


@pytest.fixture
async def scene(
    open_house: OpenHouse, api_process: StartProcess, object_store: S3Address, clamd_server: Clamd, tmp_path: Path
) -> AsyncIterator[Scene]:
    house = await open_house(spool_dir=tmp_path / "spool", clamd_socket=clamd_server.socket)
    async with faulty_store(object_store) as network:
        endpoint = f"http://127.0.0.1:{network.port}"
        process = api_process(**same_deployment(house.api.settings, s3_endpoint=endpoint))
        await process.start(within_s=60)
        made = Scene(house, process, network, await house.api.as_user())
        yield made
        for caller in made.callers:
            caller.transport.abort()


async def while_the_body_arrives(scene: Scene) -> None:
    await scene.send("/files", PDF, share=0.5)
    await until(lambda: bool(left_on_disk(scene.spool)))


async def before_it_is_known_to_be_bad_or_not(scene: Scene) -> None:
    async with held(scene.database_url, "file_verdicts", readers=False) as waited:
        await scene.send("/files", PDF)
        await waited()
        scene.kill()


async def while_quota_is_reserved(scene: Scene) -> None:
    async with held(scene.database_url, "quota_reservations") as waited:
        await scene.send("/files", PDF)
        await waited()
        scene.kill()


async def when_quota_is_reserved(scene: Scene) -> None:
    scene.network.fail("swallow", lambda method, _: method == "PUT")
    await scene.send("/files", PDF)
    await until(lambda: any(method == "PUT" for method, _ in scene.network.calls))
    assert (await remains(scene.house))["reserved"] == len(CONTENT)


async def in_the_middle_of_a_large_object(scene: Scene) -> None:
    scene.network.fail("swallow", lambda _, path: "partNumber=2" in path)
    await scene.send("/files", Part(PDF.disposition, LARGE, PDF.headers))
    await until(lambda: any("partNumber=2" in path for _, path in scene.network.calls))
    assert (await remains(scene.house))["parts"] == 1


async def when_the_object_is_there_and_no_row(scene: Scene) -> None:
    async with held(scene.database_url, "files") as waited:
        await scene.send("/files", PDF)
        await waited()
        scene.kill()
    assert len((await scene.house.keys())["quarantine"]) == 1


NOTHING_STAYS = [
    while_the_body_arrives, before_it_is_known_to_be_bad_or_not, while_quota_is_reserved, when_quota_is_reserved,
    in_the_middle_of_a_large_object, when_the_object_is_there_and_no_row,
]  # fmt: skip


@asynccontextmanager
async def next_api(scene: Scene) -> AsyncIterator[House]:
    """The processes after the one that was killed."""
    scene.kill()
    await time_passes(scene.house)
    async with serve(scene.house.api.settings) as api:
        yield House(api)


@pytest.mark.parametrize("step", NOTHING_STAYS, ids=lambda step: step.__name__)
async def test_of_an_upload_that_was_not_written_down_nothing_stays(
    scene: Scene, step: Callable[[Scene], Awaitable[None]]
):
    await step(scene)
    async with next_api(scene) as house:
        await swept(house)
        assert await remains(house) == nothing()


async def _counted(scene: Scene, table: str) -> bool:
    return bool(await scene.house.api.db.fetchval(f"select count(*) from {table}"))  # noqa: S608 a constant


async def test_an_upload_that_was_written_down_becomes_clean_though_nobody_was_told(scene: Scene):
    await scene.send("/files?wait=8", PDF)
    await until(lambda: _counted(scene, "files"))
    async with next_api(scene) as house, house.working():
        (file,) = (await house.api.get("/files", token=scene.token)).data["files"]
        assert (await house.ended(scene.token, file["id"]))["status"] == "clean"
        await house.idle()
        await swept(house)
        left = await remains(house)
        assert left == nothing(files=1, used=len(CONTENT), objects={"quarantine": [], "media": ANY})
        assert len(left["objects"]["media"]) == 1


@pytest.mark.parametrize("table", ["file_verdicts", "files", "jobs"])
async def test_a_direct_upload_whose_completion_was_killed_can_be_completed(scene: Scene, table: str):
    declared = {"name": "a.pdf", "media_type": "application/pdf", "size_bytes": len(CONTENT)}
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    begun = await scene.house.api.post("/files/uploads", token=scene.token, json={**declared, "sha256": sha256})
    upload = begun.data["upload"]
    parts = aiohttp.FormData(upload["fields"])
    parts.add_field("file", io.BytesIO(CONTENT), content_type="application/pdf")
    async with aiohttp.ClientSession() as browser, browser.post(upload["url"], data=parts) as answer:
        assert answer.status in (200, 204)
    complete = f"/files/uploads/{upload['id']}/complete"
    # Verdicts are read at that step, the other tables are written to.
    async with held(scene.database_url, table, readers=table != "file_verdicts") as waited:
        await scene.call("POST", complete)
        await waited()
        scene.kill()
    async with serve(scene.house.api.settings) as api:
        house = House(api)
        await swept(house)
        done = await api.post(complete, token=scene.token)
        assert done.status == 200, done.text
        async with house.working():
            assert (await house.ended(scene.token, done.data["file"]["id"]))["status"] == "clean"
            await house.idle()
        await swept(house)
        left = await remains(house)
        of_form = {"reserved": len(CONTENT), "reservations": 1}
        assert left == nothing(files=1, used=len(CONTENT), **of_form, objects={"quarantine": [], "media": ANY})
        assert len(left["objects"]["media"]) == 1


async def test_a_deletion_that_was_killed_has_not_happened(scene: Scene):
    async with scene.house.working():
        file = await scene.house.clean(scene.token, CONTENT, name="a.pdf", media_type="application/pdf")
        await scene.house.idle()
    before = await remains(scene.house)
    async with held(scene.database_url, "audit_log") as waited:
        await scene.call("DELETE", f"/files/{file['id']}")
        await waited()
        scene.kill()
    async with next_api(scene) as house:
        await swept(house)
        assert await remains(house) == before
        content = await house.fetch(f"/api/v1/files/{file['id']}/content", Authorization=f"Bearer {scene.token}")
        assert (content[0].status, content[1]) == (200, CONTENT)
