"""An API with buckets of its own, and what is asked of it about files."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from bilten import work
from bilten.jobs.worker import Worker
from bilten.objects.store import ObjectStore
from bilten.web.health import Health
from fixtures.api import Api, Reply
from support.jobs import until


def letter(content: bytes = b"Dear reader") -> bytes:
    """A PDF with these bytes in a stream."""
    catalog = b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
    stream = b"3 0 obj\n<</Length %d>>\nstream\n%b\nendstream\nendobj\n" % (len(content), content)
    return b"%PDF-1.7\n" + catalog + stream + b"trailer\n<</Root 1 0 R/Size 4>>\nstartxref\n0\n%%EOF\n"


@dataclass
class House:
    """An API, its buckets, and whoever works behind it."""

    api: Api

    @property
    def store(self) -> ObjectStore:
        return self.api.services.store

    async def keys(self) -> dict[str, list[str]]:
        """What lies in both buckets."""
        settings = self.api.settings
        buckets = {"quarantine": settings.s3_quarantine_bucket, "media": settings.s3_media_bucket}
        return {name: [found.key async for found in self.store.walk(bucket)] for name, bucket in buckets.items()}

    async def upload(
        self, token: str, content: bytes, *, name: str = "picture.jpg", media_type: str = "image/jpeg",
        wait: float = 0, **fields: Any,
    ) -> Reply:  # fmt: skip
        """`POST /files`."""
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type=media_type)
        for field, value in fields.items():
            form.add_field(field, value)
        return await self.api.post("/files", token=token, data=form, params={"wait": str(wait)})

    async def fetch(self, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        """What lies under an absolute path, for anyone."""
        async with aiohttp.ClientSession() as session, session.get(self.api.url + path, headers=headers) as answer:
            return answer, await answer.read()

    async def file(self, token: str, file_id: str) -> dict[str, Any]:
        """`GET /files/{file_id}`, of a file that is there."""
        reply = await self.api.get(f"/files/{file_id}", token=token)
        assert reply.status == 200, reply.text
        found: dict[str, Any] = reply.data["file"]
        return found

    async def ended(self, token: str, file_id: str) -> dict[str, Any]:
        """The file, once it has its verdict."""

        async def over() -> bool:
            return (await self.file(token, file_id))["status"] not in ("pending", "scanning")

        await until(over)
        return await self.file(token, file_id)

    async def clean(self, token: str, content: bytes, **fields: Any) -> dict[str, Any]:
        """A file of these bytes that has been found clean, however long that takes on a busy machine."""
        reply = await self.upload(token, content, **fields)
        assert reply.status == 201, reply.text
        file = await self.ended(token, reply.data["file"]["id"])
        assert file["status"] == "clean", file
        return file

    @asynccontextmanager
    async def working(self, **changes: Any) -> AsyncIterator[Worker]:
        """A worker, while the block runs."""
        settings = self.api.settings.model_copy(update={"worker_poll_s": 0.05, **changes})
        async with work.kinds(settings, self.api.db, Health()) as kinds:
            worker = Worker(self.api.db, kinds, settings)
            running = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                worker.stop()
                await running

    async def idle(self) -> None:
        """Until nothing in the outbox is due."""

        async def nothing() -> bool:
            left: int = await self.api.db.fetchval(
                """
                select count(*) from jobs where finished_at is null and dead_at is null and kind like 'files.%'
                and (attempts > 0 or run_at <= now())
                """
            )
            return not left

        await until(nothing)


OpenHouse = Callable[..., Awaitable[House]]
