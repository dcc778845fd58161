"""A bucket on a real object store, and the service's way to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bilten.local.objectstore import S3Address
from bilten.objects.store import ObjectStore
from bilten.settings import Settings
from fixtures.api import make_settings


@dataclass
class Bucket:
    """A bucket of the test's own."""

    store: ObjectStore
    name: str
    address: S3Address
    settings: Settings


def settings_for(address: S3Address, **overrides: Any) -> Settings:
    return make_settings(
        "postgresql://nobody@127.0.0.1/none",
        **{
            "s3_endpoint": address.endpoint,
            "s3_access_key": address.access_key,
            "s3_secret_key": address.secret_key,
            "s3_region": address.region,
            "s3_read_timeout_s": 60,
            **overrides,
        },
    )


OpenBucket = Callable[..., Awaitable[Bucket]]
