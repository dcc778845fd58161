"""The operator as a process: stands by until it holds the Lease, then works, and ends when either ends.

It ends by itself, and whoever started it starts it anew: a leader that has lost its Lease, or half of its tasks, is not
worth mending.
"""

import asyncio
import logging
import signal
import time
import uuid
from collections.abc import Sequence
from typing import Any

import kopf
from kubernetes.aio.client import ApiClient

from bilten_operator.cluster.client import Client
from bilten_operator.cluster.connection import configuration
from bilten_operator.cluster.controller import Controller
from bilten_operator.cluster.lease import Lease, Lost, Terms
from bilten_operator.cluster.planning import planner
from bilten_operator.handlers import kopf_settings, register
from bilten_operator.health import Health, serve
from bilten_operator.plan.needs import references
from bilten_operator.settings import Settings

log = logging.getLogger(__name__)

#: A loop that has not come round for so long hangs: each of its calls ends after four seconds.
_LEASE_LOOP_S = 60.0
#: How long what is under way may take once the process is to end; less than a pod's grace period.
_GRACE_S = 15.0


async def run(settings: Settings) -> int:
    """Run until told to stop (0), or until something that must not end has ended (1)."""
    stop = asyncio.Event()
    _on_signals(stop)
    async with ApiClient(await configuration()) as api:
        client = Client(api)
        lease = Lease(
            client, settings.namespace, settings.lease_name, f"{settings.identity}_{uuid.uuid4().hex[:8]}",
            Terms(duration_s=settings.lease_s, renew_s=settings.lease_s * 2 / 3, pause_s=min(2, settings.lease_s / 6)),
        )  # fmt: skip
        health = Health()
        health.checks.append(lambda: _lease_loop(lease))
        async with serve(health, settings.host, settings.port) as port:
            log.info("Standing by; probes and metrics on port %d", port)
            try:
                if not await _acquired(lease, stop):
                    return 0
                return await _lead(settings, client, lease, health, stop)
            finally:
                await lease.release()


async def _acquired(lease: Lease, stop: asyncio.Event) -> bool:
    acquiring = asyncio.create_task(lease.acquire(), name="acquire")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({acquiring, stopping}, return_when=asyncio.FIRST_COMPLETED)
    return not await _end([acquiring, stopping]) and not stop.is_set()


async def _lead(settings: Settings, client: Client, lease: Lease, health: Health, stop: asyncio.Event) -> int:
    controller = Controller(
        client, planner(settings.operator_config()), references, namespaces=settings.watch_namespaces,
        workers=settings.workers, resync_s=settings.resync_s,
    )  # fmt: skip
    health.checks.append(controller.alive)
    stopping = asyncio.create_task(stop.wait(), name="stop")
    # Kopf ends every task that was begun after it, so it is begun last.
    tasks = [
        asyncio.create_task(lease.hold(), name="lease"),
        asyncio.create_task(controller.run(), name="work"),
        asyncio.create_task(_watch_instances(settings, controller, stop), name="kopf"),
    ]
    await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    # No write may be under way when the Lease is given away.
    failed = await _end([*tasks[1:], tasks[0], stopping])
    return 1 if failed or not stop.is_set() else 0


async def _watch_instances(settings: Settings, controller: Controller, stop: asyncio.Event) -> None:
    await controller.watches.listed()
    ready = asyncio.Event()
    watching = asyncio.create_task(
        kopf.operator(
            registry=register(controller.saw, configuration), settings=kopf_settings(),
            clusterwide=not settings.watch_namespaces, namespaces=settings.watch_namespaces, ready_flag=ready,
            # Else Kopf asks for the user's name, and the image's user has none.
            identity=settings.identity,  # type: ignore[arg-type] # its NewType is private
        )
    )  # fmt: skip
    readying = asyncio.create_task(ready.wait())
    await asyncio.wait({watching, readying}, return_when=asyncio.FIRST_COMPLETED)
    readying.cancel()
    # Kopf has taken the signals: with its own way to end, a reconciliation would be cut off before the Lease is known.
    _on_signals(stop)
    try:
        await watching
    finally:
        watching.cancel()


async def _end(tasks: Sequence["asyncio.Task[Any]"]) -> bool:
    """End them all, one after the other. Whether one of them had failed."""
    failed = False
    for task in tasks:
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=_GRACE_S)
        if not done or task.cancelled():
            continue
        error = task.exception()
        if isinstance(error, Lost):
            log.error("Lost the Lease: %s", error)
        elif error:
            log.error("%s ended", task.get_name(), exc_info=error)
        failed |= error is not None
    return failed


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


def _lease_loop(lease: Lease) -> str | None:
    silent_s = time.monotonic() - lease.beat_at
    return f"the loop of the Lease has not come round for {silent_s:.0f} s" if silent_s > _LEASE_LOOP_S else None
