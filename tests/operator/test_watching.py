"""What happens to an instance or to its children is answered, also when watches break, stall or forget."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from bilten_operator.cluster.cache import Cache, Key
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.controller import Controller
from bilten_operator.cluster.kinds import INSTANCE, Kind, kind_of
from bilten_operator.cluster.watches import Watches
from bilten_operator.plan.model import Apply, Observed, Plan, Ref, StepName
from fixtures.cluster import Kubectl
from support.faults import FaultProxy
from support.instances import instance
from support.kube import Kube
from support.standins import stub
from support.tasks import background

CONFIG = kind_of("v1", "ConfigMap")
PATIENCE_S = 120


def tiny_plan(resource: dict[str, Any], observed: Observed, _now: datetime) -> Plan:
    """One ConfigMap that says how many API pods are wanted."""
    metadata = resource["metadata"]
    wanted = {"replicas": str(resource["spec"].get("api", {}).get("replicas", 1))}
    name = f"{metadata['name']}-settings"
    labels = {"app.kubernetes.io/managed-by": "bilten-operator", "app.kubernetes.io/instance": metadata["name"]}
    manifest = {
        "apiVersion": "v1", "kind": "ConfigMap", "data": wanted,
        "metadata": {"name": name, "namespace": metadata["namespace"], "labels": labels},
    }  # fmt: skip
    found = observed.objects.get(Ref.of(manifest))
    same = found and found.get("data") == wanted and labels.items() <= (found["metadata"].get("labels") or {}).items()
    writes = () if same else (Apply(StepName.SECRETS, manifest, "it differs"),)
    status = {"observedGeneration": metadata["generation"], "phase": "Ready" if same else "Progressing"}
    return Plan(writes, status, (), None, wants_finalizer=False)


class Running:
    """A controller at work, and an instance of it."""

    def __init__(self, kube: Kube, controller: Controller) -> None:
        self.kube = kube
        self.controller = controller
        self.map = f"api/v1/namespaces/{kube.namespace}/configmaps/bilten-settings"

    async def tell(self, type_: str = "MODIFIED") -> None:
        """What Kopf would say of the instance."""
        self.controller.saw(type_, (await self.kube.get("bilten"))["metadata"])

    async def data(self) -> dict[str, str] | None:
        answer = await self.kube.request("GET", self.map)
        return answer.body.get("data") if answer.status == 200 else None

    async def until(self, found: Callable[[], Awaitable[bool]]) -> None:
        for _ in range(PATIENCE_S * 20):
            if await found():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE_S} s; the ConfigMap is {await self.data()}")

    async def until_data(self, **data: str) -> None:
        async def same() -> bool:
            return await self.data() == data

        await self.until(same)

    async def meddle(self, change: dict[str, Any]) -> None:
        answer = await self.kube.request("PATCH", self.map, change, kind="application/merge-patch+json")
        assert answer.status == 200, answer.body


@pytest.fixture
async def running(kube: Kube, shaky: Client) -> AsyncIterator[Running]:
    controller = Controller(shaky, tiny_plan, lambda *_: (), namespaces=[kube.namespace], resync_s=100_000)
    controller.watches._silence_s = 2  # noqa: SLF001 - of minutes a test has none
    async with background(controller.run()):
        await controller.watches.listed()
        made = Running(kube, controller)
        await kube.create(instance())
        await made.tell("ADDED")
        await made.until_data(replicas="1")
        yield made


async def test_an_edit_reaches_the_children_and_status_says_of_which_generation_it_is(running: Running, kube: Kube):
    await kube.patch("bilten", {"spec": {"api": {"replicas": 3}}})
    await running.tell()
    await running.until_data(replicas="3")

    async def answered() -> bool:
        told = (await kube.get("bilten"))["status"]
        return bool(told == {"observedGeneration": 2, "phase": "Ready"})

    await running.until(answered)


async def test_what_somebody_changed_is_undone(running: Running):
    await running.meddle({"data": {"replicas": "99"}})
    await running.until_data(replicas="1")


async def test_what_somebody_deleted_is_made_again(running: Running, kube: Kube):
    await kube.request("DELETE", running.map)
    await running.until_data(replicas="1")


async def test_labels_that_somebody_took_away_come_back(running: Running, kube: Kube):
    await running.meddle({"metadata": {"labels": None}})

    async def labelled() -> bool:
        return "labels" in (await kube.request("GET", running.map)).body["metadata"]

    await running.until(labelled)


async def test_what_was_there_before_under_the_same_name_is_observed_and_not_written(shaky: Client, kube: Kube):
    theirs = {"metadata": {"name": "bilten-settings"}, "data": {"theirs": "yes"}}
    await kube.request("POST", f"api/v1/namespaces/{kube.namespace}/configmaps", theirs)
    seen: list[Observed] = []

    def plan(resource: dict[str, Any], observed: Observed, now: datetime) -> Plan:
        seen.append(observed)
        made = tiny_plan(resource, observed, now)
        return Plan((), made.status, (), None, wants_finalizer=False) if observed.objects else made

    controller = Controller(shaky, plan, lambda *_: (), namespaces=[kube.namespace])
    await kube.create(instance())
    reconcile = controller._reconciler  # noqa: SLF001
    key = Key(kube.namespace, "bilten")
    assert await reconcile(key) == 0.0
    await reconcile(key)
    assert [len(observed.objects) for observed in seen] == [0, 1]
    found = await kube.request("GET", f"api/v1/namespaces/{kube.namespace}/configmaps/bilten-settings")
    assert found.body["data"] == {"theirs": "yes"}


async def test_a_change_that_a_stalled_watch_did_not_tell_is_undone(running: Running, proxy: FaultProxy):
    proxy.flowing.clear()
    await running.meddle({"data": {"replicas": "99"}})
    await asyncio.sleep(0.5)
    proxy.flowing.set()
    proxy.stall(times=3, when=lambda _, path: "watch=true" in path and "configmaps" in path)
    await running.meddle({"data": {"replicas": "98"}})
    await running.until_data(replicas="1")


async def test_a_deletion_that_nobody_told_of_is_found_by_the_next_list(
    running: Running, proxy: FaultProxy, kube: Kube
):
    # The watch is cut, and the next is told that too much has happened: only a list can show what is gone.
    watches = "watch=true"
    proxy.answer(410, times=1, when=lambda _, path: watches in path and "configmaps" in path)
    proxy.flowing.clear()
    await kube.request("DELETE", running.map)
    await asyncio.sleep(3)
    proxy.flowing.set()
    await running.until_data(replicas="1")


@pytest.mark.parametrize("status", [409, 429, 500, 503])
async def test_an_api_server_that_refuses_for_a_while_delays_only(
    running: Running, proxy: FaultProxy, kube: Kube, status: int
):
    proxy.answer(status, times=8, when=lambda method, path: method != "GET" or "bilteninstances/" in path)
    await kube.patch("bilten", {"spec": {"api": {"replicas": 3}}})
    await running.tell()
    await running.until_data(replicas="3")


async def test_at_rest_nothing_is_written_and_hardly_anything_asked(running: Running, proxy: FaultProxy, kube: Kube):
    async def ready() -> bool:
        return bool((await kube.get("bilten")).get("status", {}).get("phase") == "Ready")

    await running.until(ready)
    await running.tell()
    await asyncio.sleep(1)
    before = len(proxy.calls)
    await asyncio.sleep(1)
    assert not [call for call in proxy.calls[before:] if "watch" not in call.query]


async def test_a_kind_that_is_installed_later_is_taken_up(client: Client, kube: Kube, kubectl: Kubectl, tmp_path: Path):
    later = Kind(f"{uuid.uuid4().hex[:8]}.example.com/v1", "Thing", "things", optional=True)
    appeared = asyncio.Event()
    watches = Watches(
        client, Cache(lambda _: None), [later, CONFIG], [kube.namespace], appeared=appeared.set, missing_pause_s=0.2
    )
    async with background(watches.run()):
        await watches.listed()
        assert watches.missing_kinds == {(later.group, "Thing")}
        path = tmp_path / "crd.json"
        path.write_text(json.dumps(stub(later)))
        await asyncio.to_thread(kubectl.establish, path)
        async with asyncio.timeout(PATIENCE_S):
            await appeared.wait()
        assert watches.missing_kinds == frozenset()


async def test_a_watch_of_instances_that_is_silent_is_noticed_and_made_good(running: Running, kube: Kube):
    async def ready() -> bool:
        return bool((await kube.get("bilten")).get("status", {}).get("phase") == "Ready")

    await running.until(ready)
    await running.tell()
    flow = running.controller.flow
    await flow.compare()
    assert running.controller.alive() is None
    await kube.patch("bilten", {"spec": {"api": {"replicas": 5}}})
    await flow.compare()
    assert running.controller.alive() is None
    await running.until_data(replicas="5")
    await flow.compare()
    assert running.controller.alive() == "the watch of instances does not tell of changes"
    await running.tell()
    await flow.compare()
    assert running.controller.alive() is None


async def test_what_the_api_server_refuses_is_told_in_status(shaky: Client, kube: Kube):
    def plan(resource: dict[str, Any], _observed: Observed, _now: datetime) -> Plan:
        metadata = {"name": "Not A Name", "namespace": kube.namespace}
        manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        status = {
            "observedGeneration": 1,
            "conditions": [{
                "type": "Ready", "status": "True", "observedGeneration": 1, "reason": "AllReady", "message": "Well.",
                "lastTransitionTime": "2026-01-02T03:04:05Z",
            }],
        }  # fmt: skip
        assert resource["metadata"]["name"] == "bilten"
        return Plan((Apply(StepName.SECRETS, manifest, "wanted"),), status, (), None, wants_finalizer=False)

    controller = Controller(shaky, plan, lambda *_: (), namespaces=[kube.namespace])
    await kube.create(instance())
    for _ in range(2):
        with pytest.raises(Exception, match="Not A Name"):
            await controller._reconciler(Key(kube.namespace, "bilten"))  # noqa: SLF001
    told = (await kube.get("bilten"))["status"]
    assert told["waitingFor"]["kind"] == "ConfigMap"
    assert "Invalid value" in told["waitingFor"]["message"]
    (ready,) = told["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "WriteRefused")
    assert await shaky.get(INSTANCE, kube.namespace, "bilten")
