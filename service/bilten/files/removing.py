"""Takes a file out of the database, and asks for its bytes to follow: one way, whoever wants it gone."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.queries import record
from bilten.files import queries, quota_queries, reference_queries, removal
from bilten.files.addresses import all_urls, original_key, path_of, quarantine_key
from bilten.settings import Settings


async def remove_rows(tx: AsyncConnection, settings: Settings, file_id: UUID, *, actor_id: UUID | None) -> None:
    """The row at once; bytes, variants and what a CDN keeps by a job that exists when the row does not.

    Nothing happens when it is gone already.
    """
    await reference_queries.lock_pages(tx, [file_id])
    file = await queries.lock(tx, file_id)
    if file is None:
        return
    versions = await queries.versions(tx, file_id)
    served = await keys_of(tx, file_id, versions)
    urls = [url for key in served for url in all_urls(settings, file["place"], key)]
    await reference_queries.forget(tx, file_id, urls)
    await queries.remove(tx, file_id)
    counted = sum(version["size_bytes"] for version in versions if version["status"] in queries.COUNTED)
    await quota_queries.give_back(tx, file["owner_id"], counted)
    await removal.ask(
        tx,
        settings,
        quarantine=[quarantine_key(version["id"]) for version in versions],
        media=[*served, *(original_key(version["id"]) for version in versions)],
        paths=paths_of(file, served),
        file_id=file_id,
    )
    await record(
        tx,
        actor_id=actor_id,
        action="file.delete",
        entity="file",
        entity_id=file_id,
        before={"name": file["name"], "status": file["status"], "versions": len(versions)},
    )


async def remove_all(
    tx: AsyncConnection, settings: Settings, file_ids: Sequence[UUID], *, actor_id: UUID | None
) -> None:
    """Remove these files, all of them locked before anything else is."""
    await reference_queries.lock_pages(tx, file_ids)
    await queries.lock_all(tx, file_ids)
    for file_id in file_ids:
        await remove_rows(tx, settings, file_id, actor_id=actor_id)


async def remove_unreferenced(
    tx: AsyncConnection, settings: Settings, file_ids: Sequence[UUID], *, actor_id: UUID | None
) -> None:
    """Remove those of these files that nothing refers to any more, unless they are to stay without."""
    # Locked first: nothing can begin to refer to one that is being looked at.
    await queries.lock_all(tx, file_ids)
    for file_id in await reference_queries.unreferenced(tx, file_ids):
        await remove_rows(tx, settings, file_id, actor_id=actor_id)


async def keys_of(tx: AsyncConnection, file_id: UUID, versions: Sequence[RowMapping]) -> list[str]:
    """Everything of a file that the media bucket has, but the originals."""
    shown: set[Any] = {version["served_key"] for version in versions} - {None}
    return sorted(shown.union(await queries.variant_keys(tx, file_id)))


def paths_of(file: RowMapping, keys: Sequence[str]) -> list[str]:
    """Where a CDN may have them."""
    return [path_of(file["place"], key) for key in keys]
