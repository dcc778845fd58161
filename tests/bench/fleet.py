"""Many instances, each in a namespace of its own: made at once, watched until they are Ready, edited."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from bench.stage import Stage
from bench.watching import events
from bilten_operator.api.instance import GROUP, PLURAL, VERSION
from support.instances import instance

NAME = "bilten"
#: Requests that are under way at once while instances are made.
AT_ONCE = 8


class Fleet:
    """All instances of a stage. To be entered by `watched`."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.namespaces: list[str] = []
        #: When each was first seen Ready, on this process's monotonic clock.
        self.ready_at: dict[str, float] = {}
        self.watching: asyncio.Task[None] | None = None

    async def make(self, count: int) -> float:
        """Make so many more; the monotonic time at which the first was asked for."""
        first = len(self.namespaces)
        made = [f"bench-{number:04d}" for number in range(first, first + count)]
        await _all(self._namespace(name) for name in made)
        self.namespaces += made
        began = time.monotonic()
        await _all(self._instance(name) for name in made)
        return began

    async def until_ready(self, within_s: float) -> None:
        """Wait for all. Raises TimeoutError that says how far it came."""
        try:
            async with asyncio.timeout(within_s):
                while len(self.ready_at) < len(self.namespaces):
                    self.stage.check()
                    if self.watching and self.watching.done():
                        self.watching.result()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            message = f"{len(self.ready_at)} of {len(self.namespaces)} instances are Ready after {within_s:.0f} s"
            raise TimeoutError(message) from None

    async def edit(self, namespace: str, change: dict[str, Any]) -> None:
        """Change the spec of one."""
        path = f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{NAME}"
        done = await self.stage.kube.request(
            "PATCH", path, {"spec": change}, kind="application/merge-patch+json"
        )  # fmt: skip
        if done.status != 200:
            raise RuntimeError(f"{path}: {done.body}")

    async def _namespace(self, name: str) -> None:
        await self._post("api/v1/namespaces", {"metadata": {"name": name}})

    async def _instance(self, namespace: str) -> None:
        await self._post(f"apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}", instance(NAME))

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        made = await self.stage.kube.request("POST", path, body)
        if made.status != 201:
            raise RuntimeError(f"{path}: {made.body}")

    async def watch(self) -> None:
        """Follow all instances for ever."""
        address = self.stage.address
        context = ssl.create_default_context(cafile=address.ca)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context), headers={"Authorization": f"Bearer {address.token}"}
        ) as session:  # fmt: skip
            async for event in events(session, f"{address.url}/apis/{GROUP}/{VERSION}/{PLURAL}"):
                self._saw(event["object"])

    def _saw(self, found: dict[str, Any]) -> None:
        namespace = found["metadata"]["namespace"]
        told = (found.get("status") or {}).get("conditions", [])
        ready = next((one for one in told if one["type"] == "Ready"), {"status": "", "observedGeneration": 0})
        if ready["status"] == "True" and ready["observedGeneration"] == found["metadata"]["generation"]:
            self.ready_at.setdefault(namespace, time.monotonic())


@asynccontextmanager
async def watched(stage: Stage) -> AsyncIterator[Fleet]:
    """A fleet whose instances are followed while the block runs."""
    fleet = Fleet(stage)
    fleet.watching = asyncio.create_task(fleet.watch())
    try:
        yield fleet
    finally:
        fleet.watching.cancel()


async def _all(work: Any) -> None:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(job: Any) -> None:
        async with slots:
            await job

    async with asyncio.TaskGroup() as group:
        for job in work:
            group.create_task(one(job))
