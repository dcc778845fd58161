"""The API that the contract is held against: one of the test's own, or the one at BILTEN_CONTRACT_URL.

make up
BILTEN_CONTRACT_URL=http://127.0.0.1:3001 .venv/bin/pytest tests/contract
"""

import os
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from contract.world import World

RUNNING = os.environ.get("BILTEN_CONTRACT_URL", "").rstrip("/")

MakeWorld = Callable[[str], World]

if RUNNING:

    @pytest.fixture
    def contract_url() -> str:
        """Where the API is that somebody else runs."""
        return RUNNING

else:
    from bilten import work
    from fixtures.api import Api
    from support.jobs import working

    @pytest.fixture
    async def contract_url(api: Api) -> AsyncIterator[str]:
        """Where this test's own API is; its worker delivers the mails."""
        async with working(api.db, work.kinds(api.settings, api.db), api.settings):
            yield api.url


@pytest.fixture
async def world(contract_url: str) -> AsyncIterator[MakeWorld]:
    """Makes a client of one base path."""
    async with aiohttp.ClientSession() as session:
        yield lambda base: World(session, contract_url, base)
