"""Whether the object store answers and takes our keys."""

import asyncio
from collections.abc import Awaitable, Callable

import urllib3
from minio import Minio

from bilten.settings import Settings

#: Connect and read, in seconds; a probe must not outlast the readiness check's own limit.
TIMEOUT_S = 2.0


def connect(settings: Settings) -> Minio:
    """A client of the configured store. Raises `ValueError` when its address is missing."""
    endpoint = settings.s3_endpoint
    if endpoint is None or endpoint.host is None:
        raise ValueError("BILTEN_S3_ENDPOINT is not set")
    return Minio(
        f"{endpoint.host}:{endpoint.port}",
        access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else None,
        secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
        secure=endpoint.scheme == "https",
        region=settings.s3_region,
        http_client=urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=TIMEOUT_S, read=TIMEOUT_S), retries=False, maxsize=4
        ),
    )


def bucket_probe(settings: Settings) -> Callable[[], Awaitable[None]]:
    """A check that lists the buckets: it needs the server, its clock and our keys to be right."""
    client = connect(settings)

    async def probe() -> None:
        await asyncio.to_thread(client.list_buckets)

    return probe
