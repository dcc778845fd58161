"""What browsers are given to reach the object store directly: a form to upload with.

It is signed here, without asking the store, for the address that browsers reach.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from minio import Minio
from minio.datatypes import PostPolicy


@dataclass(frozen=True)
class PostForm:
    """A form of `multipart/form-data`: `fields` in this order, then the bytes as `file`. Whoever has it may upload."""

    url: str
    fields: dict[str, str] = field(repr=False)
    expires_at: datetime


def presign_post(
    client: Minio, bucket: str, key: str, *, size_range: tuple[int, int], media_type: str, expires: timedelta
) -> PostForm:
    """Sign a policy of exactly this key, this type, and a size within both ends of the range."""
    expires_at = datetime.now(UTC) + expires
    policy = PostPolicy(bucket, expires_at)
    policy.add_equals_condition("key", key)
    policy.add_equals_condition("Content-Type", media_type)
    policy.add_content_length_range_condition(*size_range)
    signed = client.presigned_post_policy(policy)
    url = client.get_presigned_url("POST", bucket, key).partition("?")[0].removesuffix(key)
    return PostForm(url.rstrip("/"), {"key": key, "Content-Type": media_type, **signed}, expires_at)
