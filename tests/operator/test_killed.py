"""Whichever write an operator is killed before, the next one brings everything to the same end."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.kinds import INSTANCE
from kubernetes.aio.client import ApiClient, Configuration
from support.apiserver import Address
from support.clients import PATIENCE
from support.instances import EXTERNAL, instance
from support.lives import Mortal, World, differences

#: Everything that has an order: database, store, migration, rollout, way in, backups, and files to delete at the end.
SPEC = {
    "environment": "staging",
    "image": "registry.example.com/bilten@sha256:" + "1" * 64,
    "exposure": {"mode": "Ingress", "host": "api.example.com"},
    "database": {"mode": "Managed", "managed": {"instances": 2, "pooler": {}}},
    "backup": {"schedule": "30 1 * * *"},
    "deletionPolicy": "Delete",
}
EDIT = {
    "image": "registry.example.com/bilten@sha256:" + "2" * 64,
    "api": {"replicas": 3},
    "exposure": {"mode": "None", "host": None},
    "config": {"corsOrigins": ["https://www.example.com"]},
}
#: Worlds that are tried at once; each is mostly waiting for the API server.
AT_ONCE = 4

Step = Callable[[World], Awaitable[None]]


@pytest.fixture
async def api(stubbed: Address) -> AsyncIterator[ApiClient]:
    settings = Configuration(host=stubbed.url)
    settings.ssl_ca_cert = stubbed.ca
    settings.connection_pool_maxsize = 0
    settings.api_key["BearerToken"] = f"Bearer {stubbed.token}"
    async with ApiClient(settings) as api:
        yield api


@asynccontextmanager
async def world(api: ApiClient) -> AsyncIterator[World]:
    calm = Client(api, PATIENCE)
    namespace = f"test-{uuid.uuid4().hex[:12]}"
    made = World(Mortal(api, PATIENCE), calm, namespace)
    await calm._dynamic.request("post", "/api/v1/namespaces", body={"metadata": {"name": namespace}}, serialize=False)  # noqa: SLF001
    yield made


async def create(one: World) -> None:
    await make(one, SPEC)


async def create_with_files_to_delete(one: World) -> None:
    keys = {"accessKey": "access", "secretKey": "secret-key"}
    metadata = {"name": "s3", "namespace": one.key.namespace}
    await one.calm.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": keys})
    await make(one, {**SPEC, "objectStorage": EXTERNAL})


async def make(one: World, spec: dict[str, Any]) -> None:
    body = instance(**spec)
    body["metadata"]["namespace"] = one.key.namespace
    await one.calm.create(body)


async def edit(one: World) -> None:
    await one.calm.merge(INSTANCE, *one.key, {"spec": EDIT})


async def delete(one: World) -> None:
    found = await one.calm.get(INSTANCE, *one.key)
    assert found
    await one.calm.delete(INSTANCE, *one.key, uid=found["metadata"]["uid"])


STEPS: dict[str, list[Step]] = {
    "create": [create],
    "edit": [create, edit],
    "delete": [create_with_files_to_delete, delete],
}


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
async def test_killed_before_any_write_it_comes_to_the_same_end(
    api: ApiClient, steps: list[Step], record_property: Callable[[str, object], None]
):
    *before, last = steps

    async def run(left: int | None) -> tuple[World, dict[str, object], int]:
        async with world(api) as one:
            for step in before:
                await step(one)
                await one.rest()
            written = len(one.client.writes)
            await last(one)
            one.client.left = left
            await one.rest()
            return one, await one.state(), len(one.client.writes) - written

    unharmed, expected, writes = await run(None)
    assert unharmed.lives == 1
    assert writes > 3, unharmed.client.writes[-writes:]
    slots = asyncio.Semaphore(AT_ONCE)

    async def killed(left: int) -> None:
        async with slots:
            one, state, _ = await run(left)
        assert one.lives == 2, f"there was no write {left}"
        harm = differences(state, expected)
        assert not harm, f"killed before write {left + 1}, {unharmed.client.writes[-writes:][left]}"

    async with asyncio.TaskGroup() as group:
        for left in range(writes):
            group.create_task(killed(left))
    record_property("kill points", writes)
    print(f"\nkilled before each of {writes} writes")  # noqa: T201 - a figure that the report of an issue quotes
