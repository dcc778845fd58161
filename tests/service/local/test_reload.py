"""A saved file is live in about a second; broken code is never answered by old code."""

import asyncio
import json
import shutil
import socket
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from bilten.db.migrations import known_revisions
from support.dev import PROJECT, Dev, processes_of, running, wait_until

#: What the tests change: the version that /health tells.
SOURCE = "service/bilten/__init__.py"

MIGRATION = '''
"""A table more."""

from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.execute("CREATE TABLE made_by_reload ()")


def downgrade() -> None:
    op.execute("DROP TABLE made_by_reload")
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the code that a test may change."""
    copy = tmp_path / "project"
    for part in ("service", "migrations"):
        shutil.copytree(PROJECT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def save(project: Path, text: str) -> None:
    (project / SOURCE).write_text(text)


def version_of(dev: Dev) -> str | None:
    health = dev.answers("/health")
    return health and str(health["version"])


@contextmanager
def asking(dev: Dev) -> Iterator[list[str]]:
    """Ask without a pause; the list is of what went wrong."""
    wrong: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                dev.get("/health", timeout_s=20)
            except OSError as error:
                wrong.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    yield wrong
    done.set()
    thread.join()


def test_a_save_is_live_at_once_and_broken_code_answers_nothing(tmp_path: Path, project: Path):
    with running(tmp_path / "home", project=project) as dev:
        assert version_of(dev) == "0.1.0"
        dev.says("worker_started")
        with asking(dev) as wrong:
            save(project, '__version__ = "0.2.0"\n')
            began = time.monotonic()
            wait_until(lambda: version_of(dev) == "0.2.0")
            assert time.monotonic() - began < 10  # measured: 0.5 s on two idle cores
        assert wrong == []
        dev.says("reloaded in")

        save(project, "import nothing_of_that_name\n")
        dev.says("the API does not start with this code; waiting for a change")
        dev.says("ModuleNotFoundError: No module named 'nothing_of_that_name'")
        with pytest.raises(urllib.error.URLError, match="refused"):
            dev.get("/health")

        save(project, '__version__ = "0.3.0"\n')
        wait_until(lambda: version_of(dev) == "0.3.0")


def test_a_new_migration_is_applied(tmp_path: Path, project: Path):
    async def tables(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        await connection.close()
        return [row["tablename"] for row in rows]

    with running(tmp_path / "home", project=project) as dev:
        database = dev.shown("Database")
        assert "made_by_reload" not in asyncio.run(tables(database))
        revision = MIGRATION.format(head=known_revisions()[-1]).lstrip()
        (project / "migrations" / "versions" / "9999_made_by_reload.py").write_text(revision)
        dev.says("reloaded in")
        assert "made_by_reload" in asyncio.run(tables(database))


def test_a_debugger_attaches_to_one_port_through_reloads_and_leaves_no_process(tmp_path: Path, project: Path):
    with running(tmp_path / "home", project=project, BILTEN_DEBUGGER="1") as dev:
        assert version_of(dev) == "0.1.0"
        port = int(dev.shown("Debugger").split(":")[1])
        with attached(port):
            save(project, '__version__ = "0.2.0"\n')
            wait_until(lambda: version_of(dev) == "0.2.0")
        dev.says("reloaded in")
        with attached(port):
            dev.process.kill()
            dev.process.wait()
            wait_until(lambda: not processes_of(dev.home, project))


@contextmanager
def attached(port: int) -> Iterator[None]:
    """A debugger's connection; returns when the other end has spoken its protocol."""
    hello = json.dumps({"seq": 1, "type": "request", "command": "initialize", "arguments": {"adapterID": "x"}})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"Content-Length: {len(hello)}\r\n\r\n{hello}".encode())
        assert connection.recv(100).startswith(b"Content-Length: ")
        yield
