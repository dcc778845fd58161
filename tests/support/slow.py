"""Makes Postgres take its time at a commit, so that a test can do something while one is under way."""

import asyncpg
from support.jobs import until


async def slow_commits(database_url: str, table: str, seconds: float) -> None:
    """From now on a transaction that inserted into `table` takes that long to commit."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        f"""
        create function sleep_at_commit() returns trigger language plpgsql
            as $$ begin perform pg_sleep({seconds}); return null; end $$;
        create constraint trigger slow after insert on {table} deferrable initially deferred
            for each row execute function sleep_at_commit();
        """
    )
    await connection.close()


async def wait_for_a_commit(database_url: str) -> None:
    """Return when a commit is under way. Raises `TimeoutError`."""
    connection = await asyncpg.connect(database_url)
    asleep = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
    try:
        await until(lambda: connection.fetchval(asleep))
    finally:
        await connection.close()
