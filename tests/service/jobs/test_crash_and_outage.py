"""What no job may be lost to: a killed worker, and a database that goes away and comes back."""

import asyncio
import json
import signal
from pathlib import Path
from uuid import UUID

import pytest
import structlog
from bilten.db import migrations
from bilten.db.database import Database
from bilten.jobs import outage
from bilten.jobs.queries import enqueue
from bilten.local.postgres import Postgres
from bilten.mail.deliver import SEND
from bilten.settings import Settings
from fixtures.api import make_settings
from sqlalchemy import text
from structlog.testing import LogCapture
from structlog.typing import EventDict
from support.jobs import Notes, all_done, change, put, row, until, worker_process, working

MAIL = {"to": "ada@example.com", "subject": "Hello", "text": "words", "html": "<p>words</p>"}


async def _enqueue_mail(db: Database, settings: Settings) -> UUID:
    async with db.transaction() as tx:
        return await enqueue(tx, settings, SEND, MAIL)


async def test_a_mail_whose_worker_was_killed_midway_is_sent_once_by_the_next(
    db: Database, settings: Settings, database_url: str, tmp_path: Path
):
    patient = {"BILTEN_DATABASE_LOCK_TIMEOUT_MS": "60000", "BILTEN_DATABASE_STATEMENT_TIMEOUT_MS": "60000"}
    job = await _enqueue_mail(db, settings)
    first = worker_process(database_url, tmp_path / "first.log", BILTEN_WORKER_LEASE_S="3", **patient)
    async with db.transaction() as tx, first as killed:
        # The worker gets as far as the mail's own row and no further.
        await tx.execute(text("lock table mails in share row exclusive mode"))
        await until(lambda: _waits_for_a_lock(db))
        killed.kill()
        await killed.wait()
    stored = await row(db, job)
    assert (stored["attempts"], stored["finished_at"]) == (1, None)
    async with worker_process(database_url, tmp_path / "second.log"):
        await until(lambda: all_done(db))
    assert await db.fetchval("select count(*) from mails where job_id = $1", job) == 1
    assert (await row(db, job))["attempts"] == 2


async def _waits_for_a_lock(db: Database) -> bool:
    waiting = "select count(*) from pg_locks where not granted and relation = 'mails'::regclass"
    return bool(await db.fetchval(waiting))


async def test_sigterm_ends_a_worker_after_the_mail_it_is_sending(
    db: Database, settings: Settings, database_url: str, tmp_path: Path
):
    log = tmp_path / "worker.log"
    job = await _enqueue_mail(db, settings)
    async with worker_process(database_url, log) as worker:
        async with db.transaction() as tx:
            await tx.execute(text("lock table mails in share row exclusive mode"))
            await until(lambda: _waits_for_a_lock(db))
            worker.send_signal(signal.SIGTERM)
            await until(lambda: "worker_finishing" in log.read_text())
        assert await asyncio.wait_for(worker.wait(), 60) == 0
    assert (await row(db, job))["finished_at"] is not None
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines][-2:] == ["job_done", "worker_stopped"]
    assert MAIL["to"] not in log.read_text()


async def test_a_worker_without_settings_says_which_are_missing(tmp_path: Path):
    log = tmp_path / "worker.log"
    async with worker_process("", log, BILTEN_DATABASE_URL="postgresql://x", BILTEN_SECRET_KEY="short") as worker:
        assert await asyncio.wait_for(worker.wait(), 60) == 2
    told = log.read_text()
    assert "BILTEN_SECRET_KEY" in told
    assert "Traceback" not in told
    assert "short" not in told.replace("shorter", "")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[EventDict]:
    """What the worker says about its database."""
    capture = LogCapture()
    monkeypatch.setattr(outage, "log", structlog.wrap_logger(structlog.PrintLogger(), processors=[capture]))
    return capture.entries


async def test_a_worker_waits_out_an_outage_and_loses_nothing(private_postgres: Postgres, told: list[EventDict]):
    url = private_postgres.url()
    await asyncio.to_thread(migrations.upgrade, url)
    settings = make_settings(url, worker_poll_s=0.05)
    db = Database(settings)
    await db.open()
    notes = Notes()
    go_on = asyncio.Event()

    async def work(_job: object) -> None:
        await go_on.wait()

    notes.work = work  # type: ignore[method-assign]
    try:
        during = await put(db, settings, "during")
        async with working(db, [notes.kind], settings):
            await notes.started.wait()
            await asyncio.to_thread(private_postgres.stop)
            go_on.set()  # it is done, and there is nothing to write that down in
            await until(lambda: notes.finished == [during])
            await until(lambda: bool(told))
            await asyncio.to_thread(private_postgres.start)
            await asyncio.to_thread(private_postgres.wait_ready)
            after = await put(db, settings, "after")
            await until(lambda: all_done(db))
    finally:
        await db.close()
    assert notes.runs[after] == 1
    assert notes.runs[during] == 1
    assert [entry["event"] for entry in told] == ["database_away", "database_answers_again"]


async def test_a_worker_that_starts_before_its_database_begins_when_that_is_there(
    private_postgres: Postgres, told: list[EventDict]
):
    url = private_postgres.url()
    await asyncio.to_thread(migrations.upgrade, url)
    settings = make_settings(url, worker_poll_s=0.05)
    db = Database(settings)
    await db.open()
    try:
        await put(db, settings)
        await asyncio.to_thread(private_postgres.stop)
        notes = Notes()
        async with working(db, [notes.kind], settings):
            await until(lambda: bool(told))
            await asyncio.to_thread(private_postgres.start)
            await until(lambda: bool(notes.finished))
    finally:
        await db.close()


async def test_a_worker_stops_in_time_though_the_database_is_away(private_postgres: Postgres):
    url = private_postgres.url()
    await asyncio.to_thread(migrations.upgrade, url)
    settings = make_settings(url, worker_poll_s=0.05, shutdown_grace_s=0.3)
    db = Database(settings)
    await db.open()
    notes = Notes()

    async def work(_job: object) -> None:
        await asyncio.to_thread(private_postgres.stop)

    notes.work = work  # type: ignore[method-assign]
    try:
        await put(db, settings)
        async with working(db, [notes.kind], settings):
            await until(lambda: bool(notes.finished))
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started < 30  # measured: 0.4 s; it would wait for ever
    finally:
        await db.close()


async def test_a_worker_that_starts_before_the_schema_is_there_says_so_once_and_waits(
    db: Database, settings: Settings, told: list[EventDict]
):
    await change(db, "alter schema public rename to later")
    notes = Notes()
    async with working(db, [notes.kind], settings):
        await until(lambda: bool(told))
        await change(db, "alter schema later rename to public")
        await put(db, settings)
        await until(lambda: all_done(db))
    assert [entry["event"] for entry in told] == ["worker_query_failed", "database_answers_again"]
