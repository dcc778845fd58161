"""Work that takes long leaves places for what is quick, however much of it waits."""

import asyncio

from bilten.db.database import Database
from bilten.jobs import worker
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.settings import Settings
from support.jobs import Note, Notes, put, until, working


async def test_what_is_quick_is_done_while_more_of_what_takes_long_waits_than_there_are_places(
    db: Database, settings: Settings
):
    running, most, go_on = 0, 0, asyncio.Event()

    async def last(_job: Job, _note: Note) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1

    slow, quick = Kind(name="test.slow", payload=Note, handle=last, timeout_s=300, heavy=True), Notes()
    async with db.transaction() as tx:
        for _ in range(worker.CONCURRENCY * 2):
            await enqueue(tx, settings, slow.name, {})
    mails = [await put(db, settings) for _ in range(5)]
    async with working(db, [slow, quick.kind], settings):
        await until(lambda: set(quick.finished) == set(mails))
        assert most == worker.HEAVY < worker.CONCURRENCY
        go_on.set()
        await until(lambda: _nothing_left(db))
    assert most == worker.HEAVY


async def _nothing_left(db: Database) -> bool:
    return not await db.fetchval("select count(*) from jobs where finished_at is null")
