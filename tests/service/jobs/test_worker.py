"""Several workers, long jobs, stops: every job is done, and only one worker has the say over it."""

import asyncio
from datetime import datetime
from uuid import uuid4

import pytest
from bilten.db.database import Database
from bilten.jobs import queries, worker
from bilten.jobs.kinds import Job
from bilten.jobs.metrics import JOB_METRICS
from bilten.settings import Settings
from support.jobs import KIND, Notes, all_done, change, put, row, until, whole_turn, working


def _with(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update=changes)


async def test_two_workers_do_two_hundred_jobs_once_each(db: Database, settings: Settings):
    jobs = {await put(db, settings, str(number)) for number in range(200)}
    left, right = Notes(), Notes()
    other_db = Database(settings)
    await other_db.open()
    try:
        async with working(db, [left.kind], settings), working(other_db, [right.kind], settings):
            await until(lambda: all_done(db))
    finally:
        await other_db.close()
    assert left.runs + right.runs == dict.fromkeys(jobs, 1)
    assert left.runs
    assert right.runs


async def test_a_worker_does_as_many_jobs_at_a_time_as_it_has_places(db: Database, settings: Settings):
    for _ in range(worker.CONCURRENCY + 3):
        await put(db, settings)
    notes = Notes()
    at_once = [0]
    most = [0]

    go_on = asyncio.Event()

    async def work(_job: Job) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        await go_on.wait()
        at_once[0] -= 1

    notes.work = work  # type: ignore[method-assign]
    async with working(db, [notes.kind], settings) as running:
        await until(lambda: at_once[0] >= worker.CONCURRENCY)
        await whole_turn(running)
        go_on.set()
        await until(lambda: all_done(db))
    assert most == [worker.CONCURRENCY]


async def test_a_job_longer_than_its_lease_keeps_it(db: Database, settings: Settings):
    short = _with(settings, worker_lease_s=3)
    job = await put(db, short)
    left, right = Notes(), Notes()

    async def work(_job: Job) -> None:
        first_end = (await row(db, job))["locked_until"]
        await until(lambda: _is_past(db, first_end))

    left.work = right.work = work  # type: ignore[method-assign]
    async with working(db, [left.kind], short), working(db, [right.kind], short):
        await until(lambda: all_done(db))
    assert left.runs + right.runs == {job: 1}


async def _is_past(db: Database, time: datetime) -> bool:
    return bool(await db.fetchval("select now() > $1", time))


async def test_a_worker_that_lost_its_lease_breaks_off_and_leaves_the_job_alone(db: Database, settings: Settings):
    short = _with(settings, worker_lease_s=3)
    job = await put(db, short)
    notes = Notes()

    async def work(_job: Job) -> None:
        await asyncio.sleep(30)

    notes.work = work  # type: ignore[method-assign]
    async with working(db, [notes.kind], short):
        await notes.started.wait()
        await change(db, "update jobs set locked_by = 'another', locked_until = now() + interval '1 hour'")
        await until(lambda: notes.broken_off == [job])
    stored = await row(db, job)
    assert (stored["locked_by"], stored["finished_at"], stored["last_error"]) == ("another", None, None)


async def test_an_end_that_comes_after_the_lease_was_lost_is_not_written(db: Database, settings: Settings):
    job = await put(db, settings)
    notes = Notes()

    async def work(_job: Job) -> None:
        await change(db, "update jobs set locked_by = 'another'")

    notes.work = work  # type: ignore[method-assign]
    before = _lost()
    async with working(db, [notes.kind], settings):
        await until(lambda: notes.finished == [job])
    stored = await row(db, job)
    assert (stored["locked_by"], stored["finished_at"]) == ("another", None)
    assert _lost() == before + 1


def _lost() -> float:
    return JOB_METRICS.registry.get_sample_value("bilten_jobs_total", {"kind": KIND, "outcome": "lost"}) or 0


async def test_a_job_of_a_worker_that_vanished_is_taken_over_when_its_lease_has_run_out(
    db: Database, settings: Settings
):
    job = await put(db, settings)
    async with db.transaction() as tx:
        await queries.lease(tx, worker="vanished", kinds=[KIND], at_most=1, lease_s=600)
    notes = Notes()
    async with working(db, [notes.kind], settings) as running:
        await whole_turn(running)
        assert not notes.runs
        await change(db, "update jobs set locked_until = now()")
        await until(lambda: all_done(db))
    assert notes.runs == {job: 1}
    assert (await row(db, job))["attempts"] == 2


async def test_a_worker_that_leases_its_own_job_again_does_not_run_it_beside_itself(db: Database, settings: Settings):
    job = await put(db, settings)
    notes = Notes()

    async def work(_job: Job) -> None:
        await change(db, "update jobs set locked_until = now() - interval '1 second'")
        await until(lambda: _attempts(db, 2))

    notes.work = work  # type: ignore[method-assign]
    async with working(db, [notes.kind], settings):
        await until(lambda: all_done(db))
    assert notes.runs == {job: 1}


async def _attempts(db: Database, count: int) -> bool:
    return bool(await db.fetchval("select count(*) from jobs where attempts = $1", count))


async def test_a_worker_leaves_kinds_alone_that_it_does_not_know(db: Database, settings: Settings):
    job = await put(db, settings)
    async with working(db, [], settings) as running:
        await whole_turn(running)
    assert (await row(db, job))["attempts"] == 0


async def test_a_stopping_worker_finishes_what_it_does_and_begins_nothing(db: Database, settings: Settings):
    notes = Notes()

    go_on = asyncio.Event()

    async def work(_job: Job) -> None:
        await go_on.wait()

    notes.work = work  # type: ignore[method-assign]
    first = await put(db, settings)
    async with working(db, [notes.kind], settings) as running:
        await notes.started.wait()
        running.stop()
        second = await put(db, settings)
        go_on.set()
    assert notes.finished == [first]
    assert (await row(db, first))["finished_at"] is not None
    assert (await row(db, second))["attempts"] == 0


async def test_what_does_not_finish_within_the_grace_is_given_back(db: Database, settings: Settings):
    impatient = _with(settings, shutdown_grace_s=0.2)
    notes = Notes()

    async def work(_job: Job) -> None:
        await asyncio.sleep(30)

    notes.work = work  # type: ignore[method-assign]
    job = await put(db, impatient)
    async with working(db, [notes.kind], impatient):
        await notes.started.wait()
    stored = await row(db, job)
    assert notes.broken_off == [job]
    assert (stored["locked_by"], stored["attempts"], stored["finished_at"]) == (None, 0, None)
    assert stored["due_in_s"] <= 0


async def test_the_depth_of_the_outbox_is_measured(db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "MEASURE_EVERY_S", 0.0)
    await put(db, settings)
    dead = await put(db, settings)
    await change(db, "update jobs set run_at = now() - interval '90 seconds'")
    await change(db, "update jobs set dead_at = now() where id = :id", id=dead)
    monkeypatch.setattr(JOB_METRICS.outbox, "backlog", None)
    async with working(db, [], settings):
        await until(lambda: JOB_METRICS.outbox.backlog is not None)
    found = JOB_METRICS.outbox.backlog
    assert found is not None
    assert (found.open, found.dead) == (1, 1)
    assert 90 <= found.oldest_age_s < 300


async def test_two_workers_have_two_names(db: Database, settings: Settings):
    assert worker.Worker(db, [], settings).name != worker.Worker(db, [], settings).name


async def test_a_job_that_is_nobodys_is_ended_by_nobody(db: Database):
    async with db.transaction() as tx:
        assert not await queries.finish(tx, worker="me", id=uuid4())
