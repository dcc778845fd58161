"""One run of one job: open what it needs, do it within its time, and write down how it ended."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import current_request_id
from bilten.db.database import Database
from bilten.jobs import payload as payloads
from bilten.jobs import queries
from bilten.jobs.kinds import Job, Kind, PayloadT
from bilten.jobs.metrics import JOB_METRICS
from bilten.jobs.outage import Patience
from bilten.jobs.queries import Leased
from bilten.sealed import Unsealable
from bilten.settings import Settings
from bilten.telemetry.logs import scrub

#: Pauses of about 5 s, 15 s, 45 s … up to an hour: eight attempts span an hour and a half.
FIRST_PAUSE_S = 5.0
PAUSE_GROWTH = 3.0
LONGEST_PAUSE_S = 3600.0
#: Pauses are spread by this share to both sides, so that what failed together does not come back together.
JITTER = 0.25

log = structlog.get_logger("bilten.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `error` holds no secret."""

    word: Literal["done", "failed", "dead"]
    duration_s: float
    error: str = ""
    again_in_s: float = 0


def pause_s(attempt: int, *, jitter: float) -> float:
    """How long to wait after the `attempt`th failure (from 1), in seconds. `jitter` is from -1 to 1."""
    # Beyond this exponent the pause is the longest anyway, and floats end.
    growth = PAUSE_GROWTH ** min(attempt - 1, 20)
    return min(FIRST_PAUSE_S * growth, LONGEST_PAUSE_S) * (1 + JITTER * jitter)


class Execution:
    """Does leased jobs for one worker, and records their ends."""

    def __init__(
        self, db: Database, settings: Settings, kinds: Mapping[str, Kind[Any]], *, worker: str, patience: Patience
    ) -> None:
        self._db = db
        self._settings = settings
        self._kinds = kinds
        self._worker = worker
        self._patience = patience

    async def do(self, job: Leased) -> Outcome:
        """Run the job's handler. Cancelling this leaves the job to its lease."""
        current_request_id.set(payloads.request_id(job.payload))
        started = time.perf_counter()
        word: Literal["done", "failed", "dead"] = "done"
        error = ""
        try:
            await self._handle(job)
        except _Hopeless as problem:
            word, error = "dead", str(problem)
        except Exception as problem:  # noqa: BLE001 a handler may fail in any way
            word, error = "dead" if job.attempts >= job.max_attempts else "failed", _tell(problem)
        return Outcome(
            word=word,
            duration_s=time.perf_counter() - started,
            error=error,
            again_in_s=pause_s(job.attempts, jitter=random.uniform(-1, 1)),  # noqa: S311 nothing secret
        )

    async def record(self, job: Leased, outcome: Outcome) -> None:
        """Write the end down, as soon as the database takes it; a lost lease means that it is another's to write."""

        async def once() -> bool:
            async with self._db.transaction() as tx:
                return await self._end(tx, job, outcome)

        held = await self._patience.insist(once, every_s=self._settings.worker_poll_s)
        JOB_METRICS.count(job.kind, outcome.word if held else "lost")
        line = log.bind(kind=job.kind, job=str(job.id), attempt=job.attempts, ms=round(outcome.duration_s * 1000, 1))
        if not held:
            line.warning("job_lease_lost", outcome=outcome.word, reason=outcome.error)
        elif outcome.word == "done":
            line.info("job_done")
        elif outcome.word == "failed":
            line.warning("job_failed", reason=outcome.error, again_in_s=round(outcome.again_in_s, 1))
        else:
            line.error(
                "job_dead", reason=outcome.error, hint=f"When the cause is gone, run: bilten jobs retry {job.id}"
            )

    async def _handle(self, job: Leased) -> None:
        kind: Kind[Any] = self._kinds[job.kind]
        payload = self._open(job, kind)
        limit = asyncio.timeout(kind.timeout_s)
        try:
            async with limit:
                last = job.attempts >= job.max_attempts
                await kind.handle(Job(job.id, job.kind, job.attempts, last), payload)
        except TimeoutError:
            if limit.expired():
                raise TimeoutError(f"It took longer than {kind.timeout_s:g} s and was broken off") from None
            raise

    def _open(self, job: Leased, kind: Kind[PayloadT]) -> PayloadT:
        if job.attempts > job.max_attempts:
            raise _Hopeless(f"The worker vanished during each of {job.max_attempts} attempts; see its last log lines")
        try:
            return kind.payload.model_validate_json(payloads.unseal(self._settings, job.kind, job.payload))
        except Unsealable as error:
            raise _Hopeless(str(error)) from None
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, item["loc"])) or "payload" for item in error.errors())
            raise _Hopeless(f"The payload is not one of a {job.kind} job; wrong: {fields}") from None

    async def _end(self, tx: AsyncConnection, job: Leased, outcome: Outcome) -> bool:
        match outcome.word:
            case "done":
                return await queries.finish(tx, worker=self._worker, id=job.id)
            case "failed":
                return await queries.retry_later(
                    tx, worker=self._worker, id=job.id, error=outcome.error, delay_s=outcome.again_in_s
                )
            case "dead":
                return await queries.bury(tx, worker=self._worker, id=job.id, error=outcome.error)


class _Hopeless(Exception):
    """Another attempt would end the same way. The message holds no secret."""


def _tell(error: Exception) -> str:
    """An error as the dead letter and the log may hold it: databases and libraries put parameters, row values and
    bodies into the lines after the first, so only that one is kept."""
    first_line = (str(error).splitlines() or [""])[0]
    # Text that Postgres cannot store would keep the end from being written down, for ever.
    storable = first_line.encode(errors="replace").decode().replace("\0", "")
    return f"{type(error).__name__}: {scrub(storable)}"
