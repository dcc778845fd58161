"""Migrations run forward and back on data, one at a time, and say what is wrong in one sentence."""

import ast
import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from bilten.db import migrations, revisions
from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable
from bilten.db.migrations import MigrationError
from bilten.db.seeds import seed
from fixtures.api import make_settings
from fixtures.servers import PostgresServer
from support.catalog import schema_of

HEAD = revisions.known_revisions()[-1]


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def test_the_history_is_one_line():
    scripts = list(revisions.scripts().walk_revisions())
    assert revisions.scripts().get_heads() == [HEAD]
    assert [script.revision for script in reversed(scripts)] == [f"{n:04d}" for n in range(1, len(scripts) + 1)]
    assert not any(script.is_merge_point or script.is_branch_point or script.dependencies for script in scripts)


@pytest.mark.parametrize("path", sorted((revisions.SCRIPTS / "versions").glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_says_how_it_is_undone(path: Path):
    tree = ast.parse(path.read_text())
    assert "Undone by" in (ast.get_docstring(tree) or "")
    (downgrade,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade"]
    assert not any(isinstance(node, ast.Pass | ast.Raise) for node in ast.walk(downgrade))


async def test_a_database_with_data_goes_down_and_up_again(database_url: str):
    before = await schema_of(database_url)
    await asyncio.to_thread(migrations.downgrade, database_url, "base")
    emptied = await schema_of(database_url)
    assert [emptied[part] for part in ("columns", "indexes", "functions", "triggers")] == [{}] * 4

    await asyncio.to_thread(migrations.upgrade, database_url)
    assert await schema_of(database_url) == before
    db = Database(make_settings(database_url))
    await db.open()
    counts = await seed(db)
    await db.close()
    assert counts.accounts == 3
    assert counts.events >= 33


def test_each_revision_can_be_undone_and_applied_again_on_its_own(database_url: str):
    line = revisions.known_revisions()
    for revision in reversed(line):
        assert migrations.downgrade(database_url, "-1") == [revision]
        assert migrations.upgrade(database_url, "+1") == [revision]
        assert migrations.downgrade(database_url, "-1") == [revision]
    assert migrations.current_heads(database_url) == ()
    assert migrations.upgrade(database_url) == line


def test_two_upgrades_at_once_take_turns(empty_database_url: str):
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(migrations.upgrade, [empty_database_url] * 2))
    assert sorted(done) == [[], revisions.known_revisions()]


async def test_a_migration_that_waits_says_so_and_gives_up_in_the_end(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(migrations, "LOCK_WAIT_S", 0.4)
    monkeypatch.setattr(migrations, "_SAY_AFTER_S", 0.1)
    other = await asyncpg.connect(database_url)
    await other.execute("select pg_advisory_lock($1)", migrations.LOCK_KEY)
    said: list[str] = []
    with pytest.raises(MigrationError, match="Another migration of this database"):
        await asyncio.to_thread(migrations.upgrade, database_url, report=said.append)
    assert said == ["Waiting for another migration of this database to finish."]
    await other.close()
    assert await asyncio.to_thread(migrations.upgrade, database_url) == []


async def test_the_lock_is_free_again_after_a_failed_migration(database_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(migrations, "_LOCK_TIMEOUT_MS", 100)
    other = await asyncpg.connect(database_url)
    async with other.transaction():
        await other.execute("select from audit_log")
        with pytest.raises(MigrationError, match="in use by a long transaction"):
            await asyncio.to_thread(migrations.downgrade, database_url, "base")
    await other.execute("set lock_timeout = '2s'")
    await other.execute("select pg_advisory_lock($1), pg_advisory_unlock($1)", migrations.LOCK_KEY)
    assert await asyncio.to_thread(migrations.current_heads, database_url) == ("0007",)
    await other.close()
    assert await asyncio.to_thread(migrations.upgrade, database_url) == revisions.known_revisions()[7:]


async def test_the_printed_sql_does_what_the_migrations_do(database_url: str, empty_database_url: str):
    await _execute(empty_database_url, revisions.sql())
    assert await schema_of(empty_database_url) == await schema_of(database_url)
    assert await asyncio.to_thread(migrations.current_heads, empty_database_url) == (HEAD,)

    await _execute(empty_database_url, revisions.sql("base", "head"))
    assert (await schema_of(empty_database_url))["columns"] == {}


async def test_a_database_of_a_newer_version_is_left_alone(database_url: str):
    await _execute(database_url, "update alembic_version set version_num = '9001'")
    with pytest.raises(MigrationError, match="9001, which this version does not know"):
        await asyncio.to_thread(migrations.upgrade, database_url)


def test_an_unknown_revision_is_answered_with_the_known_ones(database_url: str):
    with pytest.raises(MigrationError, match=f"no revision 'abc'. Known are: base, 0001, .*{HEAD} \\(head\\)"):
        migrations.upgrade(database_url, "abc")


def test_an_upgrade_never_undoes_and_a_downgrade_never_applies(database_url: str):
    assert migrations.upgrade(database_url, "0002") == []
    assert migrations.downgrade(database_url, "0003") == list(reversed(revisions.known_revisions()[3:]))
    assert migrations.downgrade(database_url, "head") == []
    assert migrations.current_heads(database_url) == ("0003",)


def test_a_database_that_is_not_there_is_named_without_its_password():
    with pytest.raises(DatabaseUnavailable, match=re.escape("127.0.0.1:1: ")) as raised:
        migrations.upgrade("postgresql://me:se-cret@127.0.0.1:1/x")
    assert "se-cret" not in str(raised.value)


def test_a_database_of_another_name_is_pointed_out(postgres_server: PostgresServer):
    with pytest.raises(MigrationError, match=r'"nowhere" does not exist. Check BILTEN_DATABASE_URL'):
        migrations.upgrade(postgres_server.url("nowhere"))


@pytest.mark.parametrize("url", ["", "mysql://localhost/x", "postgresql://host:port/x"])
def test_something_that_is_no_postgres_url_is_told_how_one_looks(url: str):
    with pytest.raises(MigrationError, match="postgresql://user:password@host:port/name"):
        migrations.upgrade(url)


async def test_a_role_that_may_not_create_extensions_is_told_what_a_superuser_has_to_run(empty_database_url: str):
    role = f"limited_{empty_database_url[-12:]}"
    await _execute(
        empty_database_url,
        f"create role {role} login password 'x'",
        f"alter schema public owner to {role}",
        f"revoke all on database {empty_database_url.rpartition('/')[2]} from public",
        f"grant connect on database {empty_database_url.rpartition('/')[2]} to {role}",
    )
    host = empty_database_url.rpartition("@")[2]
    try:
        with pytest.raises(MigrationError, match="create extension if not exists pg_trgm") as raised:
            await asyncio.to_thread(migrations.upgrade, f"postgresql://{role}:x@{host}")
        commands = re.findall(r"create extension if not exists \w+", str(raised.value))
        await _execute(empty_database_url, *commands)
        assert await asyncio.to_thread(migrations.upgrade, f"postgresql://{role}:x@{host}")
    finally:
        await _execute(empty_database_url, f"drop owned by {role} cascade", f"drop role {role}")
