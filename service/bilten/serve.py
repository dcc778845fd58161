"""`bilten serve`: the API in one process, until it is told to stop; then it finishes what it began."""

import argparse
import asyncio
import contextlib
import resource
import socket

import structlog
from aiohttp import web

from bilten import lifecycle
from bilten.app import create_app
from bilten.settings import Settings
from bilten.web.keys import HEALTH
from bilten.web.server import ApiRunner

#: A connection taken just before the end has its request still on the way. aiohttp would close it unanswered, so for so
#: many seconds requests are served that come on connections that are there.
LAST_REQUESTS_S = 0.1

log = structlog.get_logger("bilten.serve")


def main(argv: list[str]) -> int:
    """Serve until SIGTERM or SIGINT. 2 when the settings are wrong, 1 when the address cannot be had."""
    parser = argparse.ArgumentParser(prog="bilten serve", description="Serve the API.")
    parser.add_argument("--fd", type=int, help="serve on this listening socket, inherited from the parent process")
    options = parser.parse_args(argv)
    _allow_open_files()
    return lifecycle.run(lambda settings: _serve(settings, options.fd))


def _allow_open_files() -> None:
    """Let connections use the files the system grants; the lower, soft limit is for programs that use select(2)."""
    _, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS grants less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))


async def _serve(settings: Settings, fd: int | None) -> int:
    stop = lifecycle.told_to_stop()
    app = create_app(settings)
    runner = ApiRunner(app)
    await runner.setup()
    try:
        site: web.BaseSite
        if fd is None:
            site = web.TCPSite(runner, settings.host, settings.port)
        else:
            site = web.SockSite(runner, socket.socket(fileno=fd))
        try:
            await site.start()
        except OSError as error:
            return lifecycle.cannot_listen(settings.host, settings.port, error, variable="BILTEN_PORT")
        log.info("serving", address=site.name)
        await stop.wait()
        log.info("stopping", grace_s=settings.shutdown_grace_s)
        app[HEALTH].draining = True
        await site.stop()
        await asyncio.sleep(LAST_REQUESTS_S)
        return 0
    finally:
        await runner.cleanup()
