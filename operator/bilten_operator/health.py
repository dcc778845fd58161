"""Probes and metrics, over HTTP.

`/livez`: the process does its part. Of a standby that is its Lease loop alone: it has no events, and restarting it
would heal nothing. `/readyz`: it has started. `/metrics`: for Prometheus.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest


class Health:
    """Why the process is not well. Each check says it in a sentence, or None."""

    def __init__(self) -> None:
        self.checks: list[Callable[[], str | None]] = []

    def problems(self) -> list[str]:
        """All that is wrong."""
        return [problem for check in self.checks if (problem := check())]

    async def livez(self, _: web.Request) -> web.Response:
        """200, or 503 with what is wrong."""
        problems = self.problems()
        return web.Response(text="\n".join(problems) or "ok", status=503 if problems else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        """Everything in `metrics`, and the process itself."""
        self.problems()  # brings the ages up to date
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def readyz(self, _: web.Request) -> web.Response:
        """200 from the start: a standby is as ready as its leader."""
        return web.Response(text="ok")


@asynccontextmanager
async def serve(health: Health, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs; yields the port, which differs from `port` when that is 0."""
    app = web.Application()
    app.add_routes([
        web.get("/livez", health.livez), web.get("/readyz", health.readyz), web.get("/metrics", health.metrics)
    ])  # fmt: skip
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
