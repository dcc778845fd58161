"""Two threads that tell the supervisor what it waits for: a saved file, and an API that answers."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import watchfiles

#: Editors save in several steps; changes this close together are one, in milliseconds.
_DEBOUNCE_MS = 60
#: For so many seconds an API is expected to be ready at any moment.
_SOON_S = 5.0


class Watcher:
    """Calls `changed` with the paths of changed Python files below the folders, until it is stopped."""

    def __init__(
        self, folders: Iterable[Path], *, changed: Callable[[list[Path]], None], failed: Callable[[str], None]
    ) -> None:
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._changed = changed
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            for changes in watchfiles.watch(
                *self._folders,
                watch_filter=lambda _change, path: path.endswith(".py"),
                debounce=_DEBOUNCE_MS, step=20, rust_timeout=500, stop_event=self._stop, raise_interrupt=False,
            ):  # fmt: skip
                self._changed(sorted({Path(path) for _, path in changes}))
        except OSError as error:  # the system's limit of watched files
            self._failed(str(error))


def await_ready(
    host: str, port: int, *, still: Callable[[], bool], ready: Callable[[], None], waits: Callable[[str], None]
) -> None:
    """Ask /readyz in a thread, while `still()`, until it is 200: then `ready`; `waits` gets each new reason."""

    def ask() -> None:
        reason, began = "", time.monotonic()
        while still():
            with suppress(OSError, http.client.HTTPException, ValueError):
                status, message = _readiness(host, port)
                if status == http.HTTPStatus.OK:
                    ready()
                    return
                if message != reason:
                    reason = message
                    waits(reason.removeprefix("Not ready: "))
            # Each look is logged: what is long in coming is looked for less often.
            time.sleep(0.03 if time.monotonic() - began < _SOON_S else 0.2)

    threading.Thread(target=ask, daemon=True).start()


def _readiness(host: str, port: int) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        answer = connection.getresponse()
        return answer.status, str(json.loads(answer.read()).get("message", ""))
    finally:
        connection.close()
