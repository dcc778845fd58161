"""The operator's calls reach the API server, and come back from what networks and servers do to them."""

import asyncio
import logging
import time
from typing import Any

import pytest
from bilten_operator.cluster.client import Client, Patience
from bilten_operator.cluster.errors import Conflict, Expired, Missing, Refused, Unavailable
from bilten_operator.cluster.kinds import CHILDREN, INSTANCE, SECRET, kind_of
from support.apiserver import Address
from support.clients import client_of
from support.faults import FaultProxy
from support.instances import instance
from support.kube import Kube

CONFIG = kind_of("v1", "ConfigMap")


def config_map(kube: Kube, name: str = "one", **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": kube.namespace, "labels": {"part": "test"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


async def test_applying_makes_an_object_and_removes_fields_no_longer_named(client: Client, kube: Kube):
    await client.apply(config_map(kube, a="1", b="2"))
    await client.apply(config_map(kube, a="1"))
    found = await client.get(CONFIG, kube.namespace, "one")
    assert found
    assert found["data"] == {"a": "1"}
    assert {field["manager"] for field in found["metadata"]["managedFields"]} == {"bilten-operator"}


async def test_applying_takes_back_a_field_of_ours_and_leaves_those_of_others(client: Client, kube: Kube):
    await client.apply(config_map(kube, a="1"))
    await kube.request(
        "PATCH", f"api/v1/namespaces/{kube.namespace}/configmaps/one", {"data": {"a": "theirs", "b": "theirs"}},
        kind="application/merge-patch+json",
    )  # fmt: skip
    assert (await client.apply(config_map(kube, a="1")))["data"] == {"a": "1", "b": "theirs"}


async def test_what_exists_is_not_created_again(client: Client, kube: Kube):
    assert await client.create(config_map(kube, a="1"))
    assert await client.create(config_map(kube, a="2")) is None
    found = await client.get(CONFIG, kube.namespace, "one")
    assert found
    assert found["data"] == {"a": "1"}


async def test_only_the_object_that_was_meant_is_deleted(client: Client, kube: Kube):
    made = await client.apply(config_map(kube))
    assert not await client.delete(CONFIG, kube.namespace, "one", uid="another")
    assert await client.get(CONFIG, kube.namespace, "one")
    assert await client.delete(CONFIG, kube.namespace, "one", uid=made["metadata"]["uid"])
    assert not await client.delete(CONFIG, kube.namespace, "one", uid=made["metadata"]["uid"])


async def test_a_list_has_all_pages(client: Client, kube: Kube, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bilten_operator.cluster.client.PAGE", 2)
    for number in range(5):
        await client.apply(config_map(kube, f"map-{number}"))
    listing = await client.list(CONFIG, kube.namespace, "part=test")
    assert len(listing.items) == 5


async def test_a_kind_that_is_not_installed_is_missing(client: Client, kube: Kube):
    with pytest.raises(Missing):
        await client.list(kind_of("monitoring.coreos.com/v1", "ServiceMonitor"), kube.namespace)


@pytest.mark.parametrize("kind", [kind for kind in CHILDREN if not kind.optional], ids=lambda kind: kind.kind)
async def test_every_kind_is_where_the_table_says(client: Client, kube: Kube, kind: Any):
    assert (await client.list(kind, kube.namespace)).items == []


async def test_status_is_written_apart_from_the_spec_and_only_of_the_version_that_was_read(client: Client, kube: Kube):
    made = (await kube.create(instance())).body
    version = made["metadata"]["resourceVersion"]
    metadata = {"name": "bilten", "namespace": kube.namespace}
    status = {"apiVersion": INSTANCE.api_version, "kind": INSTANCE.kind, "metadata": metadata}
    await kube.patch("bilten", {"metadata": {"annotations": {"changed": "meanwhile"}}})
    stale = {**status, "metadata": {**metadata, "resourceVersion": version}, "status": {"phase": "Ready"}}
    with pytest.raises(Conflict):
        await client.apply_status(stale)
    written = await client.apply_status({**status, "status": {"observedGeneration": 1, "phase": "Pending"}})
    assert written["status"] == {"observedGeneration": 1, "phase": "Pending"}
    assert written["metadata"]["generation"] == 1
    written = await client.apply_status({**status, "status": {"observedGeneration": 1}})
    assert written["status"] == {"observedGeneration": 1}


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_busy_or_failing_server_is_asked_again(shaky: Client, proxy: FaultProxy, kube: Kube, status: int):
    proxy.answer(status, times=2)
    assert await shaky.apply(config_map(kube))
    assert [call.status for call in proxy.calls] == [status, status, 201]


async def test_a_server_that_keeps_failing_is_not_asked_for_ever(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.answer(503, times=100)
    with pytest.raises(Unavailable):
        await shaky.apply(config_map(kube))
    assert len(proxy.calls) == 4


async def test_retry_after_is_obeyed(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.answer(429, Retry_After="1")
    started = time.monotonic()
    await shaky.apply(config_map(kube))
    assert time.monotonic() - started >= 1


async def test_a_long_retry_after_is_left_to_the_caller(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.answer(429, Retry_After="60")
    with pytest.raises(Unavailable) as caught:
        await shaky.apply(config_map(kube))
    assert caught.value.retry_after_s == 60


async def test_a_conflict_is_told_and_not_repeated(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.answer(409)
    with pytest.raises(Conflict):
        await shaky.apply(config_map(kube))
    assert len(proxy.calls) == 1


async def test_a_creation_whose_answer_was_lost_is_found_to_exist(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.lose()
    assert await shaky.create(config_map(kube)) is None
    assert await shaky.get(CONFIG, kube.namespace, "one")


async def test_a_call_that_is_never_answered_ends(crds: Address, proxy: FaultProxy, kube: Kube):
    proxy.stall(times=2)
    async with client_of(proxy.url, crds, Patience(call_s=0.2, tries=2, first_pause_s=0.01)) as client:
        with pytest.raises(Unavailable, match="no answer in time"):
            await client.get(CONFIG, kube.namespace, "one")


async def test_a_refusal_says_why(client: Client, kube: Kube):
    with pytest.raises(Refused, match=r"spec\.environment"):
        await client.apply({**instance(environment="moon"), "metadata": {"name": "x", "namespace": kube.namespace}})


async def test_no_secret_is_told_in_errors_or_logs(
    shaky: Client, proxy: FaultProxy, kube: Kube, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    metadata = {"name": "one", "namespace": kube.namespace}
    wrong = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"hunter2 !": "hunter2"}}
    with pytest.raises(Refused) as caught:
        await shaky.apply(wrong)
    proxy.answer(500, times=1)
    await shaky.apply({**wrong, "stringData": {"key": "hunter2"}})
    assert await shaky.get(SECRET, kube.namespace, "one")
    assert "hunter2" not in str(caught.value) + caplog.text


async def test_a_watch_tells_what_happens_after_a_list(client: Client, kube: Kube):
    since = (await client.list(CONFIG, kube.namespace)).resource_version
    await client.apply(config_map(kube, a="1"))
    async for event in client.watch(CONFIG, kube.namespace, "part=test", since, silence_s=60):
        assert (event.type, event.object["data"]) == ("ADDED", {"a": "1"})
        break


async def test_a_watch_from_too_long_ago_is_expired(shaky: Client, proxy: FaultProxy, kube: Kube):
    proxy.answer(410)
    with pytest.raises(Expired):
        await anext(aiter(shaky.watch(CONFIG, kube.namespace, None, "1", silence_s=60)))


async def test_a_watch_that_falls_silent_ends(shaky: Client, proxy: FaultProxy, kube: Kube):
    since = (await shaky.list(CONFIG, kube.namespace)).resource_version
    proxy.flowing.clear()
    with pytest.raises(Unavailable):
        async with asyncio.timeout(60):
            await anext(aiter(shaky.watch(CONFIG, kube.namespace, None, since, silence_s=0.3)))
    proxy.flowing.set()
