"""`bilten migrate`, and the automatic migration at start: moves a database along the line, one mover at a time.

A session-level advisory lock makes a second mover wait for the first and then find nothing left to do, so it must
reach Postgres directly, not through a transaction pooler.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from alembic import command
from alembic.migration import MigrationContext
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bilten import settings
from bilten.beside import borrow_settings
from bilten.db import revisions
from bilten.db.migration_errors import MigrationError, MigrationUnavailable, explained
from bilten.db.revisions import known_revisions, sql
from bilten.db.url import driver_url

__all__ = ["MigrationError", "current_heads", "downgrade", "known_revisions", "main", "migrate", "sql", "upgrade"]

#: Key of the advisory lock: the ASCII of "bilten", so that a human finds it in pg_locks.
LOCK_KEY = int.from_bytes(b"bilten", "big")
LOCK_WAIT_S = 60.0
_SAY_AFTER_S = 1.0
_CONNECT_S = 5
# DDL queues before every later query of its table: better to fail and be tried again than to hold up the API.
_LOCK_TIMEOUT_MS = 5_000

Report = Callable[[str], None]


def _silent(_line: str) -> None:
    pass


def migrate(database_url: str, to: str = "head", *, report: Report = _silent) -> list[str]:
    """Apply or undo revisions until `to` is the newest; undoing loses what they held.

    Returns the revisions applied or undone. `report` gets a line for each, and one when another migration has to be
    waited for. Starts an event loop of its own: from async code call it in a thread. Raises `MigrationError`.
    """
    return asyncio.run(_move(database_url, to, report, {"up", "down"}))


def upgrade(database_url: str, to: str = "head", *, report: Report = _silent) -> list[str]:
    """As `migrate`, but only forward: a database that is further than `to` is left alone."""
    return asyncio.run(_move(database_url, to, report, {"up"}))


def downgrade(database_url: str, to: str, *, report: Report = _silent) -> list[str]:
    """As `migrate`, but only back; `base` undoes everything."""
    return asyncio.run(_move(database_url, to, report, {"down"}))


def current_heads(database_url: str) -> tuple[str, ...]:
    """The revision the database is at; empty when it was never migrated. Raises `MigrationError`."""

    async def read() -> tuple[str, ...]:
        async with _connection(database_url) as connection:
            return await connection.run_sync(_heads)

    return asyncio.run(read())


async def _move(database_url: str, to: str, report: Report, ways: set[str]) -> list[str]:
    async with _connection(database_url) as connection, _lock(connection, report):
        return await connection.run_sync(_run, to, report, ways)


def _run(connection: Connection, to: str, report: Report, ways: set[str]) -> list[str]:
    here = revisions.position_of_database(_heads(connection))
    there = revisions.position(to, here)
    connection.commit()  # Alembic begins a transaction for each revision only when none is open
    done: list[str] = []

    def applied(*, step: Any, **_: Any) -> None:
        done.append(step.up_revision_id)
        report(f"{'Applied' if step.is_upgrade else 'Undid'} {done[-1]}: {revisions.summary(done[-1])}.")

    config = revisions.config()
    config.attributes.update(connection=connection, on_version_apply=applied)
    if there > here and "up" in ways:
        command.upgrade(config, revisions.name(there))
    elif there < here and "down" in ways:
        command.downgrade(config, revisions.name(there))
    else:
        report(f"Nothing to do: the database is at {revisions.name(here)}.")
    return done


def _heads(connection: Connection) -> tuple[str, ...]:
    return MigrationContext.configure(connection).get_current_heads()


@asynccontextmanager
async def _connection(database_url: str) -> AsyncIterator[AsyncConnection]:
    def connect() -> Any:
        limits = {"statement_timeout": "0", "lock_timeout": str(_LOCK_TIMEOUT_MS)}
        return asyncpg.connect(
            driver_url(database_url),
            timeout=_CONNECT_S,
            server_settings={"application_name": "bilten-migrate", **limits},
        )

    try:
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        async with engine.connect() as connection:
            yield connection
    except Exception as error:
        sentence = explained(error, database_url)
        if sentence is None or sentence is error:
            raise
        raise sentence from error


@asynccontextmanager
async def _lock(connection: AsyncConnection, report: Report) -> AsyncIterator[None]:
    started = time.monotonic()
    said = False
    key = {"key": LOCK_KEY}
    while not await connection.scalar(text("select pg_try_advisory_lock(:key)"), key):
        await connection.commit()
        waited = time.monotonic() - started
        if waited > LOCK_WAIT_S:
            raise MigrationUnavailable(
                f"Another migration of this database has been running for {LOCK_WAIT_S:.0f} s. "
                "Wait for it, or end it (pg_locks shows who holds the advisory lock), then try again."
            )
        if waited > _SAY_AFTER_S and not said:
            report("Waiting for another migration of this database to finish.")
            said = True
        await asyncio.sleep(0.1)
    await connection.commit()
    yield
    # Only after success: an error ends the connection, and with it the lock.
    await connection.execute(text("select pg_advisory_unlock(:key)"), key)
    await connection.commit()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bilten migrate", description="Bring the database's schema to a revision.")
    parser.add_argument(
        "--to",
        default="head",
        metavar="REV",
        help="revision to reach, forward or back: head, base, +1, -1 or its number",
    )
    parser.add_argument(
        "--sql",
        action="store_true",
        help="print the statements instead of running them; with --to FROM:TO no database is asked where it is",
    )
    return parser.parse_args(argv)


def _print_sql(database_url: Callable[[], str], to: str) -> None:
    start, colon, end = to.partition(":")
    if not colon:
        here = revisions.position_of_database(current_heads(database_url()))
        start, end = revisions.name(here), revisions.name(revisions.position(to, here))
    sys.stdout.write(sql(end, start))


class _Target(BaseSettings):
    """The one setting that a migration needs: it may run where the API's secrets are not."""

    model_config = settings.Settings.model_config
    database_url: SecretStr


def _database_url() -> str:
    borrow_settings()
    return _Target().database_url.get_secret_value()


def main(argv: list[str]) -> int:
    """Run `bilten migrate` and return its exit status: 0 done, 1 failed, 2 used wrongly."""
    arguments = _arguments(argv)

    try:
        if arguments.sql:
            _print_sql(_database_url, arguments.to)
        else:
            migrate(_database_url(), arguments.to, report=print)
    except (MigrationError, settings.SettingsError) as error:
        sys.stderr.write(f"bilten migrate: {error}\n")
        return 1
    return 0
