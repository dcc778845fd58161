"""On a real API server, the status tells which signatures a worker's scanner has."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from bilten_operator.cluster.client import MERGE, Client
from bilten_operator.cluster.kinds import INSTANCE, kind_of
from bilten_operator.cluster.worker_port import Questions, WorkerPorts
from bilten_operator.plan import signatures
from bilten_operator.resources.instance import COMPONENT, MANAGED_BY, MANAGER
from bilten_operator.resources.instance import INSTANCE as OF
from kubernetes.aio.client import ApiClient, Configuration
from support.apiserver import Address
from support.clients import PATIENCE
from support.instances import instance
from support.lives import Mortal, World

KNOWN = {"name": "virus_signatures", "engine": "clamav 1.4.3", "version": "27400", "made_at": "2020-01-02T03:04:05Z"}


@pytest.fixture
async def client(stubbed: Address) -> AsyncIterator[Mortal]:
    settings = Configuration(host=stubbed.url)
    settings.ssl_ca_cert = stubbed.ca
    settings.api_key["BearerToken"] = f"Bearer {stubbed.token}"
    async with ApiClient(settings) as api:
        yield Mortal(api, PATIENCE)


@pytest.fixture
async def worker_port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Something on this machine that answers as a worker does, where the operator looks for one."""

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"dependencies": [{"name": "database"}, KNOWN]})

    app = web.Application()
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(signatures, "WORKER_PORT", runner.addresses[0][1])
    yield
    await runner.cleanup()


async def start_worker(client: Client, namespace: str) -> None:
    """A worker's pod that is ready on this machine, as far as the API server knows."""
    pod = kind_of("v1", "Pod")
    metadata = {
        "name": "bilten-worker-a", "namespace": namespace,
        "labels": {MANAGED_BY: MANAGER, OF: "bilten", COMPONENT: "worker"},
    }  # fmt: skip
    spec = {"containers": [{"name": "worker", "image": "bilten:1"}], "automountServiceAccountToken": False}
    await client.create({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    status = {
        "phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }  # fmt: skip
    await client.call("PATCH", pod, namespace, "bilten-worker-a", "status", body={"status": status}, content=MERGE)


@pytest.mark.usefixtures("worker_port")
async def test_what_a_worker_tells_of_its_scanner_is_in_the_status(client: Mortal):
    namespace, answered = f"test-{uuid.uuid4().hex[:12]}", asyncio.Event()
    questions = Questions(WorkerPorts(timeout_s=60), answered=lambda _: answered.set())
    world = World(client, client, namespace, questions=questions)
    await client._dynamic.request("post", "/api/v1/namespaces", body={"metadata": {"name": namespace}}, serialize=False)  # noqa: SLF001
    body: dict[str, Any] = instance()
    body["metadata"]["namespace"] = namespace
    await client.create(body)
    await start_worker(client, namespace)
    await world.rest()
    await asyncio.wait_for(answered.wait(), 60)
    await world.rest()
    found = await client.get(INSTANCE, *world.key)
    assert found
    assert found["status"]["scanner"] == {
        "engine": "clamav 1.4.3", "signatures": "27400", "signaturesMadeAt": "2020-01-02T03:04:05Z",
    }  # fmt: skip
    said = next(each for each in found["status"]["conditions"] if each["type"] == "ScannerReady")
    assert (said["status"], said["reason"]) == ("True", "SignaturesTooOld")
    assert next(each["status"] for each in found["status"]["conditions"] if each["type"] == "Ready") == "True"
