"""The worker tidies up what has had its time, and nothing else."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from bilten.accounts.tables import one_time_tokens, refresh_tokens, revoked_tokens, sessions, users
from bilten.db.database import Database
from bilten.idempotency.tables import idempotency_keys
from bilten.jobs import schedule
from bilten.settings import Settings
from sqlalchemy import ColumnElement, Insert, func, text
from support.jobs import change, put, until, working

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def _in(left: timedelta) -> ColumnElement[object]:
    return func.now() + left


@dataclass(frozen=True)
class Account:
    user: UUID
    session: UUID


#: Per table: a row that ends in the given time.
_ENDING: dict[str, Callable[[Account, UUID, timedelta], Insert]] = {
    "revoked_tokens": lambda account, key, left: revoked_tokens.insert().values(
        jti=key, user_id=account.user, expires_at=_in(left), reason="logout"
    ),
    "one_time_tokens": lambda account, key, left: one_time_tokens.insert().values(
        id=key, user_id=account.user, purpose="verify_email", token_hash=os.urandom(32),
        created_at=_in(-40 * DAY), expires_at=_in(left),
    ),
    "refresh_tokens": lambda account, key, left: refresh_tokens.insert().values(
        id=key, session_id=account.session, token_hash=os.urandom(32), replaced_at=_in(-39 * DAY),
        created_at=_in(-40 * DAY), expires_at=_in(left),
    ),
    "sessions": lambda account, key, left: sessions.insert().values(
        id=key, user_id=account.user, created_at=_in(-40 * DAY), expires_at=_in(left)
    ),
    "idempotency_keys": lambda _account, key, left: idempotency_keys.insert().values(
        principal="anonymous", route="POST /events", key=str(key), body_hash=os.urandom(32), status=201,
        body=b"sealed", created_at=_in(-40 * DAY), expires_at=_in(left),
    ),
}  # fmt: skip
_KEY = {"revoked_tokens": "jti", "idempotency_keys": "key"}


def _chore(table: str, end: str = "expires_at") -> schedule.Chore:
    return next(chore for chore in schedule.CHORES if (chore.table, chore.end) == (table, end))


@pytest.fixture
async def account(db: Database) -> Account:
    made = Account(uuid4(), uuid4())
    async with db.transaction() as tx:
        await tx.execute(
            users.insert().values(
                id=made.user, email="chores@example.com", password_hash="x", first_name="Ada", last_name=""
            )
        )
        await tx.execute(_ENDING["sessions"](made, made.session, 6 * DAY))
    return made


async def _insert(db: Database, account: Account, table: str, *lefts: timedelta) -> set[str]:
    made = set()
    async with db.transaction() as tx:
        for left in lefts:
            key = uuid4()
            await tx.execute(_ENDING[table](account, key, left))
            made.add(str(key))
    return made


async def _ids(db: Database, table: str) -> set[str]:
    rows = await db.fetch(f"select {_KEY.get(table, 'id')}::text from {table}")  # noqa: S608 names of this file
    return {row[0] for row in rows}


@pytest.mark.parametrize("table", _ENDING)
async def test_rows_go_ten_minutes_after_they_expired(db: Database, account: Account, table: str):
    there_before = await _ids(db, table)
    kept = await _insert(db, account, table, -9 * MINUTE, MINUTE, 5 * DAY)
    await _insert(db, account, table, -11 * MINUTE, -5 * DAY)
    assert await schedule.tidy(db, _chore(table)) == 2
    assert await _ids(db, table) == there_before | kept


async def test_an_expired_session_takes_its_tokens_along(db: Database, account: Account):
    await _insert(db, account, "refresh_tokens", 5 * DAY)
    await change(db, "update sessions set expires_at = now() - interval '1 hour'")
    await schedule.tidy(db, _chore("sessions"))
    assert await _ids(db, "refresh_tokens") == set()


async def test_done_jobs_go_after_a_week_and_dead_letters_after_a_quarter(db: Database, settings: Settings):
    done, recently_done, dead, recently_dead, waiting = [await put(db, settings) for _ in range(5)]
    await change(db, "update jobs set created_at = now() - interval '200 days', run_at = created_at")
    await change(db, "update jobs set finished_at = now() - interval '8 days' where id = :id", id=done)
    await change(db, "update jobs set finished_at = now() - interval '6 days' where id = :id", id=recently_done)
    await change(db, "update jobs set dead_at = now() - interval '91 days' where id = :id", id=dead)
    await change(db, "update jobs set dead_at = now() - interval '89 days' where id = :id", id=recently_dead)
    assert await schedule.tidy(db, _chore("jobs", "finished_at")) == 1
    assert await schedule.tidy(db, _chore("jobs", "dead_at")) == 1
    assert await _ids(db, "jobs") == {str(recently_done), str(recently_dead), str(waiting)}


async def test_a_chore_goes_on_until_nothing_is_left(db: Database, account: Account, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schedule, "BATCH", 3)
    await _insert(db, account, "revoked_tokens", *[-DAY] * 8)
    assert await schedule.tidy(db, _chore("revoked_tokens")) == 8


async def test_only_one_worker_at_a_time_does_a_chore(db: Database, account: Account):
    await _insert(db, account, "revoked_tokens", -DAY)
    async with db.transaction() as tx:
        await tx.execute(text("select pg_advisory_xact_lock(hashtextextended('bilten chore revoked_tokens', 0))"))
        # Another task, hence a transaction of its own.
        assert await asyncio.create_task(schedule.tidy(db, _chore("revoked_tokens"))) == 0
    assert await schedule.tidy(db, _chore("revoked_tokens")) == 1


async def test_a_worker_does_its_chores(db: Database, settings: Settings, account: Account):
    await _insert(db, account, "revoked_tokens", -DAY)

    async def tidied() -> bool:
        return not await _ids(db, "revoked_tokens")

    async with working(db, [], settings):
        await until(tidied)
