"""A job is part of the business transaction that asked for it."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta

import pytest
from bilten.context import current_request_id
from bilten.db.database import Database
from bilten.jobs.queries import enqueue
from bilten.settings import Settings
from support.jobs import KIND, Notes, all_done, put, row, until, whole_turn, working

SECRET = "reset-link-9f2c"


async def test_a_transaction_that_is_rolled_back_leaves_no_job(db: Database, settings: Settings):
    async def change_of_mind() -> None:
        async with db.transaction() as tx:
            await enqueue(tx, settings, KIND, {"words": "never"})
            raise KeyError

    with pytest.raises(KeyError):
        await change_of_mind()
    assert await db.fetchval("select count(*) from jobs") == 0


async def test_a_committed_job_is_done_with_its_payload_and_then_forgets_it(db: Database, settings: Settings):
    job = await put(db, settings, SECRET)
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert notes.words == [SECRET]
    stored = await row(db, job)
    assert stored["finished_at"] is not None
    assert stored["payload"] == {}
    assert (stored["locked_by"], stored["locked_until"], stored["attempts"]) == (None, None, 1)


async def test_no_row_of_the_database_shows_what_a_waiting_job_knows(db: Database, settings: Settings):
    job = await put(db, settings, SECRET)
    assert SECRET not in await db.fetchval("select jobs::text from jobs where id = $1", job)
    assert SECRET.encode() not in base64.b64decode((await row(db, job))["payload"]["sealed"])


async def test_the_same_payload_looks_different_each_time(db: Database, settings: Settings):
    first, second = [(await row(db, await put(db, settings, SECRET)))["payload"]["sealed"] for _ in range(2)]
    assert first != second


async def test_a_job_waits_for_its_time(db: Database, settings: Settings):
    later = await put(db, settings, "later", run_at=datetime.now(UTC) + timedelta(hours=1))
    await put(db, settings, "now")
    notes = Notes()
    async with working(db, [notes.kind], settings) as worker:
        await until(lambda: notes.words == ["now"])
        await whole_turn(worker)
    assert notes.words == ["now"]
    assert (await row(db, later))["attempts"] == 0


async def test_the_longest_due_job_is_done_first(db: Database, settings: Settings):
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    for number in (3, 1, 2):
        await put(db, settings, str(number), run_at=hour_ago + timedelta(minutes=number))
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert notes.words == ["1", "2", "3"]


async def test_a_dedupe_key_stands_for_one_open_job(db: Database, settings: Settings):
    first = await put(db, settings, "first", dedupe_key="purge:1")
    assert await put(db, settings, "second", dedupe_key="purge:1") == first
    assert await put(db, settings, "other", dedupe_key="purge:2") != first
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert sorted(notes.words) == ["first", "other"]
    assert await put(db, settings, "third", dedupe_key="purge:1") != first


async def test_twenty_requests_at_once_with_one_dedupe_key_make_one_job(db: Database, settings: Settings):
    ids = await asyncio.gather(*(put(db, settings, str(n), dedupe_key="purge:1") for n in range(20)))
    assert len(set(ids)) == 1
    assert await db.fetchval("select count(*) from jobs") == 1


async def test_a_job_remembers_which_request_asked_for_it(db: Database, settings: Settings):
    token = current_request_id.set("request-77")
    await put(db, settings)
    current_request_id.reset(token)
    seen = []
    notes = Notes()

    async def look(_job: object) -> None:
        seen.append(current_request_id.get())

    notes.work = look  # type: ignore[method-assign]
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert seen == ["request-77"]
