"""New signatures look at old files, the newest first. What is infected after all is gone at once.

A watch asks the scanner which signatures it has; while clean versions were found so with others, the newest of them are
queued, some at a time, so that what is uploaded meanwhile does not wait behind a whole archive.
"""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping

from bilten.files import outcome, queries, rescan_queries
from bilten.files.addresses import original_key
from bilten.files.scan import Inspector, pieces
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


async def look_again(inspector: Inspector, wanted: Wanted) -> None:
    """Scan a clean version once more. What is not clean any more is taken away everywhere."""
    async with inspector.db.transaction() as tx:
        version = await queries.version(tx, wanted.version_id)
    if version is None or version["status"] != "clean":
        return
    try:
        async with _fetched(inspector, version) as path:
            verdict = await inspector.scanner.scan(pieces(path))
    except NoSuchObject:
        log.error("file_bytes_lost", version=str(version["id"]))  # noqa: TRY400 the sentence says it all
        return
    if verdict.word == "infected":
        await outcome.withdraw(inspector.settings, inspector.db, version, verdict)
    else:
        await outcome.confirm(inspector.db, version, verdict)


@asynccontextmanager
async def _fetched(inspector: Inspector, version: RowMapping) -> AsyncIterator[Path]:
    """The bytes that were scanned the first time: a picture's original, a document itself."""
    settings = inspector.settings
    picture = version["width"] is not None
    key = original_key(version["id"]) if picture else version["served_key"]
    with tempfile.TemporaryDirectory(prefix="bilten-scan-", dir=settings.spool_dir) as folder:
        path = Path(folder) / "bytes"
        await inspector.download(settings.s3_media_bucket, key, path)
        yield path


def kinds(inspector: Inspector) -> list[Kind[Any]]:
    """The kinds of job there are for looking again."""

    async def handle(_job: Job, wanted: Wanted) -> None:
        await look_again(inspector, wanted)

    return [Kind(name=RESCAN, payload=Wanted, handle=handle, timeout_s=TIMEOUT_S)]
