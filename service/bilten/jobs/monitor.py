"""What probes and Prometheus see of a worker: a small port, as nothing else of it can be reached from outside."""

from collections.abc import Callable

from aiohttp import web
from pydantic import BaseModel

from bilten.db.database import Database
from bilten.jobs.metrics import JOB_METRICS
from bilten.settings import Settings
from bilten.web import health
from bilten.web.errors import ServiceUnavailable
from bilten.web.keys import HEALTH, SETTINGS
from bilten.web.server import ApiRunner


class Monitor:
    """`/livez`, `/readyz` and `/metrics` of one worker, on `worker_port`; nothing where that is 0.

    `checks` are what its jobs need besides the database.
    """

    def __init__(
        self, settings: Settings, db: Database, checks: health.Health, *, is_stuck: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._is_stuck = is_stuck
        app = web.Application()
        app[SETTINGS] = settings
        app[HEALTH] = checks
        checks.add("database", db.ping)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", health.exposition(JOB_METRICS.registry))
        self._runner = ApiRunner(app)

    async def open(self) -> None:
        """Listen. Raises OSError when the port cannot be had."""
        if self._settings.worker_port:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._settings.host, self._settings.worker_port).start()

    async def close(self) -> None:
        """Leave the port to the next worker."""
        await self._runner.cleanup()

    async def _livez(self, _request: web.Request) -> web.Response:
        if self._is_stuck():
            raise ServiceUnavailable("The worker has stopped asking for jobs: start it again.", code="STUCK")
        return _response(await health.livez())

    async def _readyz(self, request: web.Request) -> web.Response:
        return _response(await health.readyz(request))


def _response(answer: BaseModel) -> web.Response:
    return web.Response(text=answer.model_dump_json(), content_type="application/json")
