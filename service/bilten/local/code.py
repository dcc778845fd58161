"""Our code as it runs: the API and the worker, replaced whenever a file is saved.

The old API stops taking requests before the new one begins to; in between they wait in the socket that the supervisor
holds. Code that does not start leaves that socket closed, so that nothing stale answers and clients see an API that
is down. The worker follows the API, as the schema it needs is the API's to prepare.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bilten.local.child import Child
from bilten.local.debugger import Debugger
from bilten.local.family import Family
from bilten.local.listener import Listener
from bilten.local.problem import LocalError
from bilten.local.screen import Screen
from bilten.local.service import Service
from bilten.local.spare import Spare
from bilten.local.watch import await_ready

#: What `bilten serve` returns for settings that are wrong: no change of the code would help.
_WRONG_SETTINGS = 2

#: So much of the output of an API that did not start is shown.
_SHOWN_LINES = 12

#: What an API that starts logs of its steps, in either format of its logs, and how they are called on the screen.
_STEP = re.compile(r"(?=.*\b(schema_ready|sample_data_ready)\b)(?=.*\b(?:applied|inserted)\W+(\d+))")
_STEPS = {"schema_ready": ("schema", "migrations applied"), "sample_data_ready": ("sample data", "rows inserted")}

#: What an API logs that cannot prepare its schema, with the reason that its answers do not give.
_DELAY = re.compile(
    r"(?=.*\bschema_(?:waits_for_database|not_prepared)\b).*?(?:\breason\W+(.+?[.?])[\"'](?:[,} ]|$)|$)"
)

Post = Callable[[Callable[[], None]], None]


class Code:
    """`post` hands a call to the supervisor's thread; `on_first_ready` is called there when the API first answers."""

    def __init__(
        self,
        family: Family,
        screen: Screen,
        listener: Listener,
        *,
        project: Path,
        logs: Path,
        variables: Mapping[str, str],
        post: Post,
        on_first_ready: Callable[[], None],
    ) -> None:
        self._family = family
        self._screen = screen
        self._listener = listener
        self._project = project
        self._logs = logs
        self._variables = variables
        self._post = post
        self._on_first_ready = on_first_ready
        self._debugger = Debugger(family) if variables.get("BILTEN_DEBUGGER", "0") not in {"", "0"} else None
        self._api = Service(self._make_api)
        self._worker = Service(self._make_worker)
        self._spare: Spare | None = None
        self._was_ready = False
        self._is_new = True
        self._changed_at = 0.0
        self._delay = ""

    @property
    def debugger_port(self) -> int | None:
        """Where a debugger connects, if one was asked for."""
        return self._debugger.port if self._debugger else None

    def start(self) -> None:
        """Start the API; the worker follows when it answers."""
        self._api.start()

    def changed(self, paths: Sequence[Path]) -> None:
        """Replace both."""
        names = ", ".join(path.name for path in paths[:3]) + (" and more" if len(paths) > 3 else "")  # noqa: PLR2004 what fits a line
        self._screen.note(f"{names} changed, reloading")
        self._changed_at = time.monotonic()
        self._is_new = True
        self._delay = ""
        self._worker.retire()
        for service in (self._api, self._worker):
            service.forgive()
        self._listener.open()
        self._api.start()

    def tick(self) -> None:
        """Look after what ended and what is due. Raises `LocalError` when the settings are wrong."""
        self._api.tick()
        self._worker.tick()
        if (api := self._api.child) and not api.probed and not self._api.retiring:
            api.probed = True
            await_ready(
                self._listener.reachable_host,
                self._listener.port,
                still=lambda: self._api.child is api and not api.ended,
                ready=lambda: self._post(partial(self._ready, api)),
                waits=lambda reason: self._post(partial(self._screen.waiting, f"the API waits: {reason}")),
            )
        if crashed := self._api.take_crashed():
            self._api_ended(crashed, crashed.reap())
        if crashed := self._worker.take_crashed():
            status = crashed.reap()
            delay = self._worker.start_later()
            self._screen.trouble(f"the worker ended on its own (exit status {status}); again in {delay:.0f} s")

    def stop(self) -> None:
        """End both and wait for that."""
        if self._spare:
            self._spare.stop()
        self._worker.retire()
        self._api.stop()
        if self._debugger:
            self._debugger.stop()
        self._screen.stopped("API")
        self._worker.stop()
        self._screen.stopped("worker")

    def _ready(self, api: Child) -> None:
        if api is not self._api.child:
            return
        api.ready = True
        if self._debugger:
            self._debugger.adopt()
        if self._is_new and self._was_ready:
            self._screen.waiting("")
            self._screen.note(f"reloaded in {time.monotonic() - self._changed_at:.1f} s")
        self._is_new = False
        if self._worker.child is None:
            self._worker.start()
        self._spare = self._spare or self._new_spare()
        if not self._was_ready:
            self._was_ready = True
            self._on_first_ready()

    def _api_ended(self, api: Child, status: int) -> None:
        self._screen.waiting("")
        lines = [line for line in api.last_lines if "<frozen importlib" not in line]
        tail = [] if api.ready else lines[-_SHOWN_LINES:]
        if status == _WRONG_SETTINGS and not self._was_ready:
            raise LocalError("\n".join(tail))
        if api.ready or not self._is_new:
            delay = self._api.start_later()
            self._screen.trouble(f"the API ended on its own (exit status {status}); again in {delay:.0f} s", tail)
        else:
            self._listener.close()
            self._worker.retire()
            self._spare = self._spare or self._new_spare()
            self._screen.trouble("the API does not start with this code; waiting for a change", tail)

    def _new_spare(self) -> Spare:
        return Spare(lambda command, fd: self._make("api", command, pass_fds=[fd]))

    def _make_api(self) -> Child:
        if self._spare and self._spare.child.ended:
            self._spare.stop()
            self._spare = None
        spare, self._spare = self._spare or self._new_spare(), None
        port = self._debugger.next_adapter() if self._debugger else 0
        return spare.become_api(self._listener.fd, debugger_port=port)

    def _make_worker(self) -> Child:
        worker = self._make("worker", ["-m", "bilten", "worker"])
        worker.ready = True
        return worker

    def _make(self, label: str, command: Sequence[str], *, pass_fds: Sequence[int] = ()) -> Child:
        return Child(
            self._family, label, command, env=self._variables, cwd=self._project, log=self._logs / f"{label}.log",
            on_line=self._line, pass_fds=pass_fds,
        )  # fmt: skip

    def _line(self, child: Child, text: str) -> None:
        """Show a line of a process that serves; of one that starts, its steps and delays, and all if it fails."""
        if child.ready:
            self._screen.line(child.label, text)
        elif not self._was_ready and (done := _STEP.search(text)):
            name, what = _STEPS[done[1]]
            self._screen.step(name, f"{done[2]} {what}" if done[2] != "0" else "up to date")
        elif found := _DELAY.search(text):
            self._delayed(found[1] or f"the schema cannot be prepared; {self._logs / 'api.log'} says why")

    def _delayed(self, reason: str) -> None:
        """Say once what is tried again every few seconds."""
        if reason != self._delay:
            self._delay = reason
            self._screen.trouble(re.sub(r"\\(?=[\"'])", "", reason))
