"""The jobs `files.remove` and `files.purge`: what nothing shows any more goes from both buckets, and from the CDN.

They are written in the transaction that makes it so, and repeated until the store and the CDN have answered. They are
two, so that neither waits for the other: once the transaction is committed, the API, from which the CDN fetches,
serves nothing of it, whether the bytes are still there or not.
"""

from collections.abc import Iterable
from datetime import datetime
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
PURGE = "files.purge"
TIMEOUT_S = 60.0
#: Keys or paths of one job: what the store takes in one call.
BATCH = 500


class Unwanted(BaseModel):
    """Keys in the buckets."""

    model_config = ConfigDict(frozen=True)

    quarantine: list[str] = Field(default_factory=list)
    media: list[str] = Field(default_factory=list)


class Ended(BaseModel):
    """Public paths that lead nowhere any more, and the file that they were of."""

    model_config = ConfigDict(frozen=True)

    paths: list[str]
    file_id: UUID | None = None


async def ask(
    tx: AsyncConnection,
    settings: Settings,
    *,
    quarantine: Iterable[str] = (),
    media: Iterable[str] = (),
    paths: Iterable[str] = (),
    file_id: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Let the worker remove these objects and purge these paths, when the transaction is committed; objects `at`."""
    ended, of_file = list(paths), file_id and str(file_id)
    for start in range(0, len(ended), BATCH):
        await enqueue(tx, settings, PURGE, {"paths": ended[start : start + BATCH], "file_id": of_file})
    parts = {"quarantine": list(quarantine), "media": list(media)}
    for start in range(0, max(map(len, parts.values())), BATCH):
        unwanted = {name: keys[start : start + BATCH] for name, keys in parts.items()}
        await enqueue(tx, settings, REMOVE, unwanted, run_at=at)


def kinds(settings: Settings, store: ObjectStore, cdn: Cdn) -> list[Kind[Any]]:
    """The kinds of job there are for removing."""

    async def remove(_job: Job, unwanted: Unwanted) -> None:
        for bucket, keys in (
            (settings.s3_quarantine_bucket, unwanted.quarantine),
            (settings.s3_media_bucket, unwanted.media),
        ):
            if keys:
                await store.remove(bucket, keys)

    async def purge(_job: Job, ended: Ended) -> None:
        urls = [base_url(settings) + path for path in ended.paths]
        await cdn.purge(urls, [surrogate_key(ended.file_id)] if ended.file_id else [])

    return [
        Kind(name=REMOVE, payload=Unwanted, handle=remove, timeout_s=TIMEOUT_S),
        Kind(name=PURGE, payload=Ended, handle=purge, timeout_s=TIMEOUT_S),
    ]
