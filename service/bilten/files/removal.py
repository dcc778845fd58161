"""The job `files.remove`: objects that nothing shows any more go from both buckets, and from the CDN.

It is written in the transaction that makes them so, and repeated until the store and the CDN have answered.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.addresses import base_url, surrogate_key
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.objects.cdn import Cdn
from bilten.objects.store import ObjectStore
from bilten.settings import Settings

REMOVE = "files.remove"
TIMEOUT_S = 60.0
#: Keys of one job: what the store takes in one call.
BATCH = 500


class Unwanted(BaseModel):
    """Keys in the buckets; at the CDN, public paths and the file that they are of."""

    model_config = ConfigDict(frozen=True)

    quarantine: list[str] = Field(default_factory=list)
    media: list[str] = Field(default_factory=list)
    paths: list[str] = Field(default_factory=list)
    file_id: UUID | None = None


async def ask(
    tx: AsyncConnection,
    settings: Settings,
    *,
    quarantine: Iterable[str] = (),
    media: Iterable[str] = (),
    paths: Iterable[str] = (),
    file_id: UUID | None = None,
) -> None:
    """Let the worker remove these, when the transaction is committed."""
    parts = {"quarantine": list(quarantine), "media": list(media), "paths": list(paths)}
    for start in range(0, max(map(len, parts.values())), BATCH):
        batch = {name: keys[start : start + BATCH] for name, keys in parts.items()}
        await enqueue(tx, settings, REMOVE, {**batch, "file_id": file_id and str(file_id)})


def kinds(settings: Settings, store: ObjectStore, cdn: Cdn) -> list[Kind[Any]]:
    """The kinds of job there are for removing."""

    async def remove(_job: Job, unwanted: Unwanted) -> None:
        for bucket, keys in (
            (settings.s3_quarantine_bucket, unwanted.quarantine),
            (settings.s3_media_bucket, unwanted.media),
        ):
            if keys:
                await store.remove(bucket, keys)
        # Last: until the bytes are gone, the CDN could fetch them again.
        if unwanted.paths:
            urls = [base_url(settings) + path for path in unwanted.paths]
            await cdn.purge(urls, [surrogate_key(unwanted.file_id)] if unwanted.file_id else [])

    return [Kind(name=REMOVE, payload=Unwanted, handle=remove, timeout_s=TIMEOUT_S)]
