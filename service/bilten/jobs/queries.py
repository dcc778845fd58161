"""How jobs are written, leased to workers and brought to their end. Every time in it is the database's.

A worker may write to a job only while its name is on the lease: each statement that ends a run says so, and answers
whether it held.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.jobs import payload as payloads
from bilten.jobs.tables import jobs
from bilten.settings import Settings

#: `ck_jobs_last_error_length` allows more; this much says what was wrong.
MAX_ERROR_LENGTH = 1000

_OPEN = jobs.c.finished_at.is_(None) & jobs.c.dead_at.is_(None)
_NO_LEASE = {"locked_by": None, "locked_until": None}

# Materialised, because as a subquery the planner may run it more than once and lease more than the limit. NO KEY
# UPDATE, because rows that point to a job (a mail being written) hold a key lock on it, and that is no reason to wait.
_LEASE = text("""
    with due as materialized (
        select id from jobs
        where finished_at is null and dead_at is null and run_at <= now()
          and (locked_until is null or locked_until < now()) and kind = any(:kinds)
        order by run_at, id limit :at_most
        for no key update skip locked
    )
    update jobs set locked_by = :worker, locked_until = now() + make_interval(secs => :lease_s), attempts = attempts + 1
    from due where jobs.id = due.id
    returning jobs.id, kind, payload, attempts, max_attempts
""").columns(jobs.c.id, jobs.c.kind, jobs.c.payload, jobs.c.attempts, jobs.c.max_attempts)


@dataclass(frozen=True, slots=True)
class Leased:
    """A job that is this worker's until its lease ends."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits. `oldest_age_s` is how long the longest-waiting due job has been due, in seconds."""

    open: int
    dead: int
    oldest_age_s: float


async def enqueue(
    tx: AsyncConnection,
    settings: Settings,
    kind: str,
    payload: Mapping[str, Any],
    *,
    run_at: datetime | None = None,
    dedupe_key: str | None = None,
) -> UUID:
    """Write a job in the caller's transaction: it exists when, and only when, the rest of the transaction does.

    It runs as soon as `run_at` (default: at once) has passed. While a job with the same `dedupe_key` is open no other
    one is made, and the open one's id comes back; it may be running already, with what it read before.
    """
    values: dict[str, Any] = {
        "kind": kind,
        "payload": payloads.seal(settings, kind, payload),
        "max_attempts": settings.worker_max_attempts,
        "dedupe_key": dedupe_key,
    }
    if run_at is not None:
        values["run_at"] = run_at
    put = (
        insert(jobs)
        .values(values)
        .on_conflict_do_nothing(index_elements=["dedupe_key"], index_where=_OPEN)
        .returning(jobs.c.id)
    )
    there = select(jobs.c.id).where(jobs.c.dedupe_key == dedupe_key, _OPEN)
    found: UUID | None = None
    while found is None:  # again when the open one ended between the two statements
        found = (await tx.execute(put)).scalar() or (await tx.execute(there)).scalar()
    return found


async def lease(
    tx: AsyncConnection, *, worker: str, kinds: Collection[str], at_most: int, lease_s: float
) -> Sequence[Leased]:
    """Take up to `at_most` due jobs of these kinds, the longest due first, for `lease_s` seconds."""
    rows = await tx.execute(_LEASE, {"worker": worker, "kinds": list(kinds), "at_most": at_most, "lease_s": lease_s})
    return [Leased(**row) for row in rows.mappings()]


async def extend(tx: AsyncConnection, *, worker: str, ids: Collection[UUID], lease_s: float) -> set[UUID]:
    """Lengthen the leases that are still this worker's; the ids that are missing in the answer are lost."""
    change = _of(worker).where(jobs.c.id.in_(ids)).values(locked_until=_in(lease_s)).returning(jobs.c.id)
    return set((await tx.execute(change)).scalars())


async def finish(tx: AsyncConnection, *, worker: str, id: UUID) -> bool:
    """Done: what it needed to know is forgotten."""
    return await _end(tx, worker, id, finished_at=func.now(), payload=payloads.CLEARED)


async def retry_later(tx: AsyncConnection, *, worker: str, id: UUID, error: str, delay_s: float) -> bool:
    """Failed, to be tried again in `delay_s` seconds. `error` must hold no secret."""
    return await _end(tx, worker, id, run_at=_in(delay_s), last_error=error[:MAX_ERROR_LENGTH])


async def bury(tx: AsyncConnection, *, worker: str, id: UUID, error: str) -> bool:
    """Failed for good: a dead letter, kept with its payload until somebody looks. `error` must hold no secret."""
    return await _end(tx, worker, id, dead_at=func.now(), last_error=error[:MAX_ERROR_LENGTH])


async def give_back(tx: AsyncConnection, *, worker: str) -> int:
    """Return all leases of a worker that stops; the broken-off attempts do not count. How many there were."""
    change = _of(worker).values(**_NO_LEASE, attempts=func.greatest(jobs.c.attempts - 1, 0))
    return (await tx.execute(change)).rowcount


async def backlog(tx: AsyncConnection) -> Backlog:
    """What waits for any worker, of all kinds."""
    waiting = _OPEN & (jobs.c.run_at <= func.now())
    age = func.coalesce(func.extract("epoch", func.now() - func.min(jobs.c.run_at)), 0)
    open_jobs, dead, oldest = (
        await tx.execute(
            select(
                select(func.count()).where(_OPEN).scalar_subquery(),
                select(func.count()).where(jobs.c.dead_at.is_not(None)).scalar_subquery(),
                select(age).where(waiting).scalar_subquery(),
            )
        )
    ).one()
    return Backlog(open_jobs, dead, float(oldest))


async def overview(tx: AsyncConnection, *, dead_only: bool, at_most: int) -> Sequence[Any]:
    """The newest jobs, or dead letters, without their payloads."""
    columns = [column for column in jobs.c if column is not jobs.c.payload]
    listed = select(*columns).order_by(jobs.c.created_at.desc(), jobs.c.id).limit(at_most)
    if dead_only:
        listed = listed.where(jobs.c.dead_at.is_not(None))
    return (await tx.execute(listed)).all()


async def revive(tx: AsyncConnection, ids: Collection[UUID] | None) -> int:
    """Make dead letters (these, or all for None) due again with a fresh count of attempts. How many there were.

    Raises `sqlalchemy.exc.IntegrityError` when an open job has the same dedupe key.
    """
    change = update(jobs).where(jobs.c.dead_at.is_not(None))
    if ids is not None:
        change = change.where(jobs.c.id.in_(ids))
    return (await tx.execute(change.values(dead_at=None, attempts=0, run_at=func.now()))).rowcount


def _of(worker: str) -> Update:
    return update(jobs).where(jobs.c.locked_by == worker)


def _in(seconds: float) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)


async def _end(tx: AsyncConnection, worker: str, id: UUID, **values: Any) -> bool:
    change = _of(worker).where(jobs.c.id == id).values(**_NO_LEASE, **values)
    return (await tx.execute(change)).rowcount == 1
