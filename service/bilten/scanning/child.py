"""Work on hostile bytes in a process that may be killed: its memory, time and files are bounded, and it is used once.

A fork server that has loaded the decoders forks one child for each piece of work, in milliseconds. What a child
answers is read as JSON of bounded length, never unpickled: a child that was taken over by its input cannot take over
its parent. A fork server that ended is started again by the next piece of work.
"""

import asyncio
import json
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from bilten.scanning.errors import InspectionFailed, Refused, WorkshopUnavailable

#: Longest answer of a child, in bytes.
MAX_ANSWER_BYTES = 256 * 1024

#: Answers to the alarm and to the limits of the kernel, as far as they end a process by a signal.
_TIME_SIGNALS = frozenset({signal.SIGALRM, signal.SIGXCPU})
_MEMORY_SIGNALS = frozenset({signal.SIGKILL, signal.SIGBUS})
_MAX_OPEN_FILES = 64
_LAST_ACT_S = 1.0
#: Between tries to start a child, for a fork server that was killed to be gone.
_WAITS_S = (0.0, 0.05, 0.2, 1.0)
#: The fork server is started with this process's environment, but for what begins so: the settings, secrets among them.
_SETTINGS = "BILTEN_"
_environment = threading.Lock()

Work = Callable[..., Any]


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use. `memory_bytes` is address space; `file_bytes` bounds each file it writes."""

    memory_bytes: int = 1024 * 1024 * 1024
    cpu_s: int = 20
    wall_s: float = 30
    file_bytes: int = 256 * 1024 * 1024


class Children:
    """Runs pieces of work, as many at once as there are cores. Close it, or its fork server stays until the end."""

    def __init__(self, *, at_once: int, limits: ChildLimits, preload: list[str]) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(at_once)
        # Starting a child and waiting for its end block, for milliseconds.
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="scanning-child")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(preload)

    def close(self) -> None:
        """Take no more work. What runs ends by its own limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Work, *arguments: Any) -> Any:
        """What `work(*arguments)` returns, which has to be JSON; it is a function of a module.

        Raises `Refused` when it did, `InspectionFailed` when it broke or was killed, and `WorkshopUnavailable` when it
        could not be started. A child whose caller is cancelled is killed.
        """
        async with self._slots:
            loop = asyncio.get_running_loop()
            ours, theirs = self._context.Pipe(duplex=False)
            try:
                process = await _shielded(loop.run_in_executor(self._threads, self._start, theirs, work, arguments))
            except BaseException:
                ours.close()
                raise
            finally:
                theirs.close()
            try:
                answer = await self._read(ours)
            except BaseException:
                await _shielded(loop.run_in_executor(self._threads, _killed, process))
                raise
            end = _killed if answer is None else _ended
            return _result(answer, await _shielded(loop.run_in_executor(self._threads, end, process)))

    def _start(self, theirs: Connection, work: Work, arguments: tuple[Any, ...]) -> BaseProcess:
        for wait_s in (*_WAITS_S, None):
            process = self._context.Process(target=_in_child, args=(theirs, self._limits, work, arguments), daemon=True)
            try:
                with _without_settings():
                    process.start()
            except (OSError, EOFError) as error:
                # The fork server is ending; once it has ended, the next try starts another.
                if wait_s is None:
                    raise WorkshopUnavailable(f"No child process could be started: {error!r}.") from error
                time.sleep(wait_s)
            else:
                return process
        raise AssertionError

    async def _read(self, ours: Connection) -> bytes | None:
        """All that the child writes until it ends; None when that was too much or took too long."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=MAX_ANSWER_BYTES)
        pipe = os.fdopen(os.dup(ours.fileno()), "rb", buffering=0)
        ours.close()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.wall_s):
                while part := await reader.read(65536):
                    parts.append(part)
                    size += len(part)
                    if size > MAX_ANSWER_BYTES:
                        return None
        except TimeoutError:
            return None
        finally:
            transport.close()
        return b"".join(parts)


@contextmanager
def _without_settings() -> Iterator[None]:
    """Take the settings out of the environment meanwhile: a fork server that has to be started inherits it."""
    with _environment:
        taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(_SETTINGS)}
        try:
            yield
        finally:
            os.environ.update(taken)


async def _shielded(future: "asyncio.Future[Any]") -> Any:
    """Wait to the end even when cancelled: what was started has to be known to be ended."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        with suppress(Exception):
            started = await future
            if isinstance(started, BaseProcess):
                started.kill()
                started.join()
        raise


def _ended(process: BaseProcess) -> int | None:
    """Exit status of a child that has closed its pipe, which is its last act unless it was taken over."""
    process.join(_LAST_ACT_S)
    return _killed(process)


def _killed(process: BaseProcess) -> int | None:
    # One that has ended is not killed: its number may be another's by now.
    if process.exitcode is None:
        process.kill()
    process.join()
    status = process.exitcode
    process.close()
    return status


def _result(answer: bytes | None, status: int | None) -> Any:
    """The child's answer. Its exit status only matters when there is none: a fork server that died forgets it."""
    if answer is None:
        raise InspectionFailed("time")
    try:
        told = json.loads(answer)
        if "refused" in told:
            raise Refused(*told["refused"])
        if "failed" in told:
            raise InspectionFailed(told["failed"])
        return told["result"]
    except (ValueError, KeyError, TypeError):
        pass
    if status is not None and -status in _TIME_SIGNALS:
        raise InspectionFailed("time")
    raise InspectionFailed("memory" if status is not None and -status in _MEMORY_SIGNALS else "crash")


def _in_child(theirs: Connection, limits: ChildLimits, work: Work, arguments: tuple[Any, ...]) -> None:
    """The child's whole life: bound itself, work, answer."""
    _bound(limits)
    try:
        told: dict[str, Any] = {"result": work(*arguments)}
    except Refused as refused:
        told = {"refused": [refused.code, refused.message]}
    except MemoryError:
        told = {"failed": "memory"}
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise whatever they like
        traceback.print_exc()
        told = {"failed": "crash"}
    with os.fdopen(os.dup(theirs.fileno()), "wb") as pipe:
        pipe.write(json.dumps(told).encode())
    # Without the interpreter's own end: what it would tear down may be in any state.
    sys.stderr.flush()
    os._exit(0)


def _bound(limits: ChildLimits) -> None:
    # Signals that the parent handles must end the child; the alarm ends it when the parent is gone.
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_s + 2)
    bounds = {
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: _MAX_OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: limits.memory_bytes,
    }
    for number, bound in bounds.items():
        _, hard = resource.getrlimit(number)
        ceiling = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        # At the soft limit of CPU comes SIGXCPU, at the hard one SIGKILL, which would look like a lack of memory.
        spare = 1 if number == resource.RLIMIT_CPU and ceiling != hard else 0
        # macOS has no bound of the address space that it would keep.
        with suppress(ValueError, OSError):
            resource.setrlimit(number, (ceiling, ceiling + spare))
