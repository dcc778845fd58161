"""The operator's client, straight to the API server and through a proxy that fails on command."""

from collections.abc import AsyncIterator

import pytest
from bilten_operator.cluster.client import Client
from support.apiserver import Address
from support.clients import client_of
from support.faults import FaultProxy, fault_proxy


@pytest.fixture
async def client(crds: Address) -> AsyncIterator[Client]:
    """The operator's client."""
    async with client_of(crds.url, crds) as client:
        yield client


@pytest.fixture
async def proxy(crds: Address) -> AsyncIterator[FaultProxy]:
    """A proxy before the API server that fails on command."""
    async with fault_proxy(crds) as proxy:
        yield proxy


@pytest.fixture
async def shaky(crds: Address, proxy: FaultProxy) -> AsyncIterator[Client]:
    """The operator's client, through that proxy."""
    async with client_of(proxy.url, crds) as client:
        yield client
