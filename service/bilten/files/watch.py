"""What a worker does with files without being asked: it follows the scanner's signatures, and has buckets swept."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import structlog

from bilten.db.errors import DatabaseUnavailable
from bilten.files import quota_queries, sweep_job
from bilten.files.metrics import FILE_METRICS
from bilten.files.rescan import Walk
from bilten.files.scan import Inspector
from bilten.objects.errors import StoreUnavailable
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.scanner import EngineVersion
from bilten.web.health import Degraded, Known

#: Between two looks at the scanner's signatures, and at when the last sweep was, in seconds.
LOOK_EVERY_S = 30.0
SWEEP_LOOK_EVERY_S = 300.0
#: Between two steps along old files while there are any, in seconds.
STEP_EVERY_S = 1.0
#: Reservations of quota whose time is over are given back at each look, so many of them.
EXPIRE_AT_ONCE = 500
#: Signatures older than this are no protection against what is new.
STALE = timedelta(hours=48)

log = structlog.get_logger("bilten.files")


class Watch:
    """Runs beside a worker until it is cancelled. Faults are logged, and tried again."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector
        self._walk = Walk(inspector)
        self._looked = time.monotonic()
        self._signatures: EngineVersion | None = None
        #: Why the scanner did not answer when last asked.
        self._silence: ScanUnavailable | None = None

    async def check(self) -> Known | None:
        """What looks at files; None while it was not asked. Raises `Degraded` when it knows nothing new, or is away."""
        known = check(self._signatures) if self._signatures else None
        if self._silence is not None:
            raise Degraded(f"Nothing is scanned: {self._silence}", known)
        return known

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self._turn()
            except (DatabaseUnavailable, StoreUnavailable, ScanUnavailable) as error:
                log.warning("files_watch_waits", reason=str(error))
            except Exception:
                log.exception("files_watch_failed", hint=f"It is tried again within {LOOK_EVERY_S:g} s.")
            await asyncio.sleep(STEP_EVERY_S if self._walk.left else LOOK_EVERY_S)

    async def _turn(self) -> None:
        async with self._inspector.db.transaction() as tx:
            await quota_queries.expire(tx, batch=EXPIRE_AT_ONCE)
        if time.monotonic() - self._looked >= SWEEP_LOOK_EVERY_S:
            self._looked = time.monotonic()
            await sweep_job.ask_when_due(self._inspector.settings, self._inspector.db)
        try:
            current = self._signatures = await self._inspector.scanner.version()
        except ScanUnavailable as silence:
            self._silence = silence
            raise
        self._silence = None
        FILE_METRICS.signatures.current = current
        await self._walk.step(current)
        FILE_METRICS.signatures.left = self._walk.left


def check(current: EngineVersion) -> Known:
    """What is in use. Raises `Degraded`, naming the age, where that is too old."""
    known = Known(current.engine, current.signatures, current.made_at)
    if current.made_at is not None and (age := datetime.now(UTC) - current.made_at) > STALE:
        told = f"The signatures of {current.engine} are {age.days} days old: let freshclam renew them"
        raise Degraded(told, known)
    return known
