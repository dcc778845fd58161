"""The tables in the code and the tables in a migrated database are the same."""

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from bilten.db.database import Database
from bilten.db.schema import metadata
from bilten.jobs import schedule
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from support.catalog import schema_of

_LEADING_COLUMNS = """
select indrelid::regclass || '.' || attname
from pg_index join pg_attribute on attrelid = indrelid and attnum = indkey[0]
"""
_UNINDEXED_FOREIGN_KEYS = """
select conrelid::regclass::text || '.' || attname
from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
where contype = 'f' and not exists (
    select from pg_index where indrelid = conrelid and indkey[0] = conkey[1] and indpred is null
)
"""


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_alembic_finds_nothing_that_a_migration_forgot(database: Database):
    async with database.transaction() as tx:
        assert await tx.run_sync(_differences) == []


@pytest.mark.parametrize("part", ["columns", "constraints", "indexes"])
async def test_migrations_and_tables_make_the_same_schema(database_url: str, empty_database_url: str, part: str):
    """Word by word as Postgres understood it: Alembic compares neither checks nor operator classes."""
    engine = create_async_engine(empty_database_url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("create extension pg_trgm")
        await connection.exec_driver_sql("create extension btree_gist")
        await connection.run_sync(metadata.create_all)
    await engine.dispose()

    migrated, described = await schema_of(database_url), await schema_of(empty_database_url)
    assert migrated[part] == described[part]
    assert len(migrated[part]) > 10


async def test_every_foreign_key_is_found_by_an_index(database_url: str):
    """Without one, deleting the row it points to reads the whole table."""
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetch(_UNINDEXED_FOREIGN_KEYS) == []
    finally:
        await connection.close()


async def test_what_the_worker_deletes_is_found_by_an_index(database: Database):
    found = {row[0] for row in await database.fetch(_LEADING_COLUMNS)}
    assert {f"{chore.table}.{chore.end}" for chore in schedule.CHORES} <= found


async def test_every_updated_at_is_kept_by_a_trigger(database: Database, database_url: str):
    async with database.transaction() as tx:
        tables = await tx.run_sync(
            lambda sync: [
                table
                for table in inspect(sync).get_table_names()
                if any(column["name"] == "updated_at" for column in inspect(sync).get_columns(table))
            ]
        )
    triggers = (await schema_of(database_url))["triggers"]
    assert tables
    assert [table for table in tables if f"{table}.set_updated_at" not in triggers] == []
