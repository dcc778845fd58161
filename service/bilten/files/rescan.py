"""New signatures look at old files, the newest first. What is infected after all is gone at once.

A worker walks along all clean versions, from the newest to the oldest, and queues those that have not been seen with
the signatures its scanner has; some at a time, and the next when these are done, so that what is uploaded does not
wait behind a whole archive. Where it has come to is in its memory: another process, or other signatures, begin
anew, and pass quickly over what was seen. What fails is passed over as well, and met again by the next walk.
"""

import time
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
#: Versions that are queued at a time, and looked for at a time.
BATCH = 50
PAGE = 1000
#: So many that wait to be tried again are more than a few bad ones: the store is away, and nothing is added to them.
MOST_FAILED = 500
#: How long after its beginning a walk that has ended is repeated, in seconds.
ANEW_EVERY_S = 3600.0

log = structlog.get_logger("bilten.files")


class Wanted(BaseModel):
    """Which version to look at again."""

    model_config = ConfigDict(frozen=True)

    version_id: UUID


class Walk:
    """One worker's way along all clean versions. `left` is how many are yet to be passed, None before it began."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector
        self._current: tuple[str, str] | None = None
        self._began = 0.0
        self._place: rescan_queries.Place | None = None
        self._ended = False
        self.left: int | None = None

    async def step(self, current: EngineVersion) -> int:
        """Queue the next versions, if there is room; how many."""
        async with self._inspector.db.transaction() as tx:
            every, untried = await rescan_queries.waiting(tx, RESCAN)
        if untried or every >= MOST_FAILED:
            return 0
        await self._begin(current)
        queued = 0
        while queued < BATCH and not self._ended:
            queued += await self._page(current, BATCH - queued)
        if queued:
            log.info("files_rescan", queued=queued, left=self.left, signatures=current.signatures)
        return queued

    async def _begin(self, current: EngineVersion) -> None:
        """Anew for other signatures; and now and then, for what others have seen with older ones meanwhile."""
        wanted, due = (current.engine, current.signatures), time.monotonic() - self._began >= ANEW_EVERY_S
        if wanted == self._current and not (self._ended and due):
            return
        async with self._inspector.db.transaction() as tx:
            self.left = await rescan_queries.clean(tx)
        self._current, self._began, self._place, self._ended = wanted, time.monotonic(), None, False

    async def _page(self, current: EngineVersion, room: int) -> int:
        queued = 0
        async with self._inspector.db.transaction() as tx:
            seen_with = current.engine, current.signatures
            rows = await rescan_queries.page(tx, *seen_with, before=self._place, at_most=PAGE)
            passed = 0
            for row in rows:
                if row.due and queued == room:
                    break
                passed += 1
                if row.due:
                    payload = {"version_id": str(row.id)}
                    await enqueue(tx, self._inspector.settings, RESCAN, payload, dedupe_key=f"{RESCAN} {row.id}")
                    queued += 1
        # Only now, as a transaction that fails has queued nothing.
        if passed:
            self._place = rows[passed - 1].created_at, rows[passed - 1].id
        self._ended = passed == len(rows) < PAGE
        self.left = 0 if self._ended else max((self.left or 0) - passed, 0)
        return queued


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

    return [Kind(name=RESCAN, payload=Wanted, handle=handle, timeout_s=TIMEOUT_S, heavy=True)]
