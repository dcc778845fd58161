"""The sweep: what rows and buckets do not agree on. Objects that no row knows go; rows whose bytes are gone are told.

Both ways it leaves alone what is younger than a grace, because an upload puts its bytes away before it writes its row,
and a scan its pictures. It also ends what was begun and given up: reservations, direct uploads, pictures that nothing
shows, scans whose job is no more.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from bilten.db.database import Database
from bilten.files import quota_queries, scan, sweep_queries
from bilten.files.lost import lost
from bilten.files.metrics import FILE_METRICS
from bilten.files.removing import remove_unreferenced
from bilten.objects.store import Object, ObjectStore
from bilten.settings import Settings

#: Younger objects and rows may be of something that is under way.
GRACE = timedelta(hours=1)
#: How long a picture of tier U may wait for a page that shows it.
UNSHOWN = timedelta(hours=24)
BATCH = 500

#: Which of these keys a row knows.
Known = Callable[[Database, Sequence[str]], Awaitable[set[str]]]

log = structlog.get_logger("bilten.files")


@dataclass
class Found:
    """What one sweep found, and, unless it ran dry, mended."""

    #: Objects that no row knows: `bucket/key`.
    orphans: list[str] = field(default_factory=list)
    #: Objects of which a process that was killed has left parts.
    partial: int = 0
    #: Versions some of whose bytes are not there, `lost.MOST` of them if there are more.
    lost: list[UUID] = field(default_factory=list)
    #: Versions that wait for a scan that nobody is asked for any more.
    stuck: list[UUID] = field(default_factory=list)
    #: Files that nothing shows.
    unshown: list[UUID] = field(default_factory=list)
    #: Direct uploads and reservations that were given up.
    abandoned: int = 0

    @property
    def nothing(self) -> bool:
        """Whether all was in order."""
        return not (self.orphans or self.partial or self.lost or self.stuck or self.unshown or self.abandoned)


@dataclass(frozen=True)
class Sweeper:
    """Sweeps both buckets of a deployment."""

    settings: Settings
    db: Database
    store: ObjectStore
    grace: timedelta = GRACE
    #: Called now and then with what is being done, for who watches.
    tell: Callable[[str], None] = lambda _: None

    async def sweep(self, *, dry_run: bool = False) -> Found:
        """Look at everything once. `dry_run` changes nothing."""
        found = Found()
        before = datetime.now(UTC) - self.grace
        await self._give_up(found, dry_run=dry_run)
        quarantine, media = self.settings.s3_quarantine_bucket, self.settings.s3_media_bucket
        async for _ in self._swept(quarantine, sweep_queries.known_in_quarantine, found, before, dry_run=dry_run):
            pass
        kept = self._swept(media, sweep_queries.known_in_media, found, before, dry_run=dry_run)
        async for version_id, key in lost(self.db, self.store, media, kept, before=before, batch=BATCH):
            log.error("file_bytes_lost", version=str(version_id), key=key, dry_run=dry_run)
            found.lost.append(version_id)
        FILE_METRICS.swept(found)
        if not found.nothing:
            log.warning(
                "files_swept",
                orphans=len(found.orphans), partial=found.partial, lost=len(found.lost), stuck=len(found.stuck),
                unshown=len(found.unshown), abandoned=found.abandoned, dry_run=dry_run,
            )  # fmt: skip
        return found

    async def _swept(
        self, bucket: str, known: Known, found: Found, before: datetime, *, dry_run: bool
    ) -> AsyncIterator[str]:
        """The keys of a bucket in order, while those that no row knows are removed from it."""
        self.tell(f"looking through {bucket}")
        async for page in _pages(self.store.walk(bucket)):
            keys = [each.key for each in page if each.modified < before]
            orphans = sorted(set(keys) - await known(self.db, keys)) if keys else []
            found.orphans += [f"{bucket}/{key}" for key in orphans]
            if orphans and not dry_run:
                await self.store.remove(bucket, orphans)
            for each in page:
                yield each.key
        found.partial += await self.store.abort_incomplete(bucket, self.grace, dry_run=dry_run)

    async def _give_up(self, found: Found, *, dry_run: bool) -> None:
        async with self.db.transaction() as tx:
            found.abandoned = await sweep_queries.abandoned_reservations(tx)
            found.abandoned += await (sweep_queries.abandoned_uploads if dry_run else sweep_queries.end_uploads)(tx)
        while not dry_run:
            async with self.db.transaction() as tx:
                if await quota_queries.expire(tx, batch=BATCH) < BATCH:
                    break
        await self._ask_again(found, dry_run=dry_run)
        await self._remove_unshown(found, dry_run=dry_run)

    async def _ask_again(self, found: Found, *, dry_run: bool) -> None:
        page = [sweep_queries.START]
        while page:
            async with self.db.transaction() as tx:
                page = list(
                    await sweep_queries.stuck(tx, scan.SCAN, older_than=self.grace, after=page[-1], at_most=BATCH)
                )
                for _, version_id in [] if dry_run else page:
                    await scan.ask(tx, self.settings, version_id)
            found.stuck += [version_id for _, version_id in page]

    async def _remove_unshown(self, found: Found, *, dry_run: bool) -> None:
        page = [sweep_queries.START]
        while page:
            async with self.db.transaction() as tx:
                page = list(await sweep_queries.unshown(tx, older_than=UNSHOWN, after=page[-1], at_most=BATCH))
            found.unshown += [file_id for _, file_id in page]
            for _, file_id in [] if dry_run else page:
                async with self.db.transaction() as tx:
                    # Again with the file locked: meanwhile something may have come to show it.
                    await remove_unreferenced(tx, self.settings, [file_id], actor_id=None)


async def _pages(objects: AsyncIterator[Object]) -> AsyncIterator[Sequence[Object]]:
    page: list[Object] = []
    async for each in objects:
        page.append(each)
        if len(page) == BATCH:
            yield page
            page = []
    if page:
        yield page
