"""Transactions, hot reads and the limits around both."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable, violated_constraint
from fixtures.api import make_settings
from sqlalchemy import exc, text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

ADD = text("insert into jobs (kind, payload, max_attempts) values (:kind, '{}', 1)")
COUNT = "select count(*) from jobs"

OpenDatabase = Callable[..., Any]


@pytest.fixture
async def open_database(database_url: str) -> AsyncIterator[OpenDatabase]:
    """Opens this test's database with settings of the test's choice."""
    async with AsyncExitStack() as opened:

        async def open_(**overrides: Any) -> Database:
            db = Database(make_settings(database_url, **overrides))
            await db.open()
            opened.push_async_callback(db.close)
            return db

        yield open_


async def _add(tx: AsyncConnection, kind: str = "k") -> None:
    await tx.execute(ADD, {"kind": kind})


async def _add_and_fail(db: Database) -> None:
    async with db.transaction() as tx:
        await _add(tx)
        raise KeyError("on purpose")


async def test_a_transaction_commits_at_its_end_and_not_before(database: Database):
    async with database.transaction() as tx:
        await _add(tx)
        assert await database.fetchval(COUNT) == 0
    assert await database.fetchval(COUNT) == 1


async def test_an_exception_rolls_back(database: Database):
    with pytest.raises(KeyError):
        await _add_and_fail(database)
    assert await database.fetchval(COUNT) == 0


async def test_a_transaction_inside_joins_the_one_outside(database: Database):
    async with database.transaction() as tx:
        async with database.transaction() as same:
            await _add(same)
        assert same is tx
        assert await tx.scalar(text(COUNT)) == 1
        assert await database.fetchval(COUNT) == 0
    assert await database.fetchval(COUNT) == 1


async def test_a_joined_transaction_that_failed_takes_the_outer_one_along(database: Database):
    async def outer() -> None:
        async with database.transaction() as tx:
            await _add(tx)
            with pytest.raises(KeyError):
                await _add_and_fail(database)

    with pytest.raises(RuntimeError, match="nothing was committed"):
        await outer()
    assert await database.fetchval(COUNT) == 0
    async with database.transaction() as tx:
        await _add(tx)
    assert await database.fetchval(COUNT) == 1


async def test_a_savepoint_may_fail_alone(database: Database):
    async with database.transaction() as tx:
        await _add(tx)
        with pytest.raises(exc.IntegrityError):
            async with tx.begin_nested():
                await _add(tx, "")
    assert await database.fetchval(COUNT) == 1


async def test_another_task_has_a_transaction_of_its_own(database: Database):
    async def elsewhere() -> AsyncConnection:
        async with database.transaction() as other:
            await _add(other)
            return other

    async with database.transaction() as tx:
        assert await asyncio.create_task(elsewhere()) is not tx
        await tx.rollback()
    assert await database.fetchval(COUNT) == 1


async def test_values_come_back_as_what_they_are(database: Database):
    columns = "id, base_price, start_date, max_attendees, is_free, null::text as nothing"
    row = await database.fetchrow(f"select {columns} from events where legacy_id = 6")  # noqa: S608 the line above
    assert row is not None
    assert isinstance(row["id"], UUID)
    assert (row["base_price"], type(row["base_price"])) == (900, Decimal)
    assert row["start_date"].utcoffset().total_seconds() == 0
    assert (row["max_attendees"], row["is_free"], row["nothing"]) == (2000, False, None)
    value = {"a": [1, 2.5, None, "ü"]}
    assert await database.fetchval("select $1::jsonb", value) == value
    async with database.transaction() as tx:
        assert await tx.scalar(text("""select '{"a": [1]}'::jsonb""")) == {"a": [1]}


async def test_a_read_cannot_write(database: Database):
    with pytest.raises(DatabaseUnavailable, match="read-only"):
        await database.fetch("delete from jobs")


@pytest.mark.parametrize(("size", "readers"), [(2, 1), (3, 2), (10, 6)])
async def test_both_pools_together_use_the_budget_and_no_more(
    open_database: OpenDatabase, database_url: str, size: int, readers: int
):
    db = await open_database(database_pool_size=size)

    async def write() -> None:
        async with db.transaction() as tx:
            await tx.execute(text("select pg_sleep(0.1)"))

    reads = [db.fetch("select pg_sleep(0.1) as reading") for _ in range(3 * size)]
    await asyncio.gather(*reads, *(write() for _ in range(2 * size)))
    observer = await asyncpg.connect(database_url)
    open_now = await observer.fetchrow(
        "select count(*), count(*) filter (where query like '%as reading') from pg_stat_activity "
        "where application_name = 'bilten' and datname = current_database()"
    )
    await observer.close()
    assert tuple(open_now) == (size, readers)


async def test_waiting_reads_are_served_in_the_order_they_came(open_database: OpenDatabase):
    db = await open_database(database_pool_size=2)
    served: list[int] = []

    async def read(number: int) -> None:
        await db.fetchval("select pg_sleep(0.002)")
        served.append(number)

    await asyncio.gather(*(read(number) for number in range(50)))
    assert served == list(range(50))


async def test_waiting_transactions_are_served_in_the_order_they_came(open_database: OpenDatabase):
    db = await open_database(database_pool_size=2)
    served: list[int] = []

    async def write(number: int) -> None:
        async with db.transaction() as tx:
            await tx.execute(text("select 1"))
            served.append(number)

    await asyncio.gather(*(write(number) for number in range(50)))
    assert served == list(range(50))


async def test_who_waits_too_long_for_a_connection_is_told_so(open_database: OpenDatabase):
    db = await open_database(database_pool_size=2, database_acquire_timeout_s=0.2)
    async with db.transaction():
        started = time.monotonic()
        other = asyncio.wait_for(asyncio.create_task(_count_in_transaction(db)), 5)
        with pytest.raises(DatabaseUnavailable, match=r"every connection for transactions was busy for 0\.2 s"):
            await other
        assert 0.15 < time.monotonic() - started < 2
    assert await _count_in_transaction(db) == 0

    slow = asyncio.create_task(db.fetch("select pg_sleep(0.6)"))
    await asyncio.sleep(0.05)
    with pytest.raises(DatabaseUnavailable, match=r"every connection for reads was busy for 0\.2 s"):
        await db.fetchval("select 1")
    await slow
    assert await db.fetchval("select 1") == 1


async def _count_in_transaction(db: Database) -> Any:
    async with db.transaction() as tx:
        return await tx.scalar(text(COUNT))


async def test_a_statement_that_takes_too_long_is_ended(open_database: OpenDatabase):
    db = await open_database(database_statement_timeout_ms=100)
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        await db.fetch("select pg_sleep(5)")
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        await _sleep_in_transaction(db)
    assert await db.fetchval("select 1") == 1
    assert await _count_in_transaction(db) == 0


async def _sleep_in_transaction(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("select pg_sleep(5)"))


async def test_a_lock_that_is_not_given_in_time_is_given_up(open_database: OpenDatabase, database_url: str):
    db = await open_database(database_lock_timeout_ms=100)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("lock table jobs")
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await _count_in_transaction(db)
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await db.fetchval(COUNT)
    await other.close()
    assert await db.fetchval(COUNT) == 0


async def test_a_transaction_left_idle_is_ended_by_the_server(database: Database):
    async def idle() -> None:
        async with database.transaction() as tx:
            await tx.execute(text("set local idle_in_transaction_session_timeout = 50"))
            await asyncio.sleep(0.4)
            await _add(tx)

    with pytest.raises(DatabaseUnavailable):
        await idle()
    assert await _count_in_transaction(database) == 0


async def test_deadlocks_and_serialization_failures_may_be_tried_again(database: Database, database_url: str):
    other = await asyncpg.connect(database_url)

    async def conflict() -> None:
        async with database.transaction() as tx:
            await tx.execute(text("set transaction isolation level repeatable read"))
            await tx.execute(text(COUNT))
            await other.execute("update users set city = 'a' where legacy_id = 1")
            await tx.execute(text("update users set city = 'b' where legacy_id = 1"))

    with pytest.raises(DatabaseUnavailable, match="could not serialize"):
        await conflict()
    await other.close()


async def test_a_broken_rule_keeps_its_name(database: Database):
    async def break_it() -> None:
        async with database.transaction() as tx:
            await _add(tx, "")

    with pytest.raises(exc.IntegrityError) as broken:
        await break_it()
    assert violated_constraint(broken.value) == "ck_jobs_kind_length"
    assert violated_constraint(ValueError()) is None


async def test_our_own_mistakes_are_not_mistaken_for_an_outage(database: Database):
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("select * from nowhere")
    with pytest.raises(asyncpg.DataError):
        await database.fetch("select $1::int", "seven")
    with pytest.raises(asyncpg.InterfaceError, match="expects 0 arguments"):
        await database.fetch("select 1", 2)
    with pytest.raises(exc.ProgrammingError):
        async with database.transaction() as tx:
            await tx.execute(text("select * from nowhere"))
    with pytest.raises(OSError, match="not ours"):
        async with database.transaction():
            raise OSError("not ours")


async def test_who_hangs_up_frees_the_connection(open_database: OpenDatabase):
    db = await open_database(database_pool_size=2)
    for work in (db.fetch("select pg_sleep(4)"), _sleep_in_transaction(db)):
        task = asyncio.create_task(work)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        started = time.monotonic()
        await db.fetchval("select 1")
        assert await _count_in_transaction(db) == 0
        assert time.monotonic() - started < 3


async def test_every_connection_has_its_limits_and_its_name(database: Database):
    names = ("application_name", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    wanted = {"application_name": "bilten", "statement_timeout": "5s", "lock_timeout": "2s",
              "idle_in_transaction_session_timeout": "15s"}  # fmt: skip
    assert {name: await database.fetchval("select current_setting($1)", name) for name in names} == wanted
    assert await database.fetchval("select current_setting('jit')") == "off"
    async with database.transaction() as tx:
        show = text("select current_setting(:name)")
        assert {name: await tx.scalar(show, {"name": name}) for name in names} == wanted


async def test_a_budget_beyond_what_the_server_allows_is_warned_about_once(open_database: OpenDatabase):
    with capture_logs() as logs:
        db = await open_database(database_pool_size=500)
        await asyncio.gather(*(db.ping() for _ in range(3)), _count_in_transaction(db))
    (warning,) = [entry for entry in logs if entry["event"] == "database_pool_exceeds_server"]
    assert "may open 501 connections, the server allows" in warning["advice"]
    assert warning["log_level"] == "warning"


async def test_the_database_is_seen_to_be_there_while_every_connection_waits(open_database: OpenDatabase):
    db = await open_database(database_pool_size=2)
    async with db.transaction() as tx:
        await tx.execute(text("select pg_advisory_xact_lock(1)"))
        waiting = asyncio.create_task(db.fetchval("select pg_advisory_lock(1)"))
        assert await db.ping() > 0
        assert not waiting.done()
    await waiting


async def test_sqlalchemys_spelling_of_the_url_is_understood(database_url: str):
    db = Database(make_settings(database_url.replace("postgresql:", "postgresql+asyncpg:")))
    await db.open()
    assert await db.fetchval("select 1") == 1
    assert await _count_in_transaction(db) == 0
    await db.close()


async def test_reading_before_opening_is_our_mistake(database_url: str):
    with pytest.raises(RuntimeError, match=r"open\(\) was not called"):
        await Database(make_settings(database_url)).fetchval("select 1")
