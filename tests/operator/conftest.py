"""The operator's client, straight to the API server and through a proxy that fails on command."""

import json
from collections.abc import AsyncIterator

import pytest
from bilten_operator.cluster.client import Client
from fixtures.cluster import Kubectl
from support.apiserver import Address
from support.clients import client_of
from support.faults import FaultProxy, fault_proxy
from support.standins import STUBBED, stub


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


@pytest.fixture(scope="session")
def stubbed(crds: Address, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Address:
    """The API server, which knows other projects' kinds as well."""
    folder = tmp_path_factory.mktemp("crds")
    for kind in STUBBED:
        path = folder / f"{kind.plural}.json"
        path.write_text(json.dumps(stub(kind)))
        kubectl.establish(path)
    return crds
