"""Runs everything `make up` promises, and keeps it running until it is told to stop.

One thread decides. The others (the watcher, readers of output, probes) put what they have seen into a queue, as the
call to make. Each turn of the loop makes those calls, then looks after what has ended.
"""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import FrameType

from bilten.local import running
from bilten.local.backing import Backing, make_buckets
from bilten.local.code import Code
from bilten.local.family import Family
from bilten.local.home import Home
from bilten.local.listener import Listener
from bilten.local.objectstore import ObjectStore
from bilten.local.problem import LocalError
from bilten.local.screen import Screen
from bilten.local.summary import summary
from bilten.local.watch import Watcher

#: Seconds between two looks at the processes.
_TICK_S = 0.05

#: A terminal that closes may signal twice; a second signal this many seconds later is a person's.
_IMPATIENT_S = 0.3


#: What threads post to the one that decides. No `SimpleQueue`: Python 3.11's waits for ever in `get(timeout=…)` when a
#: signal comes in the last moment of the timeout, so that a Ctrl-C was lost now and then.
Calls = queue.Queue[Callable[[], None]]


class _StopRequested(BaseException):
    """The developer, or the system, wants an end."""


class Supervisor:
    """Everything below one `bilten dev`. `project` holds the code; `parent` is the process it shall not outlive."""

    def __init__(
        self, home: Home, screen: Screen, *, project: Path, environ: Mapping[str, str], port: int, parent: int | None
    ) -> None:
        self._home = home
        self._screen = screen
        self._project = project
        self._environ = environ
        self._port = port
        self._parent = parent
        self._calls: Calls = Calls()
        self._family = Family(home.records)
        self._stop_asked_at: float | None = None
        self._unfinished = {"API", "object store"}

    def run(self) -> None:
        """Start, serve, and stop when asked to. Raises `LocalError` when something cannot start."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note_signal)
        with ExitStack() as stack:
            stack.enter_context(self._family)
            self._listener = Listener(self._environ.get("BILTEN_HOST") or "127.0.0.1", self._port)
            stack.callback(self._listener.close)
            ports = self._home.ports()
            self._worker_port = self._environ.get("BILTEN_WORKER_PORT") or str(ports.worker)
            backing = self._backing = Backing(self._family, self._home, self._environ, ports)
            stack.callback(self._screen.waiting, "")
            try:
                stack.callback(backing.stop, self._screen.stopped)
                self._start_backing(backing)
                stack.callback(running.withdraw, self._home.folder)
                self._code = self._start_code()
                stack.callback(self._code.stop)
                stack.callback(self._watch().stop)
                self._loop()
            except _StopRequested:
                self._screen.waiting("")
                self._screen.note("stopping; Ctrl-C again kills at once")

    def _start_backing(self, backing: Backing) -> None:
        self._screen.waiting("starting Postgres and the object store")
        backing.start()
        if backing.postgres:
            backing.postgres.wait_ready(unless=self._check_stop)
            self._screen.step("Postgres", str(self._home.postgres))
        else:
            self._screen.note(f"Postgres: {backing.describe_database()} (BILTEN_DATABASE_URL is set)")
        if backing.store:
            threading.Thread(target=self._prepare, args=(backing.store,), daemon=True).start()
        else:
            self._screen.note(f"object store: {backing.describe_store()[0]} (BILTEN_S3_ENDPOINT is set)")
            self._unfinished.remove("object store")

    def _start_code(self) -> Code:
        self._screen.waiting("starting the API: schema, sample data, HTTP")
        log_format = "console" if self._screen.interactive else "auto"
        preferred = {
            "BILTEN_LOG_FORMAT": log_format,
            "BILTEN_SHUTDOWN_GRACE_S": "2",
            # Pages of other origins show pictures by their whole address.
            "BILTEN_PUBLIC_URL": self._listener.url,
        }
        ports = {"BILTEN_PORT": str(self._listener.port), "BILTEN_WORKER_PORT": self._worker_port}
        fixed = {**ports, "PYTHONUNBUFFERED": "1"}
        variables = {**preferred, **self._home.secrets(), **self._environ, **self._backing.variables(), **fixed}
        running.announce(self._home.folder, variables)
        code = Code(
            self._family, self._screen, self._listener, project=self._project, logs=self._home.logs,
            variables=variables, post=self._calls.put,
            on_first_ready=lambda: self._finished("API", self._listener.url),
        )  # fmt: skip
        code.start()
        return code

    def _watch(self) -> Watcher:
        watcher = Watcher(
            [self._project / "service" / "bilten", self._project / "migrations"],
            changed=lambda paths: self._calls.put(partial(self._code.changed, paths)),
            failed=lambda reason: self._calls.put(partial(self._screen.note, f"saved files are not noticed: {reason}")),
        )
        watcher.start()
        return watcher

    def _prepare(self, store: ObjectStore) -> None:
        """Runs in a thread of its own, as the API need not wait for it."""
        try:
            store.wait_ready()
            make_buckets(store.address(), self._backing.buckets().values())
        except LocalError as error:
            self._calls.put(partial(_fail, error))
        else:
            self._calls.put(partial(self._finished, "object store", str(self._home.objects)))

    def _finished(self, name: str, detail: str) -> None:
        self._screen.step(name, detail)
        self._unfinished.discard(name)
        if self._unfinished:
            return
        self._screen.waiting("")
        worker = self._listener.url_of(self._worker_port) if self._worker_port != "0" else None
        debugger = self._code.debugger_port
        self._screen.summary(summary(self._listener.url, worker, self._backing, self._home, self._environ, debugger))

    def _loop(self) -> None:
        while True:
            try:
                self._calls.get(timeout=_TICK_S)()
            except queue.Empty:
                self._check_stop()
                self._code.tick()
                for sentence in self._backing.ended():
                    self._screen.trouble(sentence)
                self._backing.tick()

    def _note_signal(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        elif now - self._stop_asked_at > _IMPATIENT_S:
            self._family.kill()
            os._exit(128 + number)

    def _check_stop(self) -> None:
        orphaned = self._parent is not None and os.getppid() != self._parent
        if self._stop_asked_at is not None or orphaned:
            raise _StopRequested


def _fail(error: LocalError) -> None:
    raise error
