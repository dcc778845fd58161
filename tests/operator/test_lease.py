"""One operator acts at a time, and another takes over when it ends, dies, or loses sight of the API server."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.kinds import LEASE
from bilten_operator.cluster.lease import Lease, Lost, Terms
from support.faults import FaultProxy
from support.kube import Kube
from support.tasks import background

#: Short, but with room for a machine that stands still for a while.
TERMS = Terms(duration_s=6, renew_s=4, pause_s=0.2, call_s=1.5)

Candidate = Callable[..., Lease]


@pytest.fixture
def candidate(kube: Kube, client: Client) -> Candidate:
    def make(of: Client | None = None) -> Lease:
        return Lease(of or client, kube.namespace, "operator", f"pod-{uuid.uuid4().hex[:6]}", TERMS)

    return make


async def holder(client: Client, kube: Kube) -> str:
    lease = await client.get(LEASE, kube.namespace, "operator")
    assert lease
    return lease["spec"]["holderIdentity"]


async def test_only_one_of_many_that_start_at_once_holds_it(candidate: Candidate):
    candidates = [candidate() for _ in range(5)]
    async with AsyncExitStack() as stack:
        tasks = [await stack.enter_async_context(background(one.acquire())) for one in candidates]
        async with asyncio.timeout(60):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(1)
        assert [one.held for one in candidates].count(True) == 1


async def test_one_that_is_released_is_taken_without_waiting_for_it_to_expire(
    candidate: Candidate, client: Client, kube: Kube
):
    first, second = candidate(), candidate()
    await first.acquire()
    async with background(second.acquire()) as waiting:
        await asyncio.sleep(0.5)
        assert not second.held
        await first.release()
        assert await holder(client, kube) in {"", second.identity}
        async with asyncio.timeout(60):
            await waiting
    assert await holder(client, kube) == second.identity


async def test_one_whose_holder_died_is_taken_when_it_expires(candidate: Candidate, client: Client, kube: Kube):
    first, second = candidate(), candidate()
    await first.acquire()
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(120):
        await second.acquire()
    assert asyncio.get_running_loop().time() - began >= TERMS.duration_s
    lease = await client.get(LEASE, kube.namespace, "operator")
    assert lease
    assert lease["spec"]["leaseTransitions"] == 1


async def test_a_holder_without_an_api_server_gives_up_before_another_can_start(
    candidate: Candidate, shaky: Client, proxy: FaultProxy
):
    first, second = candidate(shaky), candidate()
    await first.acquire()
    async with background(first.hold()) as holding, background(second.acquire()) as waiting:
        await asyncio.sleep(1)
        proxy.stall(times=1000)
        async with asyncio.timeout(120):
            with pytest.raises(Lost):
                await holding
            assert not first.held
            assert not waiting.done()
            await waiting


async def test_a_holder_survives_errors_that_pass(candidate: Candidate, shaky: Client, proxy: FaultProxy):
    first = candidate(shaky)
    await first.acquire()
    async with background(first.hold()) as holding:
        for status in (409, 429, 500, 503):
            proxy.answer(status)
        await asyncio.sleep(2)
        assert first.held
        assert not holding.done()


async def test_a_holder_that_was_deposed_notices(candidate: Candidate, client: Client, kube: Kube):
    first = candidate()
    await first.acquire()
    await client.merge(LEASE, kube.namespace, "operator", {"spec": {"holderIdentity": "another"}})
    async with asyncio.timeout(60):
        with pytest.raises(Lost, match="another"):
            await first.hold()


async def test_a_standby_beats_even_while_the_api_server_does_not_answer(
    candidate: Candidate, shaky: Client, proxy: FaultProxy
):
    await candidate().acquire()
    standby = candidate(shaky)
    proxy.answer(503, times=1000)
    async with background(standby.acquire()) as waiting:
        await asyncio.sleep(0.5)
        before = standby.beat_at
        await asyncio.sleep(2)
        assert standby.beat_at > before
        assert not waiting.done()
