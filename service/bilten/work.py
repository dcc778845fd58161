"""`bilten worker`: what the worker can do, wired together, until it is told to stop."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from bilten import lifecycle
from bilten.accounts import links
from bilten.db.database import Database
from bilten.files import tools
from bilten.jobs.kinds import Kind
from bilten.jobs.monitor import Monitor
from bilten.jobs.worker import Worker
from bilten.mail import deliver
from bilten.settings import Settings
from bilten.web.health import Health


@asynccontextmanager
async def kinds(settings: Settings, db: Database, checks: Health) -> AsyncIterator[list[Kind[Any]]]:
    """Every kind of job that is done in this deployment, while the block runs; `checks` get what they need."""
    async with tools.kinds(settings, db, checks) as of_files:
        yield [*deliver.kinds(settings, db), *links.kinds(settings, db), *of_files]


def main(argv: Sequence[str]) -> int:
    """Work until SIGTERM or SIGINT. 0 when it was stopped, 1 when it cannot have its port, 2 when the settings
    are not usable."""
    parser = argparse.ArgumentParser(
        prog="bilten worker", description="Do the jobs of the outbox (mails, clean-up) until it is stopped."
    )
    parser.parse_args(argv)
    return lifecycle.run(_serve)


async def _serve(settings: Settings) -> int:
    """Open the database, waiting for it if need be, and work until a signal to stop. Returns the exit status."""
    stop = lifecycle.told_to_stop()
    db = Database(settings)
    async with AsyncExitStack() as ending:
        ending.push_async_callback(db.close)
        await db.open()
        checks = Health()
        worker = Worker(db, await ending.enter_async_context(kinds(settings, db, checks)), settings)
        monitor = Monitor(settings, db, checks, is_stuck=worker.is_stuck)
        ending.push_async_callback(monitor.close)
        try:
            await monitor.open()
        except OSError as error:
            return lifecycle.cannot_listen(settings.host, settings.worker_port, error, variable="BILTEN_WORKER_PORT")
        working = asyncio.create_task(worker.run())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        worker.stop()
        # At once, so that the next worker finds the port free while this one finishes its jobs.
        await asyncio.gather(working, monitor.close())
        return 0
