"""Does what the outbox holds, with a real worker, until nothing is left to do now."""

import asyncio

from fixtures.api import Api

from bilten.jobs.worker import Worker
from bilten.mail import deliver


async def drain(api: Api) -> None:
    """Return when every job has been done, or is waiting for its next try."""
    worker = Worker(api.db, deliver.kinds(api.settings, api.db), api.settings)
    running = asyncio.create_task(worker.run())
    due = "select count(*) from jobs where finished_at is null and dead_at is null and run_at <= now()"
    try:
        async with asyncio.timeout(20):
            while await api.db.fetchval(due):
                await asyncio.sleep(0.02)
    finally:
        worker.stop()
        await running
