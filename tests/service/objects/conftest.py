"""Object stores to test with: each of two real servers, whole or behind a network that fails."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from bilten.local.objectstore import S3Address
from bilten.objects.store import ObjectStore
from support.buckets import Bucket, OpenBucket, settings_for
from support.faulty_store import FaultyStore, faulty_store


@pytest.fixture(params=["seaweedfs", "minio"])
def server(request: pytest.FixtureRequest) -> S3Address:
    """Each of the two."""
    address: S3Address = request.getfixturevalue("minio" if request.param == "minio" else "object_store")
    return address


@pytest.fixture
async def open_bucket() -> AsyncIterator[OpenBucket]:
    """Makes buckets with settings of the test's choice; their stores are closed with the test."""
    async with AsyncExitStack() as stack:

        async def open_(address: S3Address, *, made: bool = True, **overrides: Any) -> Bucket:
            settings = settings_for(address, **overrides)
            store = ObjectStore(settings)
            await store.open()
            stack.push_async_callback(store.close)
            name = f"t-{uuid.uuid4().hex}"
            if made:
                await store.ensure_bucket(name)
            return Bucket(store, name, address, settings)

        yield open_


@pytest.fixture
async def bucket(server: S3Address, open_bucket: OpenBucket) -> Bucket:
    """A bucket of each server."""
    return await open_bucket(server)


@pytest.fixture
async def network(server: S3Address) -> AsyncIterator[FaultyStore]:
    """A network before each server."""
    async with faulty_store(server) as network:
        yield network


@pytest.fixture
async def shaky(server: S3Address, network: FaultyStore, open_bucket: OpenBucket) -> Bucket:
    """A bucket behind that network."""
    address = S3Address(f"http://127.0.0.1:{network.port}", server.access_key, server.secret_key, server.region)
    bucket = await open_bucket(address, s3_read_timeout_s=20)
    network.calls.clear()
    return bucket


@pytest.fixture
async def hasty(shaky: Bucket) -> AsyncIterator[Bucket]:
    """The same bucket to one who waits for no more than a second: for calls that are never answered."""
    settings = settings_for(shaky.address, s3_read_timeout_s=1, s3_connect_timeout_s=1)
    store = ObjectStore(settings)
    await store.open()
    yield Bucket(store, shaky.name, shaky.address, settings)
    await store.close()
