"""The worker: it takes jobs from the outbox under a lease, does several at a time, and puts none of them at risk.

A job is leased, not deleted: when this process vanishes the lease runs out and another worker does it. While a job
runs its lease is lengthened. There is no LISTEN: it does not pass through a connection pooler, so the worker asks.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from bilten.db.database import Database
from bilten.jobs import queries, schedule
from bilten.jobs.execution import Execution
from bilten.jobs.kinds import Kind
from bilten.jobs.metrics import JOB_METRICS
from bilten.jobs.outage import Patience
from bilten.jobs.queries import Backlog, Leased
from bilten.settings import Settings

#: Jobs at a time: they mostly wait, for a mail server or the object store.
CONCURRENCY = 8
#: So many of them of heavy kinds.
HEAVY = 5
#: A lease is lengthened when this share of it has passed, so that one missed beat does not cost it.
BEAT = 1 / 3
#: The depth of the outbox is counted no more often than this, in seconds.
MEASURE_EVERY_S = 5.0
#: A worker that took no turn for so many seconds is stuck. A turn is a pause of at most 60 s (`worker_poll_s`) and two
#: questions to the database, each over within its time-outs.
STUCK_AFTER_S = 120.0

log = structlog.get_logger("bilten.worker")


class Worker:
    """One worker. `run` returns some time after `stop`, at most `shutdown_grace_s` and one question to the database."""

    def __init__(self, db: Database, kinds: Iterable[Kind[Any]], settings: Settings) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._db = db
        self._settings = settings
        self._kinds = {kind.name: kind for kind in kinds}
        self._patience = Patience()
        self._execution = Execution(db, settings, self._kinds, worker=self.name, patience=self._patience)
        self._light = [kind.name for kind in self._kinds.values() if not kind.heavy]
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._heavy_running: set[UUID] = set()
        #: Jobs whose handler is at work: only their leases are lengthened.
        self._at_work: set[UUID] = set()
        self._stopping = asyncio.Event()
        self._measured = -MEASURE_EVERY_S
        self._turned_at = time.monotonic()

    def is_stuck(self) -> bool:
        """Whether it has long stopped asking for jobs, though nobody asked it to."""
        return not self._stopping.is_set() and time.monotonic() - self._turned_at > STUCK_AFTER_S

    def stop(self) -> None:
        """Take no more jobs, finish what runs, then return from `run`."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop`. Outages of the database are waited out."""
        log.info("worker_started", worker=self.name, kinds=sorted(self._kinds))
        stopped = asyncio.create_task(self._stopping.wait())
        beside = [
            asyncio.create_task(self._keep_leases()),
            asyncio.create_task(schedule.run(self._db, self._patience)),
        ]
        try:
            while not self._stopping.is_set():
                await self._turn(stopped)
        finally:
            await self._drain()
            for task in (stopped, *beside):
                task.cancel()
            await asyncio.gather(stopped, *beside, return_exceptions=True)
            log.info("worker_stopped", worker=self.name)

    async def _turn(self, stopped: "asyncio.Task[bool]") -> None:
        """Fill the free places; then wait until one is free again, or for the time of the next question."""
        self._turned_at = time.monotonic()
        free = CONCURRENCY - len(self._running)
        taken = await self._patience.attempt(partial(self._lease, free)) if free else []
        for job in taken or ():
            # Already running: the lease had run out before it was lengthened, and is this worker's again.
            if job.id not in self._running:
                self._start(job)
        await self._measure()
        more_is_due = taken is not None and len(taken) == free
        if more_is_due and len(self._running) < CONCURRENCY:
            return
        await asyncio.wait(
            {stopped, *self._running.values()},
            timeout=self._settings.worker_poll_s,
            return_when=asyncio.FIRST_COMPLETED,
        )

    async def _lease(self, at_most: int) -> Sequence[Leased]:
        # The longest due first, as long as all of them may be heavy; the rest of the places is for what is not.
        of_all = min(at_most, HEAVY - len(self._heavy_running))
        lease = partial(queries.lease, worker=self.name, lease_s=self._settings.worker_lease_s)
        async with self._db.transaction() as tx:
            taken = [*await lease(tx, kinds=self._kinds, at_most=of_all)] if of_all else []
            if len(taken) < at_most:
                taken += await lease(tx, kinds=self._light, at_most=at_most - len(taken))
            return taken

    def _start(self, job: Leased) -> None:
        async def work() -> None:
            self._at_work.add(job.id)
            try:
                outcome = await self._execution.do(job)
            finally:
                self._at_work.discard(job.id)
            await self._execution.record(job, outcome)

        def ended(_task: "asyncio.Task[None]") -> None:
            del self._running[job.id]
            self._heavy_running.discard(job.id)

        if self._kinds[job.kind].heavy:
            self._heavy_running.add(job.id)
        task = self._running[job.id] = asyncio.create_task(work())
        task.add_done_callback(ended)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.worker_lease_s * BEAT)
            ids = list(self._at_work)
            kept = await self._patience.attempt(partial(self._extend, ids)) if ids else None
            if kept is None:
                continue
            for lost in self._at_work.intersection(ids) - kept:
                log.warning("job_lease_lost", job=str(lost), hint="Another worker has it; it is broken off here.")
                self._running[lost].cancel()

    async def _extend(self, ids: Sequence[UUID]) -> set[UUID]:
        async with self._db.transaction() as tx:
            return await queries.extend(tx, worker=self.name, ids=ids, lease_s=self._settings.worker_lease_s)

    async def _measure(self) -> None:
        if time.monotonic() - self._measured < MEASURE_EVERY_S:
            return
        self._measured = time.monotonic()
        JOB_METRICS.outbox.backlog = await self._patience.attempt(self._backlog)

    async def _backlog(self) -> Backlog:
        async with self._db.transaction() as tx:
            return await queries.backlog(tx)

    async def _drain(self) -> None:
        """Let what runs finish within the grace; break off the rest and give it back."""
        tasks = list(self._running.values())
        if tasks:
            log.info("worker_finishing", jobs=len(tasks), grace_s=self._settings.shutdown_grace_s)
            _, unfinished = await asyncio.wait(tasks, timeout=self._settings.shutdown_grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        returned = await self._patience.attempt(self._give_back)
        if returned:
            log.warning("jobs_given_back", jobs=returned, hint="They took longer than BILTEN_SHUTDOWN_GRACE_S.")

    async def _give_back(self) -> int:
        async with self._db.transaction() as tx:
            return await queries.give_back(tx, worker=self.name)
