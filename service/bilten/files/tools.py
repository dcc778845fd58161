"""What a worker does files with, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import structlog

from bilten.db.database import Database
from bilten.files import removal, rescan, scan, sweep_job
from bilten.files.scan import Inspector
from bilten.files.sweep import Sweeper
from bilten.files.watch import Watch
from bilten.jobs.kinds import Kind
from bilten.objects.cdn import cdn_of
from bilten.objects.store import ObjectStore
from bilten.scanning.choice import scanner_of
from bilten.scanning.workshop import Workshop
from bilten.settings import Settings
from bilten.web.health import Health
from bilten.web.spool import Spool

log = structlog.get_logger("bilten.files")


@asynccontextmanager
async def kinds(settings: Settings, db: Database, checks: Health) -> AsyncIterator[list[Kind[Any]]]:
    """The kinds of job there are for files, while the block runs; none where there is no object store.

    `checks` tell of signatures that are too old.
    """
    if settings.s3_endpoint is None:
        log.warning("files_have_no_store", hint="Name one with BILTEN_S3_ENDPOINT; jobs of files wait in the outbox.")
        yield []
        return
    async with AsyncExitStack() as ending:
        store, workshop, scanner, cdn = (
            ObjectStore(settings),
            Workshop(settings),
            scanner_of(settings),
            cdn_of(settings),
        )
        # What a killed worker was looking at may be anything: the next one sweeps it.
        spool = Spool(settings.spool_dir, settings.spool_bytes)
        await spool.open()
        ending.push_async_callback(spool.close)
        await store.open()
        for each in (store, workshop, scanner, cdn):
            ending.push_async_callback(each.close)
        desk = settings.model_copy(update={"spool_dir": spool.folder})
        inspector = Inspector(desk, db, store, scanner, workshop)
        watch = Watch(inspector)
        checks.add("virus_signatures", watch.check)
        watching = asyncio.create_task(watch.run())
        ending.push_async_callback(_end, watching)
        yield [
            *scan.kinds(inspector),
            *rescan.kinds(inspector),
            *removal.kinds(settings, store, cdn),
            *sweep_job.kinds(Sweeper(settings, db, store)),
        ]


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
