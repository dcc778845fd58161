"""New signatures look at old files, the newest first. What is infected after all is gone at once.

A watch asks the scanner which signatures it has; while clean versions were found so with others, the newest of them are
queued, some at a time, so that what is uploaded meanwhile does not wait behind a whole archive.
"""

from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping

from bilten.files import outcome, queries, rescan_queries
from bilten.files.addresses import original_key
from bilten.files.scan import Inspector, OtherBytes
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.objects.errors import NoSuchObject
from bilten.scanning.scanner import EngineVersion

RESCAN = "files.rescan"
TIMEOUT_S = 300.0
#: Versions that are queued at a time.
BATCH = 50

log = structlog.get_logger("bilten.files")


class Wanted(BaseModel):
    """Which version to look at again."""

    model_config = ConfigDict(frozen=True)

    version_id: UUID


async def queue(inspector: Inspector, current: EngineVersion) -> int:
    """Queue the newest clean versions that other signatures have found so; how many."""
    async with inspector.db.transaction() as tx:
        if await rescan_queries.waiting(tx, RESCAN) >= BATCH:
            return 0
        due = await rescan_queries.outdated(tx, current.engine, current.signatures, at_most=BATCH)
        for version_id in due:
            payload = {"version_id": str(version_id)}
            await enqueue(tx, inspector.settings, RESCAN, payload, dedupe_key=f"{RESCAN} {version_id}")
    if due:
        log.info("files_rescan", queued=len(due), signatures=current.signatures)
    return len(due)


async def look_again(inspector: Inspector, wanted: Wanted, *, last: bool) -> None:
    """Scan a clean version once more. What is not clean any more is taken away everywhere.

    So is one whose bytes are not those that were scanned, and one whose bytes are gone; but these only at the last
    attempt, as a store that is being restored gets them back.
    """
    async with inspector.db.transaction() as tx:
        version = await queries.version(tx, wanted.version_id)
    if version is None or version["status"] != "clean":
        return
    media = inspector.settings.s3_media_bucket
    # What was scanned the first time: a picture's original, a document itself.
    key = version["served_key"] if version["width"] is None else original_key(version["id"])
    try:
        async with inspector.judged(version, media, key) as (_, verdict):
            pass
    except OtherBytes:
        await _lose(inspector, version, "Its bytes are not those that were scanned. Upload the file again.")
    except NoSuchObject:
        if not last:
            raise
        await _lose(inspector, version, "Its bytes are not there any more. Upload the file again.")
    else:
        if verdict.word == "infected":
            await outcome.withdraw(inspector.settings, inspector.db, version, verdict)
        else:
            await outcome.confirm(inspector.db, version, verdict)


async def _lose(inspector: Inspector, version: RowMapping, reason: str) -> None:
    log.error("file_bytes_lost", version=str(version["id"]), reason=reason)
    await outcome.lose(inspector.settings, inspector.db, version, reason)


def kinds(inspector: Inspector) -> list[Kind[Any]]:
    """The kinds of job there are for looking again."""

    async def handle(job: Job, wanted: Wanted) -> None:
        await look_again(inspector, wanted, last=job.last)

    return [Kind(name=RESCAN, payload=Wanted, handle=handle, timeout_s=TIMEOUT_S)]
