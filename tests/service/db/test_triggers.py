"""What the database does by itself: time stamps of changes, and the audit log's refusal to change."""

from datetime import datetime

import pytest
from bilten.audit import queries as audit
from bilten.db.database import Database
from bilten.db.errors import violated_constraint
from sqlalchemy import exc, text


async def _newest(db: Database, table: str) -> datetime:
    newest: datetime = await db.fetchval(f"select max(updated_at) from {table}")  # noqa: S608 a name from below
    return newest


async def _change(db: Database, statement: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(text(statement))


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("events", "title = title || '!'"),
        ("events", "view_count = view_count + 1, title = title || '!'"),
        ("events", "deleted_at = now()"),
        ("articles", "tags = tags || 'new'::text"),
        ("users", "city = 'Cairo'"),
        ("ticket_types", "sold = sold + 1"),
    ],
)
async def test_a_change_moves_updated_at(database: Database, table: str, change: str):
    before = await _newest(database, table)
    await _change(database, f"update {table} set {change}")  # noqa: S608 the words above
    assert await _newest(database, table) > before


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("events", "view_count = view_count + 1000"),
        ("events", "bookmark_count = bookmark_count + 1"),
        ("events", "registration_count = registration_count + 1"),
        ("events", "title = title"),
        ("articles", "view_count = view_count + 1"),
        ("users", "updated_at = now() + interval '1 day'"),
    ],
)
async def test_counters_and_idle_writes_leave_updated_at(database: Database, table: str, change: str):
    before = await _newest(database, table)
    await _change(database, f"update {table} set {change}")  # noqa: S608 the words above
    assert await _newest(database, table) == before


async def test_two_changes_in_one_transaction_have_two_times(database: Database):
    async with database.transaction() as tx:
        seen = set()
        for name in ("a", "b", "c"):
            statement = text("update users set city = :name where legacy_id = 1 returning updated_at")
            seen.add(await tx.scalar(statement, {"name": name}))
    assert len(seen) == 3


async def test_the_search_texts_follow_their_parts(database: Database):
    await _change(database, "update events set title = 'ÀB', city = null, venue_address = null where legacy_id = 6")
    row = await database.fetchrow("select search_text, location_text, venue_name from events where legacy_id = 6")
    assert row is not None
    assert row["search_text"].startswith("àb\n")
    assert row["location_text"] == f"{row['venue_name'].lower()}\n\n\negypt"


@pytest.mark.parametrize(
    "statement", ["update audit_log set action = 'x'", "delete from audit_log", "truncate audit_log"]
)
async def test_the_audit_log_cannot_be_changed(database: Database, statement: str):
    async with database.transaction() as tx:
        await audit.record(
            tx,
            actor_id=None,
            action="test.do",
            entity="thing",
            entity_id=7,
            after={"a": [1, None]},
        )
    with pytest.raises(exc.IntegrityError) as refused:
        await _change(database, statement)
    assert violated_constraint(refused.value) == "audit_log_append_only"
    row = await database.fetchrow("select * from audit_log where action = 'test.do'")
    assert row is not None
    assert (row["entity_id"], row["before"], row["after"]) == ("7", None, {"a": [1, None]})
