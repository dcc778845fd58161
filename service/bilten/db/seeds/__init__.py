"""`bilten seed`: the sample accounts, events and articles that every document and the frontend's mock know.

Inserted once and then left alone: a changed password, an edited or withdrawn event stay as they are. The one exception
is the event that is always running, which gets new dates when it is over.
"""

import argparse
import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten import settings
from bilten.accounts.passwords import ARGON2
from bilten.accounts.tables import users
from bilten.articles.tables import articles
from bilten.beside import borrow_settings
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable, causes
from bilten.db.seeds import rows
from bilten.events.tables import events, ticket_types


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """How many rows were inserted; all zero when everything was there already."""

    accounts: int
    events: int
    ticket_types: int
    articles: int


async def seed(db: Database) -> SeedCounts:
    """Insert what is missing of the sample data, in one transaction. Raises `DatabaseUnavailable`."""
    now = datetime.now(UTC)
    async with db.transaction() as tx:
        accounts = await _seed_accounts(tx)
        new_events = await _insert_missing(tx, events, rows.event_rows(await _organizer(tx), now))
        # With their event or not at all: a ticket type that its organizer removed does not come back.
        new_types = await _insert_missing(tx, ticket_types, rows.ticket_type_rows(new_events)) if new_events else []
        new_articles = await _insert_missing(tx, articles, rows.article_rows())
        await tx.execute(
            update(events)
            .where(events.c.id == rows.event_id(rows.LIVE_EVENT), events.c.end_date < func.now())
            .values(rows.live_dates(now))
        )
    return SeedCounts(accounts, len(new_events), len(new_types), len(new_articles))


async def _seed_accounts(tx: AsyncConnection) -> int:
    missing = await _missing(tx, users, rows.account_rows())
    for row in missing:
        row["password_hash"] = await asyncio.to_thread(ARGON2.hash, row.pop("password"))
    return len(await _insert(tx, users, missing))


async def _organizer(tx: AsyncConnection) -> UUID:
    """Whom the sample events belong to: the sample organizer, or who took that address before."""
    own = next(row["id"] for row in rows.account_rows() if row["email"] == rows.ORGANIZER)
    candidates = select(users.c.id).where((users.c.id == own) | (users.c.email == rows.ORGANIZER))
    organizer: UUID = (await tx.scalars(candidates.order_by(users.c.id != own).limit(1))).one()
    return organizer


async def _insert_missing(tx: AsyncConnection, table: Table, wanted: list[rows.Row]) -> list[rows.Row]:
    return await _insert(tx, table, await _missing(tx, table, wanted))


async def _missing(tx: AsyncConnection, table: Table, wanted: list[rows.Row]) -> list[rows.Row]:
    there = set(await tx.scalars(select(table.c.id).where(table.c.id.in_([row["id"] for row in wanted]))))
    return [row for row in wanted if row["id"] not in there]


async def _insert(tx: AsyncConnection, table: Table, new: list[rows.Row]) -> list[rows.Row]:
    """Insert what meets no other row's unique value (an address that somebody registered) and say what it was."""
    if not new:
        return []
    statement = insert(table).values(new).on_conflict_do_nothing().returning(table.c.id)
    inserted = set(await tx.scalars(statement))
    return [row for row in new if row["id"] in inserted]


async def _run(configuration: settings.Settings) -> SeedCounts:
    db = Database(configuration)
    await db.open()
    try:
        return await seed(db)
    finally:
        await db.close()


def main(argv: list[str]) -> int:
    """Run `bilten seed` and return its exit status: 0 done, 1 failed or refused."""
    argparse.ArgumentParser(
        prog="bilten seed", description="Insert the sample accounts, events and articles; what is there stays as it is."
    ).parse_args(argv)
    try:
        borrow_settings()
        configuration = settings.load()
        if configuration.production:
            sys.stderr.write("bilten seed: refused in production, because everybody knows the sample passwords.\n")
            return 1
        counts = asyncio.run(_run(configuration))
    except (settings.SettingsError, DatabaseUnavailable) as error:
        sys.stderr.write(f"bilten seed: {error}\n")
        return 1
    except ProgrammingError as error:
        if not any(isinstance(cause, asyncpg.UndefinedTableError) for cause in causes(error)):
            raise
        sys.stderr.write("bilten seed: the database has no schema yet. Run `bilten migrate` first.\n")
        return 1
    sys.stdout.write(
        f"Inserted {counts.accounts} accounts, {counts.events} events with {counts.ticket_types} ticket types "
        f"and {counts.articles} articles.\n"
    )
    return 0
