"""Postgres comes late, goes away, hangs and comes back; the service says "not now" quickly and recovers by itself."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable
from bilten.local import ports
from bilten.local.family import Family
from bilten.local.postgres import Postgres
from fixtures.api import make_settings
from sqlalchemy import text

QUICKLY_S = 4
#: The limits that a deployment has.
LIMITS = {"database_connect_timeout_s": 2, "database_acquire_timeout_s": 3}


def _children(parent: str) -> list[int]:
    # The second word behind the name in a process's `stat` is its parent (proc(5)); a bare machine has no pgrep.
    return [
        int(stat.parent.name)
        for stat in Path("/proc").glob("[0-9]*/stat")
        if stat.read_text().rpartition(")")[2].split()[1] == parent
    ]


class Server:
    """A Postgres of this test's own, which it may stop and freeze."""

    def __init__(self, family: Family, folder: Path) -> None:
        (port,) = ports.pick(1)
        self._folder = folder
        self._postgres = Postgres(family, folder, port=port, durable=False)

    def start(self) -> None:
        self._postgres.start()
        self._postgres.wait_ready()

    def stop(self) -> None:
        self._postgres.stop()

    @property
    def url(self) -> str:
        return self._postgres.url()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """As when its machine does: connections stay open and nothing answers."""
        postmaster = (self._folder / "data" / "postmaster.pid").read_text().splitlines()[0]
        pids = [int(postmaster), *_children(postmaster)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Family(tmp_path / "run") as family:
        server = Server(family, tmp_path / "postgres")
        server.start()
        yield server


@pytest.fixture
async def db(server: Server) -> AsyncIterator[Database]:
    db = Database(make_settings(server.url, database_pool_size=10, database_statement_timeout_ms=500, **LIMITS))
    await db.open()
    yield db
    await db.close()


async def _read(db: Database) -> Any:
    return await db.fetchval("select 1")


async def _write(db: Database) -> Any:
    async with db.transaction() as tx:
        return await tx.scalar(text("select 1"))


async def _use_every_connection(db: Database) -> None:
    sleepers = [db.fetch("select pg_sleep(0.1)") for _ in range(6)]
    await asyncio.gather(*sleepers, *(_write(db) for _ in range(4)))


async def _refused_quickly(db: Database, times: int = 12) -> None:
    """Reads and transactions, more than there are connections, are all refused in time."""
    started = time.monotonic()
    outcomes = await asyncio.gather(
        *(_read(db) for _ in range(times)), *(_write(db) for _ in range(times)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [DatabaseUnavailable] * 2 * times
    assert time.monotonic() - started < QUICKLY_S


async def test_the_service_opens_before_postgres_is_there(server: Server):
    server.stop()
    db = Database(make_settings(server.url, **LIMITS))
    await db.open()
    await _refused_quickly(db)
    await asyncio.to_thread(server.start)
    assert await db.ping() < 1
    assert await _write(db) == 1
    await db.close()


async def test_after_a_restart_no_request_fails(server: Server, db: Database):
    await _use_every_connection(db)
    await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)
    assert await asyncio.gather(*(_write(db) for _ in range(8))) == [1] * 8
    assert len(await asyncio.gather(*(_read(db) for _ in range(12)))) == 12


async def test_while_postgres_is_down_every_request_is_told_so_quickly(server: Server, db: Database):
    await _use_every_connection(db)
    await asyncio.to_thread(server.stop)
    await _refused_quickly(db)
    await _refused_quickly(db)
    await asyncio.to_thread(server.start)
    await _use_every_connection(db)


async def test_a_postgres_that_hangs_is_given_up_on_and_found_again(server: Server, db: Database):
    await _use_every_connection(db)
    with server.frozen():
        await _refused_quickly(db)
        await _refused_quickly(db)
    await _use_every_connection(db)


@pytest.mark.parametrize("kind", ["read", "transaction"])
async def test_who_notices_that_postgres_hangs_spares_the_others_the_wait(
    server: Server, kind: str, caplog: pytest.LogCaptureFixture
):
    limits = LIMITS | {"database_statement_timeout_ms": 2500, "database_connect_timeout_s": 1}
    db = Database(make_settings(server.url, database_pool_size=10, **limits))
    await db.open()
    try:
        await _use_every_connection(db)
        with server.frozen():
            first = await _time_refused(_read(db) if kind == "read" else _write(db))
            others = await asyncio.gather(*(_time_refused(call) for call in (_read(db), db.ping(), _write(db))))
        assert first < 3.8  # the time of the statement, and half a second for the network
        assert max(others) < 2  # new connections are tried, the old ones are not
        assert caplog.records == []
    finally:
        await db.close()


async def _time_refused(call: Awaitable[object]) -> float:
    started = time.monotonic()
    with pytest.raises(DatabaseUnavailable):
        await call
    return time.monotonic() - started


async def test_closing_does_not_wait_for_a_postgres_that_hangs(server: Server, db: Database):
    await _use_every_connection(db)
    with server.frozen():
        started = time.monotonic()
        await db.close()
        assert time.monotonic() - started < QUICKLY_S


async def test_a_transaction_whose_connection_dies_is_refused_and_leaves_nothing(db: Database):
    async def die() -> None:
        async with db.transaction() as tx:
            await tx.execute(text("create table leftover (n int)"))
            await tx.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable):
        await die()
    assert await db.fetchval("select to_regclass('leftover')") is None
    assert await _write(db) == 1


async def test_a_connection_that_dies_before_the_commit_is_not_taken_for_success(db: Database):
    async def die() -> None:
        async with db.transaction() as tx:
            pid = await tx.scalar(text("select pg_backend_pid()"))
            await tx.execute(text("create table leftover (n int)"))
            await db.fetch("select pg_terminate_backend($1)", pid)
            await asyncio.sleep(0.1)

    with pytest.raises(DatabaseUnavailable):
        await die()
    assert await db.fetchval("select to_regclass('leftover')") is None


async def test_a_read_whose_connection_dies_is_refused_and_the_next_one_works(db: Database):
    with pytest.raises(DatabaseUnavailable):
        await db.fetch("select pg_terminate_backend(pg_backend_pid())")
    assert await db.ping() < 1


async def test_a_primary_that_became_a_standby_is_not_now(db: Database):
    async def write() -> None:
        async with db.transaction() as tx:
            await tx.execute(text("set transaction read only"))
            await tx.execute(text("create table x (n int)"))

    with pytest.raises(DatabaseUnavailable, match="read-only transaction"):
        await write()
