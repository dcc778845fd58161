"""How the commands that run until they are told to stop begin and end."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from bilten import settings as configuration
from bilten.settings import Settings
from bilten.telemetry import logs

#: Of Linux's prctl(2).
_PR_SET_DUMPABLE = 4


def run(serve: Callable[[Settings], Coroutine[Any, Any, int]]) -> int:
    """Read the settings, log as they say, and serve. Returns the exit status: 2 when the settings are wrong."""
    try:
        settings = configuration.load()
    except configuration.SettingsError as error:
        sys.stderr.write(f"bilten: the settings are not usable:\n{error}\n")
        return 2
    logs.setup(log_format=settings.log_format, level=settings.log_level)
    if settings.environment != "development":
        hide_memory()
    return asyncio.run(serve(settings))


def hide_memory() -> None:
    """Let no other process of this user read this one's environment and memory, which hold secrets. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def told_to_stop() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def cannot_listen(host: str, port: int, error: OSError, *, variable: str) -> int:
    """Say that the address cannot be had, and which variable names another port. Returns the exit status, 1."""
    # asyncio puts a text of its own in the place of the system's, another in each version of Python. Names that mean
    # nothing have negative numbers, and their own text.
    number = error.errno or 0
    reason = os.strerror(number).lower() if number > 0 else error.strerror or str(error)
    sys.stderr.write(f"bilten: cannot listen on {host}:{port} ({reason}). Stop what uses it, or set {variable}.\n")
    return 1
