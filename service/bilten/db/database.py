"""The way to Postgres: transactions on SQLAlchemy, hot reads on asyncpg, one budget of connections for both.

In front of each pool stands a fair semaphore. The pools themselves wake a waiter that then finds its connection taken
and queues again at the end (asyncpg #1247, SQLAlchemy #7679): under load that starves some requests for seconds.
"""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bilten.db.connections import CapacityCheck, connect_arguments, speak_json
from bilten.db.errors import DatabaseUnavailable, unavailable
from bilten.db.open_connections import OpenConnections
from bilten.settings import Settings

_READ_SHARE = 0.6
# A connection given back while its statement is being cancelled gets this long; then it is dropped.
_RELEASE_S = 1.0
_CLOSE_S = 2.0


@dataclass(slots=True)
class _Unit:
    """A transaction under way, and the task it belongs to."""

    database: Database
    task: asyncio.Task[Any] | None
    connection: AsyncConnection
    failed: bool = False


_current: ContextVar[_Unit | None] = ContextVar("bilten_db_transaction", default=None)


class Database:
    """One process's connections to Postgres. Every method raises `DatabaseUnavailable` for "not now"."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._readers = max(1, min(settings.database_pool_size - 1, round(settings.database_pool_size * _READ_SHARE)))
        self._writers = settings.database_pool_size - self._readers
        self._check_capacity = CapacityCheck(settings.database_pool_size + 1)
        self._read_slots = asyncio.Semaphore(self._readers)
        self._write_slots = asyncio.Semaphore(self._writers)
        self._connections = OpenConnections()
        self._engine = self._make_engine()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._probe: asyncpg.Connection[asyncpg.Record] | None = None
        self._probing = asyncio.Lock()

    async def open(self) -> None:
        """Get ready without connecting: Postgres may be down now and come later."""
        self._pool = await asyncpg.create_pool(
            min_size=0,
            max_size=self._readers,
            init=self._prepare_reader,
            reset=_leave_as_is,
            **connect_arguments(self._settings, jit="off", default_transaction_read_only="on"),
        )

    async def close(self) -> None:
        """Close every connection; one that does not hear within two seconds is dropped."""
        await self._connections.close(_CLOSE_S)
        if self._pool is not None:
            self._pool.terminate()
        await self._engine.dispose()

    async def ping(self) -> float:
        """Seconds one round trip takes, on a connection of its own: work that waits for a lock says nothing of it."""
        started = time.perf_counter()
        async with self._probing:
            try:
                if self._probe is None or self._probe.is_closed():
                    self._probe = await self._connect()
                with self._connections.at_work(self._probe.get_server_pid()):
                    await self._probe.fetchval("select 1")
            except Exception as error:
                if self._probe is not None:
                    self._probe.terminate()
                if isinstance(error, OSError):
                    self._connections.drop_idle()
                if refusal := unavailable(error):
                    raise refusal from error
                raise
        return time.perf_counter() - started

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a read. It sees what is committed, not what a transaction of the caller's has yet to commit."""
        async with self._reader() as connection:
            return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row of a read, as `fetch` reads."""
        async with self._reader() as connection:
            return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first value of the first row of a read, as `fetch` reads."""
        async with self._reader() as connection:
            return await connection.fetchval(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Commit on the way out, roll back on an exception.

        Inside another `transaction()` of the same task it joins that one; if it fails, all of it is rolled back, also
        when the exception is caught in between: a part that may fail alone belongs into `tx.begin_nested()`.
        """
        unit = _current.get()
        if unit is not None and unit.database is self and unit.task is asyncio.current_task():
            try:
                yield unit.connection
            except BaseException:
                unit.failed = True
                raise
            return
        async with self._writer() as connection, connection.begin():
            unit = _Unit(self, asyncio.current_task(), connection)
            token = _current.set(unit)
            try:
                yield connection
            finally:
                _current.reset(token)
            if unit.failed:
                raise RuntimeError("a joined transaction failed and its exception was caught; nothing was committed")

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]:
        pool = self._pool
        if pool is None:
            raise RuntimeError("Database.open() was not called")
        async with self._slot(self._read_slots, "reads") as deadline:
            try:
                async with asyncio.timeout_at(deadline):
                    connection = await pool.acquire()
                try:
                    with self._connections.at_work(connection.get_server_pid()):
                        yield connection
                except TimeoutError:
                    connection.terminate()
                    raise
                finally:
                    await _give_back(pool, connection)
            except Exception as error:
                refusal = unavailable(error)
                if refusal is None:
                    raise
                if isinstance(error, OSError):
                    self._connections.drop_idle()
                raise refusal from error

    @asynccontextmanager
    async def _writer(self) -> AsyncIterator[AsyncConnection]:
        async with self._slot(self._write_slots, "transactions") as deadline:
            connection = self._engine.connect()
            try:
                async with asyncio.timeout_at(deadline):
                    await connection.start()
            except Exception as error:
                if refusal := unavailable(error):
                    raise refusal from error
                raise
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                with self._connections.at_work(driver.get_server_pid()):
                    yield connection
            finally:
                # Shielded: a caller that is cancelled here would leave the connection checked out.
                await asyncio.shield(asyncio.ensure_future(connection.close()))

    @asynccontextmanager
    async def _slot(self, slots: asyncio.Semaphore, purpose: str) -> AsyncIterator[float | None]:
        """Wait for a turn. Yields the loop's time by which a connection must be there, None when nobody waited."""
        deadline = None
        if slots.locked():
            limit_s = self._settings.database_acquire_timeout_s
            deadline = asyncio.get_running_loop().time() + limit_s
            try:
                async with asyncio.timeout_at(deadline):
                    await slots.acquire()
            except TimeoutError:
                raise DatabaseUnavailable(f"every connection for {purpose} was busy for {limit_s:g} s") from None
        else:
            await slots.acquire()
        try:
            yield deadline
        finally:
            slots.release()

    async def _prepare_reader(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connections.add(connection)
        await self._check_capacity(connection)
        await speak_json(connection)

    async def _connect(self) -> asyncpg.Connection[asyncpg.Record]:
        connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(**connect_arguments(self._settings))
        self._connections.add(connection)
        await self._check_capacity(connection)
        return connection

    def _make_engine(self) -> AsyncEngine:
        engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self._connect,
            pool_size=self._writers,
            max_overflow=0,
            pool_timeout=self._settings.database_acquire_timeout_s,
            hide_parameters=True,  # an error's text ends in the log, and parameters are passwords' hashes and names
        )
        event.listen(engine.sync_engine, "checkout", _replace_if_closed)
        event.listen(engine.sync_engine, "handle_error", self._tell_not_now)
        return engine

    def _tell_not_now(self, context: ExceptionContext) -> None:
        """Raise `DatabaseUnavailable` where SQLAlchemy would raise its wrapper of the same refusal."""
        refusal = unavailable(context.original_exception)
        if refusal is None:
            return
        if isinstance(context.original_exception, OSError):
            context.is_disconnect = True
            if context.connection is not None:
                # At once: SQLAlchemy would first spend two seconds on taking leave of a server that does not answer.
                driver: Any = context.connection.connection.driver_connection
                driver.terminate()
            self._connections.drop_idle()
        raise refusal from context.original_exception


async def _leave_as_is(_connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Instead of asyncpg's reset: reads leave nothing behind, and its round trip costs a fifth of the throughput."""


async def _give_back(
    pool: asyncpg.Pool[asyncpg.Record], connection: asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
) -> None:
    try:
        await pool.release(connection, timeout=_RELEASE_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # The pool has dropped the connection already; what the caller read, or failed to, stands.
        connection.terminate()


def _replace_if_closed(_dbapi: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Costs nothing, unlike a ping: the loop has seen the server hang up on connections that idled in the pool."""
    driver_connection = record.driver_connection
    if driver_connection is not None and driver_connection.is_closed():
        raise DisconnectionError
