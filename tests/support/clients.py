"""Clients of the operator's kind, to wherever a test wants them to go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bilten_operator.cluster.client import Client, Patience
from kubernetes.aio.client import ApiClient, Configuration
from support.apiserver import Address

#: Short pauses, so that a test of retries takes no seconds; long calls, so that a slow machine fails none.
PATIENCE = Patience(call_s=30, connect_s=10, tries=4, first_pause_s=0.01, longest_pause_s=2)


@asynccontextmanager
async def client_of(url: str, address: Address, patience: Patience = PATIENCE) -> AsyncIterator[Client]:
    """A client of the server at `url`, signed in as the administrator of `address`."""
    settings = Configuration(host=url)
    settings.ssl_ca_cert = address.ca
    settings.connection_pool_maxsize = 0
    settings.api_key["BearerToken"] = f"Bearer {address.token}"
    async with ApiClient(settings) as api:
        yield Client(api, patience)
    # A watch that was cut off says goodbye over TLS, which takes its connection a few turns of the loop.
    await asyncio.sleep(0.1)
