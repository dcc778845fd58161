"""`make up` as a developer lives with it: starts, kills, crashes, second starts."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from itertools import chain
from pathlib import Path

import psutil
import pytest
from bilten.db.database import Database
from bilten.local import clamd
from bilten.local.objectstore import S3Address
from bilten.local.summary import ACCOUNTS
from fixtures.machine import require
from support.dev import NOBODY, Dev, processes_of, running, wait_until


def test_all_that_the_screen_promises_is_there_and_outlives_kill_9(tmp_path: Path):
    home = tmp_path / "home"
    with running(home) as dev:
        assert {item["name"] for item in dev.get("/readyz")["dependencies"]} >= {"database", "object_store"}
        assert re.search(r"✓ schema .* [1-9]\d* migrations applied", dev.output)
        assert re.search(r"✓ sample data .* [1-9]\d* rows inserted", dev.output)
        for account in ACCOUNTS:
            email, password = account.split(" / ")
            token = dev.post("/api/v1/auth/login", {"email": email, "password": password})["data"]["token"]
        dev.says("worker_started")
        metrics = re.search(r"(http://127\.0\.0\.1:\d+/metrics)  \(the worker's\)", dev.output)
        assert metrics
        wait_until(lambda: b"bilten_outbox_open 0.0" in page(metrics[1]))
        sockets = chain.from_iterable(dev.family(lambda process: process.net_connections("inet")))
        listening = {socket.laddr for socket in sockets if socket.status == psutil.CONN_LISTEN}
        assert len(listening) > 10  # Postgres, the object store's five servers and their twins, the API, the worker
        assert {place.ip for place in listening} == {"127.0.0.1"}
        store = psutil.Process(dev.pid_of("objectstore"))
        assert "-master.telemetry=false" in store.cmdline()
        assert store.environ()["GOMEMLIMIT"] == "600MiB"
        assert re.search(r"Scanner +clamd, " if clamd.find() else r"Scanner +YARA-X", dev.output)
        secret = next(line.split()[-1] for line in dev.output.splitlines() if "secret key" in line)
        seen = processes_of(home)
        assert any("weed" in line for line in seen)
        assert not any(secret in line for line in seen)
        dev.process.kill()
        dev.process.wait()
        wait_until(lambda: not processes_of(home))
    with running(home) as dev:
        profile = dev.get("/api/v1/auth/me", Authorization=f"Bearer {token}")
        assert profile["data"]["user"]["email"] == email
        assert re.search(r"✓ schema .* up to date", dev.output)
        assert dev.stop(signal.SIGTERM) == 0
    stopped = [line[2:-8] for line in dev.output.splitlines() if line.startswith("✓") and line.endswith(" stopped")]
    assert stopped == ["API", "worker", *(["clamd"] if clamd.find() else []), "object store", "Postgres"]
    assert not processes_of(home)


def test_a_user_without_rights_has_all_of_it_too(tmp_path: Path):
    require("root")  # the other tests of a normal user's run show the rest
    home = tmp_path / "own" / "home"
    home.parent.mkdir()
    os.chown(home.parent, NOBODY.pw_uid, NOBODY.pw_gid)
    with running(home, as_nobody=True) as dev:
        assert {item["name"] for item in dev.get("/readyz")["dependencies"]} >= {"database", "object_store"}
        users = dev.family(lambda process: process.username())
        assert len(users) > 5
        assert set(users) == {"nobody"}
        assert {path.owner() for path in home.rglob("*")} == {"nobody"}
        dev.process.kill()
        dev.process.wait()
        wait_until(lambda: not processes_of(home))
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o700)
    with running(foreign, as_nobody=True) as dev:
        assert dev.process.wait(timeout=60) == 1
    assert dev.output == (
        f"{foreign} cannot be written by nobody (Permission denied): make it yours with "
        f"`sudo chown -R nobody {foreign}`.\n"
    )


def page(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        return bytes(answer.read())


def test_it_ends_with_the_make_that_started_it(tmp_path: Path):
    home = tmp_path / "home"
    program = [sys.executable, "-m", "bilten", "dev", "--home", home, "--port", "0", "--end-with-parent"]
    # What a `make` killed by SIGKILL is to its recipe: a parent that is suddenly gone.
    make = subprocess.Popen(["sh", "-c", '"$@" > "$0" 2>&1 & wait', tmp_path / "out", *program], start_new_session=True)
    wait_until(lambda: (tmp_path / "out").exists() and "Ctrl-C" in (tmp_path / "out").read_text(), 60)
    make.kill()
    make.wait()
    wait_until(lambda: not processes_of(home))


def test_a_second_one_in_the_folder_and_a_taken_port_are_refused_in_one_sentence(tmp_path: Path):
    with running(tmp_path / "home") as dev:
        port = dev.url.rsplit(":", 1)[1]
        second = Dev(tmp_path / "home")
        assert second.process.wait(timeout=20) == 1
        assert f"runs in this folder already (process {dev.process.pid})" in second.output
        with running(tmp_path / "other", arguments=("--port", port)) as other:
            assert other.process.wait(timeout=20) == 1
        assert f"Port {port} is in use by" in other.output
        assert "Traceback" not in other.output
        reset = subprocess.run(
            [sys.executable, "-m", "bilten", "dev", "--home", dev.home, "--reset"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert reset.returncode == 1
        assert "stop it with Ctrl-C first" in reset.stderr


def test_reset_ends_what_was_left_behind_and_empties_the_folder(tmp_path: Path):
    home = tmp_path / "home"
    with running(home) as dev:
        assert dev.url
        os.kill(guardian_of(dev), signal.SIGKILL)
        dev.process.kill()
        dev.process.wait()
        assert processes_of(home)
        reset = [sys.executable, "-m", "bilten", "dev", "--home", home, "--reset"]
        done = subprocess.run(reset, capture_output=True, text=True, check=True)
        assert done.stdout == f"{home} is empty.\n"
    assert not processes_of(home)
    assert [path.name for path in home.iterdir()] == ["lock"]


def guardian_of(dev: Dev) -> int:
    children = psutil.Process(dev.process.pid).children()
    return next(child.pid for child in children if "bilten.local.guardian" in child.cmdline())


def test_a_crashed_api_worker_and_database_come_back(tmp_path: Path):
    with running(tmp_path / "home") as dev:
        assert dev.get("/readyz")
        os.kill(dev.pid_of("postgres"), signal.SIGKILL)
        dev.says("Postgres ended on its own; again in 1 s")
        wait_until(lambda: dev.answers("/readyz"))
        os.kill(api_of(dev), signal.SIGKILL)
        dev.says("the API ended on its own (exit status -9); again in 1 s")
        wait_until(lambda: dev.answers("/readyz"))
        os.kill(dev.pid_of("worker"), signal.SIGKILL)
        dev.says("the worker ended on its own (exit status -9); again in 1 s")
        wait_until(lambda: dev.output.count("worker_started") > 1)


def api_of(dev: Dev) -> int:
    port = int(dev.url.rsplit(":", 1)[1])
    children = psutil.Process(dev.process.pid).children()
    return next(c.pid for c in children if any(place.laddr.port == port for place in c.net_connections("tcp")))


def test_a_second_interrupt_kills_at_once(tmp_path: Path):
    with running(tmp_path / "home") as dev:
        assert dev.url
        dev.process.send_signal(signal.SIGINT)
        dev.says("stopping")
        time.sleep(0.4)  # sooner it would be the echo of the first
        assert dev.stop(signal.SIGINT) == 128 + signal.SIGINT
        assert "Postgres stopped" not in dev.output
        wait_until(lambda: not processes_of(dev.home))


def test_servers_named_by_the_environment_take_the_place_of_the_embedded_ones(
    tmp_path: Path, database_url: str, object_store: S3Address
):
    with running(
        tmp_path / "home",
        BILTEN_DATABASE_URL=database_url,
        BILTEN_S3_ENDPOINT=object_store.endpoint,
        BILTEN_S3_ACCESS_KEY=object_store.access_key,
        BILTEN_S3_SECRET_KEY=object_store.secret_key,
    ) as dev:
        assert dev.get("/readyz")
        assert f"S3        external, {object_store.endpoint}" in dev.output
        assert "Database  external, 127.0.0.1:" in dev.output
        assert object_store.secret_key not in dev.output
        assert not (tmp_path / "home" / "postgres").exists()
        assert not (tmp_path / "home" / "objects").exists()


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_database_that_is_not_there_is_said_once_with_what_to_do(tmp_path: Path, log_format: str):
    url = "postgresql://ada:hidden-word@127.0.0.1:1/none"
    with running(tmp_path / "home", BILTEN_DATABASE_URL=url, BILTEN_LOG_FORMAT=log_format) as dev:
        dev.says("Start it, or correct BILTEN_DATABASE_URL.")
        api_log = dev.home / "logs" / "api.log"
        wait_until(lambda: api_log.read_text().count("schema_waits_for_database") > 1)
        assert dev.stop(signal.SIGINT) == 0
    assert "● Postgres: external, 127.0.0.1:1/none (BILTEN_DATABASE_URL is set)\n" in dev.output
    refused = [line for line in dev.output.splitlines() if line.startswith("✗")]
    assert len(refused) == 1
    assert re.fullmatch(
        r"✗ Cannot reach the database at 127\.0\.0\.1:1: .+ \('127\.0\.0\.1', 1\)\. "
        r"Start it, or correct BILTEN_DATABASE_URL\.",
        refused[0],
    )
    assert "hidden-word" not in dev.output


async def test_a_database_of_newer_code_is_named_while_the_api_waits(
    tmp_path: Path, database: Database, database_url: str
):
    async with database.transaction() as tx:
        await tx.exec_driver_sql("update alembic_version set version_num = '9999'")
    with running(tmp_path / "home", BILTEN_DATABASE_URL=database_url) as dev:
        dev.says("✗ The database is at revision 9999, which this version does not know")


def test_half_of_an_external_store_is_refused_in_one_sentence(tmp_path: Path):
    with running(tmp_path / "home", BILTEN_S3_ENDPOINT="http://127.0.0.1:9") as dev:
        assert dev.process.wait(timeout=20) == 1
    assert dev.output == "BILTEN_S3_ENDPOINT is set, so set BILTEN_S3_ACCESS_KEY and BILTEN_S3_SECRET_KEY too.\n"


def test_wrong_settings_are_named_and_nothing_is_left(tmp_path: Path):
    with running(tmp_path / "home", BILTEN_LOG_LEVEL="loud") as dev:
        assert dev.process.wait(timeout=60) == 1
    assert "BILTEN_LOG_LEVEL" in dev.output
    assert not processes_of(tmp_path / "home")


def test_something_in_the_way_in_the_folder_is_named(tmp_path: Path):
    home = tmp_path / "home"
    (home / "objects").mkdir(parents=True)
    (home / "objects" / "data").write_text("in the way")
    with running(home) as dev:
        assert dev.process.wait(timeout=60) == 1
    assert dev.output.splitlines()[-1] == (
        f"{home}/objects/data cannot be used (File exists): make it yours with chown, or `make reset`."
    )
    assert not processes_of(home)
