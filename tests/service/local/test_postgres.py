"""The embedded Postgres: private to its owner, and safe through everything that may happen to it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest
from bilten.local import pgbinaries, ports
from bilten.local.family import Family
from bilten.local.postgres import Postgres
from bilten.local.problem import LocalError
from fixtures.machine import require
from support.dev import is_alive, wait_until


@pytest.fixture
def postgres(family: Family, tmp_path: Path) -> Postgres:
    return Postgres(family, tmp_path / "postgres", port=ports.pick(1)[0])


def started(postgres: Postgres) -> Postgres:
    postgres.start()
    postgres.wait_ready()
    return postgres


def pid_of(postgres: Postgres) -> int:
    return int((postgres.log.parent / "data" / "postmaster.pid").read_text().split()[0])


async def query(postgres: Postgres, *statements: str) -> object:
    connection = await asyncpg.connect(postgres.url())
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


async def test_what_was_committed_outlives_kill_9(postgres: Postgres):
    started(postgres)
    assert await query(postgres, "CREATE TABLE kept AS SELECT 7 AS value", "SELECT value FROM kept") == 7
    os.kill(pid_of(postgres), signal.SIGKILL)
    wait_until(lambda: postgres.ended)
    started(postgres)
    assert await query(postgres, "SELECT value FROM kept") == 7


async def test_commits_are_on_disk_before_they_are_answered(postgres: Postgres):
    started(postgres)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await query(postgres, f"SHOW {setting}") == "on"


async def test_it_starts_while_sessions_of_a_killed_server_still_end(postgres: Postgres):
    started(postgres)
    busy = await asyncpg.connect(postgres.url())
    backend = psutil.Process(await busy.fetchval("SELECT pg_backend_pid()"))
    backend.suspend()  # it holds the shared memory, as one that is slow to end would
    os.kill(pid_of(postgres), signal.SIGKILL)
    wait_until(lambda: postgres.ended)
    postgres.start()
    with pytest.raises(LocalError, match="did not answer within 1 s"):
        postgres.wait_ready(timeout_s=1)
    backend.resume()
    postgres.wait_ready()
    busy.terminate()
    assert await query(postgres, "SELECT 1") == 1


def start_beside(postgres: Postgres, stranger: list[str | Path], **user: Any) -> None:
    """Start a stopped server whose lock file names a stranger's process, which is left alone."""
    lock = postgres.log.parent / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    postgres.stop()
    with subprocess.Popen(stranger, cwd="/", **user) as other:
        lock.write_text("\n".join([str(other.pid), *lines[1:]]))
        try:
            started(postgres)
            assert other.poll() is None
        finally:
            other.kill()


def test_a_lock_file_with_a_recycled_pid_is_no_obstacle(postgres: Postgres):
    started(postgres)
    # Postgres believes a pid of its own user's.
    user = pgbinaries.Identity.for_data(postgres.log.parent / "data").drop()
    start_beside(postgres, ["sleep", "600"], **user)


async def test_a_server_that_nobody_stopped_makes_way(postgres: Postgres, tmp_path: Path):
    started(postgres)
    survivor = pid_of(postgres)
    with Family(tmp_path / "other") as others:
        again = started(Postgres(others, postgres.log.parent, port=ports.pick(1)[0]))
        assert not is_alive(survivor)
        assert await query(again, "SELECT 1") == 1


def test_a_lock_file_of_another_postgres_is_no_reason_to_end_that(postgres: Postgres, tmp_path: Path):
    started(postgres)
    other = tmp_path / "elsewhere" / "postgres"
    other.parent.mkdir()
    shutil.copy(shutil.which("sleep") or "", other)
    start_beside(postgres, [other, "600"])


def test_data_of_another_major_version_is_refused_in_one_sentence(postgres: Postgres):
    started(postgres)
    postgres.stop()
    (postgres.log.parent / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(LocalError, match=r"written by Postgres 17, this is Postgres 18: run `make reset`"):
        postgres.start()


def test_an_interrupted_initialisation_is_repeated(postgres: Postgres):
    half = postgres.log.parent / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    started(postgres)
    assert not half.exists()


async def test_only_its_password_lets_in(postgres: Postgres):
    started(postgres)
    password = postgres.log.parent / "password"
    assert password.stat().st_mode & 0o777 == 0o600
    assert (postgres.log.parent / "data").stat().st_mode & 0o777 == 0o700
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.url().replace(password.read_text(), "another"))
    command_lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not any(password.read_text() in line for line in command_lines)


async def test_nobody_else_reaches_it(postgres: Postgres):
    started(postgres)
    assert await query(postgres, "SHOW listen_addresses") == "127.0.0.1"
    assert await query(postgres, "SHOW unix_socket_directories") == ""


def test_a_port_that_is_taken_meanwhile_is_an_error_that_names_the_log(postgres: Postgres, tmp_path: Path):
    started(postgres)
    port = int(postgres.url().rsplit(":", 1)[1].split("/")[0])
    with Family(tmp_path / "other") as others, pytest.raises(LocalError, match=r"did not start: .*see .*server\.log"):
        started(Postgres(others, tmp_path / "second", port=port))


async def test_under_root_it_needs_no_permission_on_the_folders_above(family: Family, tmp_path: Path):
    require("root")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    postgres = started(Postgres(family, private / "postgres", port=ports.pick(1)[0]))
    assert await query(postgres, "SELECT 1") == 1
    assert psutil.Process(pid_of(postgres)).username() == "nobody"
    assert private.stat().st_mode & 0o777 == 0o700


def test_binaries_that_nobody_can_reach_are_copied_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    require("root")
    package = pgbinaries._package()  # noqa: SLF001
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (private / name).symlink_to(package.with_name(name))
    monkeypatch.setattr(pgbinaries, "_package", lambda: private / package.name)
    with Family(tmp_path / "run") as family:
        postgres = started(Postgres(family, tmp_path / "postgres", port=ports.pick(1)[0]))
        program = Path(psutil.Process(pid_of(postgres)).exe())
        assert not program.is_relative_to(package)
    assert not program.exists()
