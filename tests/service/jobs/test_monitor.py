"""The worker's own port: what a probe and Prometheus learn of a worker, and of nothing else."""

import asyncio
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from bilten.db.database import Database
from bilten.jobs import worker
from bilten.jobs.monitor import Monitor
from bilten.local import ports
from bilten.local.postgres import Postgres
from bilten.settings import Settings
from bilten.web.health import Health
from fixtures.api import make_settings
from fixtures.processes import StartProcess
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from support.jobs import Notes, change, put, until, worker_process, working


@dataclass(frozen=True)
class Reply:
    status: int
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Port:
    """A client of a worker's port."""

    def __init__(self) -> None:
        (self.number,) = ports.pick(1)
        self.variable = {"BILTEN_WORKER_PORT": str(self.number)}

    async def get(self, path: str) -> Reply | None:
        """The answer; None when nobody listens."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{self.number}{path}") as got:
                return Reply(got.status, await got.text())
        except aiohttp.ClientConnectionError:
            return None

    async def is_up(self) -> bool:
        return await self.get("/livez") is not None

    async def answers(self, path: str, status: int) -> bool:
        reply = await self.get(path)
        return reply is not None and reply.status == status

    async def metrics(self) -> dict[str, float]:
        """The samples without labels, and `bilten_jobs_total` by kind and outcome."""
        reply = await self.get("/metrics")
        assert reply is not None
        assert reply.status == 200
        return {
            " ".join([sample.name, *sample.labels.values()]) if sample.name == "bilten_jobs_total" else sample.name:
            sample.value
            for family in text_string_to_metric_families(reply.text)
            for sample in family.samples
        }  # fmt: skip


async def test_a_worker_tells_how_deep_the_outbox_is_and_what_became_of_its_jobs(
    db: Database, settings: Settings, database_url: str, tmp_path: Path
):
    for _ in range(2):
        await put(db, settings)  # of a kind this worker leaves alone
    dead = await put(db, settings)
    broken = await put(db, settings)
    await change(db, "update jobs set run_at = now() - interval '90 seconds'")
    await change(db, "update jobs set dead_at = now() where id = :id", id=dead)
    await change(db, "update jobs set kind = 'mail.send' where id = :id", id=broken)  # sealed for another kind
    port = Port()
    async with worker_process(database_url, tmp_path / "worker.log", **port.variable):
        await until(port.is_up)
        await until(lambda: _shows(port, "bilten_jobs_total mail.send dead"))
        await until(lambda: _shows(port, "bilten_outbox_open"))
        shown = await port.metrics()
    assert shown["bilten_jobs_total mail.send dead"] == 1
    assert shown["bilten_outbox_open"] in (2, 3)  # 3 until the broken one was given up
    assert shown["bilten_outbox_dead"] == 4 - shown["bilten_outbox_open"]
    assert 90 <= shown["bilten_outbox_oldest_age_seconds"] < 300
    assert shown["process_resident_memory_bytes"] > 0
    assert not [name for name in shown if name.startswith("bilten_http_")]


async def _shows(port: Port, name: str) -> bool:
    return name in await port.metrics()


async def test_the_api_shows_nothing_that_only_a_worker_measures(api_process: StartProcess, database_url: str):
    api = api_process(database_url=database_url)
    await api.start()
    async with aiohttp.ClientSession() as session, session.get(f"{api.url}/metrics") as answer:
        shown = await answer.text()
    assert "bilten_http_requests_total" in shown
    assert "process_resident_memory_bytes" in shown
    assert "bilten_outbox" not in shown
    assert "bilten_jobs" not in shown


async def test_a_worker_is_alive_and_not_ready_while_its_database_is_away(private_postgres: Postgres, tmp_path: Path):
    port = Port()
    async with worker_process(private_postgres.url(), tmp_path / "worker.log", **port.variable):
        await until(lambda: port.answers("/readyz", 200))
        ready = await port.get("/readyz")
        assert ready is not None
        assert [item["name"] for item in ready.json["dependencies"]] == ["database"]
        await asyncio.to_thread(private_postgres.stop)
        await until(lambda: port.answers("/readyz", 503))
        away = await port.get("/readyz")
        assert away is not None
        assert (away.json["success"], away.json["code"]) == (False, "NOT_READY")
        await until(lambda: _hides(port, "bilten_outbox_open"))
        assert await port.answers("/livez", 200)
        await asyncio.to_thread(private_postgres.start)
        await asyncio.to_thread(private_postgres.wait_ready)
        await until(lambda: port.answers("/readyz", 200))


async def _hides(port: Port, name: str) -> bool:
    return name not in await port.metrics()


async def test_who_is_not_in_the_networks_finds_no_metrics_of_a_worker(database_url: str, tmp_path: Path):
    port = Port()
    variables = {**port.variable, "BILTEN_METRICS_NETWORKS": "192.0.2.0/24"}
    async with worker_process(database_url, tmp_path / "worker.log", **variables):
        await until(port.is_up)
        refused = await port.get("/metrics")
        unknown = await port.get("/events")
    assert refused is not None
    assert unknown is not None
    assert (refused.status, refused.json["code"]) == (404, "NOT_FOUND")
    assert (unknown.status, unknown.json["code"]) == (404, "NOT_FOUND")


async def test_a_stopping_worker_leaves_its_port_to_the_next_before_it_has_finished(
    db: Database, settings: Settings, database_url: str, tmp_path: Path
):
    log = tmp_path / "worker.log"
    port = Port()
    job = await put(db, settings)
    await change(db, "update jobs set kind = 'mail.send' where id = :id", id=job)
    patient = {"BILTEN_DATABASE_LOCK_TIMEOUT_MS": "60000", "BILTEN_DATABASE_STATEMENT_TIMEOUT_MS": "60000"}
    async with worker_process(database_url, log, **port.variable, **patient) as first:
        await until(port.is_up)
        async with db.transaction() as tx:
            await tx.execute(text("lock table jobs in access exclusive mode"))
            first.send_signal(signal.SIGTERM)
            await until(lambda: _is_down(port))
            assert first.returncode is None
            async with worker_process(database_url, tmp_path / "second.log", **port.variable, **patient):
                await until(port.is_up)
        assert await asyncio.wait_for(first.wait(), 60) == 0


async def _is_down(port: Port) -> bool:
    return not await port.is_up()


async def test_a_worker_whose_port_is_taken_says_so(database_url: str, tmp_path: Path):
    port, log = Port(), tmp_path / "second.log"
    async with worker_process(database_url, tmp_path / "first.log", **port.variable):
        await until(port.is_up)
        async with worker_process(database_url, log, **port.variable) as second:
            assert await asyncio.wait_for(second.wait(), 60) == 1
    refusal = f"bilten: cannot listen on 127.0.0.1:{port.number} (address already in use). "
    assert refusal + "Stop what uses it, or set BILTEN_WORKER_PORT.\n" in log.read_text()
    assert "Traceback" not in log.read_text()


async def test_a_worker_that_takes_no_turns_is_not_alive(
    db: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "STUCK_AFTER_S", 1.0)
    port = Port()
    patient = make_settings(
        database_url, worker_port=port.number, worker_poll_s=0.05,
        database_lock_timeout_ms=60_000, database_statement_timeout_ms=60_000,
    )  # fmt: skip
    blocked = Database(patient)
    await blocked.open()
    async with working(blocked, [Notes().kind], patient) as running:
        monitor = Monitor(patient, db, Health(), is_stuck=running.is_stuck)
        await monitor.open()
        try:
            await until(lambda: port.answers("/livez", 200))
            async with db.transaction() as tx:
                await tx.execute(text("lock table jobs in access exclusive mode"))
                await until(lambda: port.answers("/livez", 503))
                stuck = await port.get("/livez")
            assert stuck is not None
            assert stuck.json["code"] == "STUCK"
            await until(lambda: port.answers("/livez", 200))
        finally:
            await monitor.close()
    await blocked.close()
