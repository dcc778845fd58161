"""The job `files.sweep`: one worker sweeps about once an hour, however many there are and however long each lives.

Nobody holds a transaction open meanwhile: the outbox' lease says who sweeps, and its de-duplication that nobody else
does. Workers ask for a sweep when none has ended for an hour, so that none waits in an outbox that is idle.
"""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from bilten.db.database import Database
from bilten.files import sweep_queries
from bilten.files.sweep import Sweeper
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.settings import Settings

SWEEP = "files.sweep"
EVERY = timedelta(hours=1)
#: Listing a million objects takes minutes.
TIMEOUT_S = 3600.0


class Everything(BaseModel):
    """There is nothing to choose."""


async def ask_when_due(settings: Settings, db: Database) -> None:
    """Let a worker sweep, unless one has within the last hour, or does."""
    async with db.transaction() as tx:
        if not await sweep_queries.ended_lately(tx, SWEEP, within=EVERY):
            await enqueue(tx, settings, SWEEP, {}, dedupe_key=SWEEP)


def kinds(sweeper: Sweeper) -> list[Kind[Any]]:
    """The kinds of job there are for sweeping."""

    async def sweep(_job: Job, _everything: Everything) -> None:
        await sweeper.sweep()

    return [Kind(name=SWEEP, payload=Everything, handle=sweep, timeout_s=TIMEOUT_S, heavy=True)]
