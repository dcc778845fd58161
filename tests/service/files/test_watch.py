"""What a worker tells of the signatures that its scanner has: to probes, and to Prometheus."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from bilten import work
from bilten.files import watch
from bilten.files.metrics import FILE_METRICS, Signatures
from bilten.jobs.monitor import Monitor
from bilten.local import ports
from bilten.local.clamd import Clamd
from bilten.scanning import stamp
from bilten.web.health import Health
from bilten_operator.cluster.worker_port import WorkerPorts
from bilten_operator.plan.model import Question
from bilten_operator.plan.model import Signatures as ForOperator
from fixtures.clamd import StartClamd, reload
from prometheus_client.parser import text_string_to_metric_families
from support.house import House, OpenHouse
from support.jobs import until

DAY_S = 86400


def stamped(server: Clamd, age_s: float) -> None:
    """The same signatures, as if the newest had come so long ago."""
    then = time.time() - age_s
    for path in server.signatures.iterdir():
        os.utime(path, (then, then))
    stamp.write(server.signatures)
    reload(server)


@asynccontextmanager
async def monitored(house: House) -> AsyncIterator[str]:
    """A worker's port: where it answers."""
    (port,) = ports.pick(1)
    settings = house.api.settings.model_copy(update={"worker_port": port})
    checks = Health()
    async with work.kinds(settings, house.api.db, checks):
        monitor = Monitor(settings, house.api.db, checks, is_stuck=lambda: False)
        await monitor.open()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            await monitor.close()


async def told(url: str) -> tuple[str, dict[str, Any]]:
    """The word of `/readyz`, and what it says of the signatures."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as answer:
        assert answer.status == 200
        ready = await answer.json()
    (found,) = (each for each in ready["dependencies"] if each["name"] == "virus_signatures")
    return ready["status"], found


async def samples(url: str) -> dict[str, Any]:
    """The samples about signatures: name → (labels, value)."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        families = text_string_to_metric_families(await answer.text())
        return {
            sample.name: (sample.labels, sample.value)
            for family in families for sample in family.samples if "scanner_signatures" in sample.name
        }  # fmt: skip


async def test_a_worker_tells_its_signatures_and_that_they_are_too_old(
    open_house: OpenHouse, own_clamd: StartClamd, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr("bilten.scanning.clamd._VERSION_S", 0.0)
    server = own_clamd()
    house = await open_house(clamd_socket=server.socket)
    async with monitored(house) as url:

        async def says(word: str) -> bool:
            status, found = await told(url)
            return status == word and found["version"] is not None

        await until(lambda: says("OK"))
        _, fresh = await told(url)
        assert fresh["status"] == "ok"
        assert fresh["engine"].startswith("clamav ")
        assert fresh["made_at"].endswith("Z")

        stamped(server, 3 * DAY_S + 60)
        await until(lambda: says("DEGRADED"))
        _, old = await told(url)
        assert old["status"] == "degraded"
        assert "3 days old: let freshclam renew them" in old["message"]
        assert (old["engine"], old["version"]) == (fresh["engine"], fresh["version"])
        assert old["made_at"] < fresh["made_at"]

        made_at = datetime.fromisoformat(old["made_at"])
        operators = await WorkerPorts(timeout_s=60).ask(Question("uid", "127.0.0.1", int(url.rpartition(":")[2])))
        assert operators == ForOperator(old["engine"], old["version"], made_at)

        shown = await samples(url)
        labels, one = shown["bilten_scanner_signatures_info"]
        assert (labels, one) == ({"engine": old["engine"], "signatures": old["version"]}, 1)
        assert 3 * DAY_S < shown["bilten_scanner_signatures_age_seconds"][1] < 3 * DAY_S + 600

        stamped(server, 47 * 3600)
        await until(lambda: says("OK"))


async def test_a_worker_whose_scanner_does_not_answer_says_so_until_it_does(
    open_house: OpenHouse, own_clamd: StartClamd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr("bilten.scanning.clamd._VERSION_S", 0.0)
    monkeypatch.setattr(FILE_METRICS.signatures, "current", None)
    socket = tmp_path / "scanner"
    house = await open_house(clamd_socket=socket)
    async with monitored(house) as url:

        async def says(word: str) -> bool:
            return (await told(url))[0] == word

        await until(lambda: says("DEGRADED"))
        _, found = await told(url)
        assert await samples(url) == {}
        assert found["message"].startswith("Nothing is scanned: ")
        assert (found["engine"], found["version"], found["made_at"]) == (None, None, None)

        socket.symlink_to(own_clamd().socket)
        await until(lambda: says("OK"))
        socket.unlink()
        await until(lambda: says("DEGRADED"))
        _, found = await told(url)
    assert found["message"].startswith("Nothing is scanned: ")
    assert found["engine"].startswith("clamav ")


def test_a_set_without_a_date_has_no_age():
    collector = Signatures()
    collector.current = watch.EngineVersion("clamav 1.4.3", "unnumbered", None)
    assert [family.name for family in collector.collect()] == ["bilten_scanner_signatures_info"]
