"""Whether the object store answers and takes our keys."""

import asyncio
from collections.abc import Awaitable, Callable

from bilten.objects.client import connect
from bilten.settings import Settings

#: Connect and read, in seconds; a probe must not outlast the readiness check's own limit.
TIMEOUT_S = 2.0


def bucket_probe(settings: Settings) -> Callable[[], Awaitable[None]]:
    """A check that lists the buckets: it needs the server, its clock and our keys to be right."""
    client = connect(settings, timeout_s=TIMEOUT_S, retries=False)

    async def probe() -> None:
        await asyncio.to_thread(client.list_buckets)

    return probe
