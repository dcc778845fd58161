"""The operator as a process: it leads, hands over, and ends when it should."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.kinds import LEASE
from support.apiserver import Address
from support.faults import FaultProxy
from support.instances import instance
from support.kube import Kube
from support.operators import PATIENCE_S, Operator

Start = Callable[..., Operator]


@pytest.fixture
def start(tmp_path: Path, crds: Address, kube: Kube) -> Iterator[Start]:
    """Starts operators of the test's namespace."""
    started: list[Operator] = []

    def starter(name: str, **settings: str) -> Operator:
        started.append(Operator(tmp_path, crds, name, namespace=kube.namespace, **settings))
        return started[-1]

    yield starter
    for operator in started:
        operator.end(signal.SIGKILL)


async def generation_seen(kube: Kube, name: str = "bilten") -> int | None:
    return ((await kube.get(name)).get("status") or {}).get("observedGeneration")


async def until_seen(operator: Operator, kube: Kube, generation: int) -> None:
    for _ in range(PATIENCE_S * 20):
        if await generation_seen(kube) == generation:
            return
        assert operator.process.poll() is None, operator.log.read_text()
        await asyncio.sleep(0.05)
    raise AssertionError(f"generation {generation} is not answered in status:\n{operator.log.read_text()}")


async def holder(client: Client, kube: Kube) -> str:
    lease = await client.get(LEASE, kube.namespace, "bilten-operator")
    assert lease
    return lease["spec"]["holderIdentity"]


async def test_an_instance_and_an_edit_of_it_are_answered(start: Start, kube: Kube):
    one = start("one")
    await kube.create(instance())
    await until_seen(one, kube, 1)
    await kube.patch("bilten", {"spec": {"api": {"replicas": 2}}})
    await until_seen(one, kube, 2)


async def test_a_terminated_leader_hands_over_at_once_and_the_next_goes_on(start: Start, kube: Kube, client: Client):
    first = start("first")
    await first.wait(lambda: first.holds, "leading")
    second = start("second", lease_s="600")
    await second.until("Standing by")
    await kube.create(instance())
    await until_seen(first, kube, 1)
    assert not second.holds
    assert first.end() == 0
    await second.wait(lambda: second.holds, "leading")
    assert (await holder(client, kube)).startswith("second")
    await kube.patch("bilten", {"spec": {"api": {"replicas": 2}}})
    await until_seen(second, kube, 2)


async def test_a_killed_leader_is_replaced_when_its_lease_ends(start: Start, kube: Kube):
    first = start("first")
    await first.wait(lambda: first.holds, "leading")
    second = start("second")
    await second.until("Standing by")
    await kube.create(instance())
    await until_seen(first, kube, 1)
    first.end(signal.SIGKILL)
    await second.wait(lambda: second.holds, "leading")
    await kube.patch("bilten", {"spec": {"api": {"replicas": 2}}})
    await until_seen(second, kube, 2)


async def test_a_standby_ends_when_told_to(start: Start):
    first = start("first")
    await first.wait(lambda: first.holds, "leading")
    second = start("second")
    await second.until("Standing by")
    assert second.end() == 0


async def test_a_leader_that_loses_the_api_server_ends_and_is_started_anew_by_others(
    start: Start, proxy: FaultProxy, kube: Kube
):
    operator = start("one", server=proxy.url)
    await kube.create(instance())
    await until_seen(operator, kube, 1)
    proxy.stall(times=10_000)
    began = time.monotonic()
    while operator.process.poll() is None and time.monotonic() - began < PATIENCE_S:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert operator.process.poll() == 1
    assert operator.says("Lost the Lease")


async def test_probes_and_metrics_tell_of_leader_and_standby(start: Start, kube: Kube):
    first = start("first")
    await first.wait(lambda: first.holds, "leading")
    second = start("second")
    await kube.create(instance())
    await until_seen(first, kube, 1)
    for operator, leads in ((first, "1.0"), (second, "0.0")):
        assert (await operator.get("/livez"))[0] == 200
        assert (await operator.get("/readyz"))[0] == 200
        assert f"bilten_operator_leader {leads}" in (await operator.get("/metrics"))[1]
    metrics = (await first.get("/metrics"))[1]
    assert 'bilten_operator_reconciles_total{outcome="ok"}' in metrics
    assert 'bilten_operator_api_calls_total{kind="BiltenInstance",status="200",verb="GET"}' in metrics
    assert f'name="bilten",namespace="{kube.namespace}",status="True",type="Ready"}}' in metrics


async def test_nothing_but_status_is_written_to_an_instance(start: Start, kube: Kube):
    one = start("one")
    before = (await kube.create(instance())).body
    await until_seen(one, kube, 1)
    after = await kube.get("bilten")
    assert after["spec"] == before["spec"]
    assert "finalizers" not in after["metadata"]
    assert "annotations" not in after["metadata"]


def test_what_is_wrong_with_the_configuration_is_said(tmp_path: Path, crds: Address):
    operator = Operator(tmp_path, crds, "one", namespace="default", workers="none", minio_image="")
    assert operator.process.wait(PATIENCE_S) == 2
    assert "BILTEN_OPERATOR_WORKERS: Input should be a valid integer" in operator.log.read_text()
