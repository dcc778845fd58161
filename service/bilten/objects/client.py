"""The one way to a client of the configured object store, with limits of time and what is tried again."""

from datetime import datetime
from typing import Any

import urllib3
from minio import Minio
from pydantic import AnyHttpUrl

from bilten.settings import Settings

#: All our calls may be repeated: they are when the connection failed or the server said that it did.
_RETRIES = urllib3.Retry(
    total=2, read=1, redirect=0, allowed_methods=None, backoff_factor=0.1, status_forcelist=(500, 502, 503, 504),
    respect_retry_after_header=False,  # a thread would sleep for as long as the server says
)  # fmt: skip


class Client(Minio):
    """The package's client, with one more call of S3."""

    def begun_uploads(self, bucket: str) -> list[tuple[str, str, datetime]]:
        """Uploads in parts that were begun and not ended, 1,000 at most: key, id, beginning."""
        listed = self._list_multipart_uploads(bucket)
        return [
            (upload.object_name, upload.upload_id, upload.initiated_time)
            for upload in listed.uploads
            if upload.upload_id and upload.initiated_time
        ]


def connect(settings: Settings, *, timeout_s: float | None = None, retries: Any = _RETRIES, threads: int = 4) -> Client:
    """A client for so many threads. Raises `ValueError` when the store's address is missing."""
    timeout = urllib3.Timeout(
        connect=min(settings.s3_connect_timeout_s, timeout_s or settings.s3_connect_timeout_s),
        read=timeout_s or settings.s3_read_timeout_s,
    )
    pool = urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=threads)
    return _client(settings, settings.s3_endpoint, http_client=pool)


def signer(settings: Settings, *, public: bool = False) -> Client:
    """A client that only signs addresses, those that browsers reach if `public`; it never calls."""
    return _client(settings, settings.s3_public_endpoint if public else None)


def _client(settings: Settings, endpoint: AnyHttpUrl | None, **options: Any) -> Client:
    endpoint = endpoint or settings.s3_endpoint
    if endpoint is None or endpoint.host is None:
        raise ValueError("BILTEN_S3_ENDPOINT is not set")
    return Client(
        f"{endpoint.host}:{endpoint.port}",
        access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else None,
        secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
        secure=endpoint.scheme == "https",
        region=settings.s3_region,
        **options,
    )
