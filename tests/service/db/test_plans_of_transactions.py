"""What every request and every worker asks for is found by indexes: who asks, by which token, what is to be done."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg
import pytest
from bilten.accounts import link_queries, session_queries
from bilten.accounts import queries as accounts
from bilten.db.database import Database
from bilten.files import reference_queries
from bilten.idempotency import queries as idempotency
from bilten.jobs import queries as jobs
from bilten.jobs import schedule
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from support.large import USER
from support.plans import plan_of, plans_of_calls, refuse_scans

AN_ID = UUID("550e8400-e29b-41d4-a716-446655440101")
A_KEY = idempotency.KeyUse(principal="anonymous", route="POST /auth/register", key="7", body_hash=b"h" * 32)
Calls = Callable[[AsyncConnection], Awaitable[object]]


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (accounts.LIVE_SESSION, [AN_ID, USER, AN_ID]),
        (accounts.BY_EMAIL, ["user7@example.com"]),
        (accounts.BY_ID, [USER]),
    ],
    ids=["token check", "login", "current account"],
)
async def test_who_asks_is_found_by_indexes(connection: asyncpg.Connection, statement: str, values: list[object]):
    plan = await plan_of(connection, statement, *values)
    refuse_scans(plan)
    assert plan.cost < 100, str(plan)


async def _use_a_session(tx: AsyncConnection) -> None:
    session = await tx.scalar(text("select id from sessions limit 1"))
    account = await session_queries.prolong_session(tx, session, lifetime_s=60)
    await session_queries.end_sessions(tx, account.id, reason="test")


@pytest.mark.parametrize(
    "calls",
    [
        pytest.param(lambda tx: session_queries.claim_refresh_token(tx, "t"), id="refresh"),
        pytest.param(lambda tx: session_queries.refresh_token_history(tx, "t", grace_s=10), id="old refresh token"),
        pytest.param(lambda tx: link_queries.one_time_token(tx, "t", ["verify_email"]), id="look at a link"),
        pytest.param(lambda tx: link_queries.use_one_time_token(tx, "t", ["verify_email"]), id="use a link"),
        pytest.param(lambda tx: link_queries.end_one_time_tokens(tx, USER, ["verify_email"]), id="end links"),
        pytest.param(lambda tx: jobs.lease(tx, worker="w", kinds=["mail.send"], at_most=8, lease_s=60), id="job lease"),
        pytest.param(jobs.backlog, id="jobs that wait"),
        pytest.param(lambda tx: idempotency.find(tx, A_KEY), id="idempotency key"),
        pytest.param(lambda tx: accounts.lock_user(tx, USER), id="lock an account"),
        pytest.param(lambda tx: reference_queries.public_file(tx, "no such key"), id="the file at an address"),
    ],
)
async def test_a_hot_read_or_write_of_a_transaction_finds_its_rows_by_indexes(large: Database, calls: Calls):
    plans = await plans_of_calls(large, calls)
    assert plans
    for plan in plans:
        refuse_scans(plan)
        assert plan.cost < 1000, str(plan)


async def test_a_session_is_used_and_ended_by_indexes(large: Database):
    _, *plans = await plans_of_calls(large, _use_a_session)
    assert len(plans) == 3
    for plan in plans:
        refuse_scans(plan)


@pytest.mark.parametrize("chore", schedule.CHORES, ids=lambda chore: f"{chore.table} {chore.end}")
async def test_what_has_had_its_time_is_found_by_an_index(large: Database, chore: schedule.Chore):
    async def tidy(_tx: AsyncConnection) -> None:
        assert await schedule.tidy(large, chore) > 0

    for plan in await plans_of_calls(large, tidy):
        refuse_scans(plan)
