"""An API with buckets of its own, and a worker that looks at what is uploaded."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bilten.local.objectstore import S3Address
from fixtures.api import StartApi
from support.house import House, OpenHouse


@pytest.fixture
async def open_house(start_api: StartApi, object_store: S3Address) -> OpenHouse:
    """Starts an API with buckets of its own, and settings of the test's choice."""

    async def open_(**overrides: Any) -> House:
        marks = uuid.uuid4().hex
        api = await start_api(
            **{
                "s3_endpoint": object_store.endpoint,
                "s3_access_key": object_store.access_key,
                "s3_secret_key": object_store.secret_key,
                "s3_region": object_store.region,
                "s3_quarantine_bucket": f"q-{marks}",
                "s3_media_bucket": f"m-{marks}",
                "database_pool_size": 10,
                "public_url": "http://bilten.example.test",
                **overrides,
            }
        )
        for bucket in (api.settings.s3_quarantine_bucket, api.settings.s3_media_bucket):
            await api.services.store.ensure_bucket(bucket)
        return House(api)

    return open_


@pytest.fixture
async def house(open_house: OpenHouse) -> House:
    """One of them, with nobody at work."""
    return await open_house()


@pytest.fixture
async def staffed(house: House) -> AsyncIterator[House]:
    """One with a worker."""
    async with house.working():
        yield house
