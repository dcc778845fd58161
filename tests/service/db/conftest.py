"""Ways into the large database, for tests that look at plans."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from bilten.db.connections import connect_arguments
from bilten.db.database import Database
from fixtures.api import make_settings


@pytest.fixture
async def connection(large_database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as those of the hot reads."""
    opened = await asyncpg.connect(**connect_arguments(make_settings(large_database), jit="off"))
    yield opened
    await opened.close()


@pytest.fixture
async def large(large_database: str) -> AsyncIterator[Database]:
    """The database as the service uses it; what is written must be undone."""
    db = Database(make_settings(large_database))
    await db.open()
    yield db
    await db.close()
