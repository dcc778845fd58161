"""Workers in the test's own process and in others, jobs of the test's own kind, and waiting for what they do."""

import asyncio
import inspect
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from bilten import work
from bilten.db.database import Database
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.jobs.worker import Worker
from bilten.settings import Settings
from bilten.web.health import Health
from fixtures.api import make_settings
from pydantic import BaseModel
from sqlalchemy import text
from support.secrets import SECRET_KEY, TOKEN_KEYS

KIND = "test.note"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings under which a worker is quick."""
    return make_settings(database_url, worker_poll_s=0.05, worker_lease_s=30, database_pool_size=10)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """This test's own database, open, with room for a worker."""
    database = Database(settings)
    await database.open()
    yield database
    await database.close()


class Note(BaseModel):
    """What a test's job needs to know."""

    words: str = ""


class Notes:
    """A kind of job that counts its runs, and what it does beside."""

    def __init__(self, *, timeout_s: float = 30) -> None:
        self.runs: Counter[UUID] = Counter()
        self.words: list[str] = []
        self.finished: list[UUID] = []
        self.broken_off: list[UUID] = []
        self.started = asyncio.Event()
        self.kind: Kind[Note] = Kind(name=KIND, payload=Note, handle=self._handle, timeout_s=timeout_s)

    async def _handle(self, job: Job, note: Note) -> None:
        self.runs[job.id] += 1
        self.words.append(note.words)
        self.started.set()
        try:
            await self.work(job)
        except asyncio.CancelledError:
            self.broken_off.append(job.id)
            raise
        self.finished.append(job.id)

    async def work(self, _job: Job) -> None:
        """What a run does; tests put their own here."""


async def put(db: Database, settings: Settings, words: str = "", **options: Any) -> UUID:
    """Enqueue a note in a transaction of its own."""
    async with db.transaction() as tx:
        return await enqueue(tx, settings, KIND, {"words": words}, **options)


async def row(db: Database, job: UUID) -> dict[str, Any]:
    """A job as it is stored, with how long until it is due, in seconds."""
    due = "extract(epoch from run_at - now())::float8 as due_in_s"
    found = await db.fetchrow(f"select *, {due} from jobs where id = $1", job)  # noqa: S608 a constant
    assert found is not None
    return dict(found)


async def change(db: Database, sql: str, **values: Any) -> None:
    """One statement, committed."""
    async with db.transaction() as tx:
        await tx.execute(text(sql), values)


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within_s: float = 60) -> None:
    """Wait for a condition. Raises `TimeoutError`."""
    async with asyncio.timeout(within_s):
        while True:
            answer = condition()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(0.02)


async def whole_turn(worker: Worker) -> None:
    """Wait until the worker has asked for jobs, and done with the answer, once more."""
    for _ in range(2):
        await until(_turned(worker))


def _turned(worker: Worker) -> Callable[[], bool]:
    before = worker._turned_at  # noqa: SLF001 nothing else of a worker shows that it asked
    return lambda: worker._turned_at != before  # noqa: SLF001


async def all_done(db: Database) -> bool:
    """Whether no job is open."""
    return not await db.fetchval("select count(*) from jobs where finished_at is null and dead_at is null")


@asynccontextmanager
async def working(db: Database, kinds: Iterable[Kind[Any]], settings: Settings) -> AsyncIterator[Worker]:
    """A worker until the end of the block, stopped as SIGTERM stops one."""
    worker = Worker(db, kinds, settings)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


@asynccontextmanager
async def working_on_all(db: Database, settings: Settings) -> AsyncIterator[Worker]:
    """One that does every kind of job there is."""
    async with work.kinds(settings, db, Health()) as kinds, working(db, kinds, settings) as worker:
        yield worker


@asynccontextmanager
async def worker_process(database_url: str, log: Path, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`bilten worker`, killed at the end of the block if it is still there."""
    environment = {
        "PATH": os.environ["PATH"],
        "BILTEN_DATABASE_URL": database_url,
        "BILTEN_SECRET_KEY": SECRET_KEY,
        "BILTEN_TOKEN_KEYS": TOKEN_KEYS,
        "BILTEN_WORKER_POLL_S": "0.1",
        "BILTEN_LOG_FORMAT": "json",
        **variables,
    }
    with log.open("ab") as output:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bilten", "worker", env=environment, stdout=output, stderr=output
        )
    try:
        yield worker
    finally:
        if worker.returncode is None:
            worker.kill()
        await worker.wait()
