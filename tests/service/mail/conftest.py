"""An opened database, and settings under which a worker is quick."""

from collections.abc import AsyncIterator

import pytest
from bilten.db.database import Database
from bilten.settings import Settings
from fixtures.api import make_settings


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(database_url, worker_poll_s=0.05, worker_lease_s=30, database_pool_size=10)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings)
    await database.open()
    yield database
    await database.close()
