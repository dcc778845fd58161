"""What the worker tidies up from time to time: rows that have had their time and that nothing reads any more.

Every worker does it, but an advisory lock lets only one at a time do the same chore. Rows go in batches of their own
transactions, so that no lock is held long and a chore that is broken off has done what it did.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import text

from bilten.db.database import Database
from bilten.jobs.outage import Patience

EVERY_S = 600.0
BATCH = 1000

#: A revoked token is still read for a moment after its end (`tokens.LEEWAY_S`), by clocks that may be behind.
_AFTER_EXPIRY = timedelta(minutes=10)
#: A job that is done knows nothing any more; a week of them shows what the worker has been doing.
_DONE_JOBS = timedelta(days=7)
#: A dead letter keeps its payload, with addresses and links in it. Whoever has not retried it for a quarter never will.
_DEAD_LETTERS = timedelta(days=90)

_TRY_LOCK = text("select pg_try_advisory_xact_lock(hashtextextended(:chore, 0))")
# An array, because the planner may run a subquery with a limit more than once; ctid, because every table has it.
_DELETE = """
    delete from {table} where ctid = any(array(
        select ctid from {table} where {end} < now() - cast(:age as interval)
        order by {end} limit :batch for update skip locked
    ))
"""

log = structlog.get_logger("bilten.worker")


@dataclass(frozen=True, slots=True)
class Chore:
    """Rows of `table` that are deleted once the time in the column `end` is longer ago than `after`."""

    table: str
    end: str
    after: timedelta


# Replaced refresh tokens stay until they would have expired: they are how a stolen one is recognised.
CHORES = (
    Chore("revoked_tokens", "expires_at", _AFTER_EXPIRY),
    Chore("one_time_tokens", "expires_at", _AFTER_EXPIRY),
    Chore("refresh_tokens", "expires_at", _AFTER_EXPIRY),
    Chore("sessions", "expires_at", _AFTER_EXPIRY),
    Chore("idempotency_keys", "expires_at", _AFTER_EXPIRY),
    Chore("jobs", "finished_at", _DONE_JOBS),
    Chore("jobs", "dead_at", _DEAD_LETTERS),
)


async def run(db: Database, patience: Patience) -> None:
    """Do all chores every ten minutes until cancelled."""
    while True:
        for chore in CHORES:
            await patience.attempt(partial(tidy, db, chore))
        await asyncio.sleep(EVERY_S)


async def tidy(db: Database, chore: Chore) -> int:
    """Do one chore to its end; how many rows went. None go while another worker does the same chore."""
    total = 0
    while deleted := await _batch(db, chore):
        total += deleted
        if deleted < BATCH:
            break
    if total:
        log.info("tidied", table=chore.table, rows=total)
    return total


async def _batch(db: Database, chore: Chore) -> int:
    async with db.transaction() as tx:
        if not (await tx.execute(_TRY_LOCK, {"chore": f"bilten chore {chore.table}"})).scalar_one():
            return 0
        delete = text(_DELETE.format(table=chore.table, end=chore.end))
        return (await tx.execute(delete, {"age": chore.after, "batch": BATCH})).rowcount
