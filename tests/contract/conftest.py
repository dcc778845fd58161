"""The API that the contract is held against: one of the test's own, or the one at BILTEN_CONTRACT_URL.

make up
BILTEN_CONTRACT_URL=http://127.0.0.1:3001 .venv/bin/pytest tests/contract

Where no DNS knows the host of that address, BILTEN_CONTRACT_ADDRESS says where it is, as address:port.
The pages of development are served to localhost only: BILTEN_CONTRACT_MAILBOX is where they are, if elsewhere.
"""

import os
import socket
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from contract.world import World

RUNNING = os.environ.get("BILTEN_CONTRACT_URL", "").rstrip("/")

ADDRESS = os.environ.get("BILTEN_CONTRACT_ADDRESS", "")
MAILBOX = os.environ.get("BILTEN_CONTRACT_MAILBOX", "")

MakeWorld = Callable[[str], World]

if RUNNING:

    @pytest.fixture
    def contract_url() -> str:
        """Where the API is that somebody else runs."""
        return RUNNING

else:
    from fixtures.api import Api
    from support.house import House

    @pytest.fixture
    def contract_url(request: pytest.FixtureRequest) -> str:
        """Where this test's own API is; its worker delivers the mails, and looks at what is uploaded.

        Only where there are uploads: buckets and a scanner for each of the other tests would take longer than they do.
        """
        call = getattr(request.node, "callspec", None) and request.node.callspec.params.get("call")
        uploads = "uploads" in request.fixturenames or (call is not None and call.tier == "U")
        url: str = request.getfixturevalue("_with_files" if uploads else "_without_files")
        return url

    @pytest.fixture
    async def _with_files(house: House) -> AsyncIterator[str]:
        async with house.working():
            yield house.api.url

    @pytest.fixture
    async def _without_files(api: Api) -> AsyncIterator[str]:
        async with House(api).working():
            yield api.url


@pytest.fixture
def uploads() -> None:
    """Asked for by a test that uploads something beside the calls that do."""


class At(AbstractResolver):
    """Finds every host at one address."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002 its own stands for any
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[ResolveResult]:
        where = ResolveResult(
            hostname=host, host=self._host, port=int(self._port), family=family, proto=0, flags=socket.AI_NUMERICHOST
        )
        return [where]

    async def close(self) -> None:
        pass


@pytest.fixture
async def world(contract_url: str) -> AsyncIterator[MakeWorld]:
    """Makes a client of one base path."""
    connector = aiohttp.TCPConnector(resolver=At(ADDRESS)) if ADDRESS else None
    async with aiohttp.ClientSession(connector=connector) as session:
        yield lambda base: World(session, contract_url, base, mailbox=MAILBOX)
