"""The job `files.scan`: the worker looks at a version in quarantine, and what it finds decides what becomes of it.

Only the very bytes that were scanned are put into the media bucket: they are read once from quarantine, into a file of
this process, and both the scanner and the media bucket get them from there. Their hash must be that of the row.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.db.database import Database
from bilten.files import outcome, queries
from bilten.files.addresses import media_key, original_key, quarantine_key
from bilten.files.metrics import FILE_METRICS
from bilten.files.outcome import Served
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.objects.errors import NoSuchObject
from bilten.objects.store import ObjectStore
from bilten.scanning.errors import InspectionFailed, Refused
from bilten.scanning.scanner import Scanner, Verdict
from bilten.scanning.types import BY_MEDIA_TYPE
from bilten.scanning.workshop import Rendering, Workshop
from bilten.settings import Settings

SCAN = "files.scan"
#: Longer than the scanner and all that is made of a picture may take together.
TIMEOUT_S = 300.0

_PIECE = 256 * 1024

log = structlog.get_logger("bilten.files")


class Wanted(BaseModel):
    """Which version to look at."""

    model_config = ConfigDict(frozen=True)

    version_id: UUID


async def ask(tx: AsyncConnection, settings: Settings, version_id: UUID) -> None:
    """Let the worker look at a version."""
    payload = {"version_id": str(version_id)}
    await enqueue(tx, settings, SCAN, payload, dedupe_key=f"{SCAN} {version_id}")


class OtherBytes(Exception):
    """What lies under the key of a version has not the hash that its row has."""


@dataclass(frozen=True)
class Inspector:
    """What a worker looks at files with."""

    settings: Settings
    db: Database
    store: ObjectStore
    scanner: Scanner
    workshop: Workshop

    async def scan(self, job: Job, wanted: Wanted) -> None:
        """Bring a version to its end; nothing happens to one that has it.

        `InspectionFailed` may be the machine's fault, so it says something of the file at the last attempt only.
        """
        async with self.db.transaction() as tx:
            version = await queries.version(tx, wanted.version_id)
            if version is None or not await queries.start_scan(tx, wanted.version_id):
                return
        try:
            async with self.judged(version, self.settings.s3_quarantine_bucket, quarantine_key(version["id"])) as seen:
                await self._decide(version, *seen, last=job.last)
        except NoSuchObject:
            await self._fail(version, "The bytes are not there any more. Upload the file again.")
        except OtherBytes:
            await self._fail(version, "The bytes are not those that were sent. Upload the file again.")

    async def _decide(self, version: RowMapping, path: Path, verdict: Verdict, *, last: bool) -> None:
        if verdict.word != "clean":
            await outcome.refuse(self.settings, self.db, version, verdict)
            return
        try:
            served = await self._promote(version, path)
        except (Refused, InspectionFailed) as problem:
            if isinstance(problem, InspectionFailed) and not last:
                raise
            await outcome.refuse(self.settings, self.db, version, _unscannable(verdict), reason=str(problem))
            return
        await outcome.accept(self.settings, self.db, version, verdict, served)

    async def _fail(self, version: RowMapping, reason: str) -> None:
        log.warning("file_lost", version=str(version["id"]), reason=reason)
        await outcome.fail(self.settings, self.db, version, reason)

    @asynccontextmanager
    async def judged(self, version: RowMapping, bucket: str, key: str) -> AsyncIterator[tuple[Path, Verdict]]:
        """The bytes of a version, in a file that is gone when the block ends, and what the scanner says of them.

        Raises `OtherBytes` where they are not the version's, `NoSuchObject`, `StoreUnavailable`, `ScanUnavailable`.
        """
        with tempfile.TemporaryDirectory(prefix="bilten-scan-", dir=self.settings.spool_dir) as folder:
            path = Path(folder) / "bytes"
            await self._download(bucket, key, path)
            if await asyncio.to_thread(_sha256, path) != version["sha256"]:
                raise OtherBytes
            with FILE_METRICS.scan_seconds.time():
                verdict = await self.scanner.scan(pieces(path))
            FILE_METRICS.verdicts.labels(verdict.word).inc()
            FILE_METRICS.bytes.inc(version["size_bytes"])
            yield path, verdict

    async def _download(self, bucket: str, key: str, path: Path) -> None:
        with path.open("wb") as file:
            async for chunk in self.store.get(bucket, key):
                await asyncio.to_thread(file.write, chunk)

    async def _promote(self, version: RowMapping, path: Path) -> Served:
        """Put into the media bucket what may be served of a clean version."""
        kind = BY_MEDIA_TYPE[version["media_type"]]
        media = self.settings.s3_media_bucket
        if kind.kind == "document":
            key = media_key(version["id"], version["sha256"].hex(), kind.extension)
            await self.store.put_file(media, key, path, version["media_type"])
            return Served(key=key, media_type=version["media_type"], size=version["size_bytes"])
        with tempfile.TemporaryDirectory(prefix="bilten-render-", dir=self.settings.spool_dir) as folder:
            rendering = await self.workshop.render(path, Path(folder))
            served = _pictures(version["id"], rendering)
            await asyncio.gather(
                self.store.put_file(media, original_key(version["id"]), path, version["media_type"]),
                *(
                    self.store.put_file(media, row["key"], variant.path, variant.media_type)
                    for row, variant in zip(served.variants, rendering.variants, strict=True)
                ),
            )
        return served


def _pictures(version_id: UUID, rendering: Rendering) -> Served:
    rows: list[dict[str, Any]] = [
        {
            "version_id": version_id,
            "name": each.name,
            "media_type": each.media_type,
            "width": each.width,
            "height": each.height,
            "size_bytes": each.size_bytes,
            "key": media_key(version_id, each.sha256, f"{each.name}.{BY_MEDIA_TYPE[each.media_type].extension}"),
        }
        for each in rendering.variants
    ]
    # What a browser of any age shows: the largest that keeps the picture's shape, not as WebP.
    whole = next(row for row in rows if row["name"] == "large" and row["media_type"] != "image/webp")
    return Served(
        key=whole["key"],
        media_type=whole["media_type"],
        size=whole["size_bytes"],
        width=rendering.width,
        height=rendering.height,
        placeholder=rendering.placeholder,
        mean_color=rendering.mean_color,
        variants=rows,
    )


def _unscannable(verdict: Verdict) -> Verdict:
    return Verdict(word="unscannable", signature=None, engine=verdict.engine, signatures=verdict.signatures)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """A file, to be sent to a scanner."""
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def kinds(inspector: Inspector) -> list[Kind[Any]]:
    """The kinds of job there are for looking at files."""
    return [Kind(name=SCAN, payload=Wanted, handle=inspector.scan, timeout_s=TIMEOUT_S, heavy=True)]
