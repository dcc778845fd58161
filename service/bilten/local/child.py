"""One of our own processes, `python -m bilten …`, with its output read line by line."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bilten.local.family import Family
from bilten.local.logfile import open_log

#: Seconds a process that was asked to end gets to finish its requests before it is killed.
PATIENCE_S = 3.0

_numbers = itertools.count(1)


class Child:
    """A running process. Each line goes to `log`, and to `on_line` with the label."""

    def __init__(
        self,
        family: Family,
        label: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        log: Path,
        on_line: Callable[["Child", str], None],
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.label = label
        self.ready = False
        self.probed = False
        self._began = time.monotonic()
        self.last_lines: deque[str] = deque(maxlen=40)
        self._asked_at: float | None = None
        self._family = family
        self._name = f"{label}-{next(_numbers)}"
        self._on_line = on_line
        self._process = family.spawn(
            self._name, [sys.executable, *command], env=env, cwd=cwd, output=subprocess.PIPE, pass_fds=pass_fds
        )
        self._reader = threading.Thread(target=self._read, args=(open_log(log),), daemon=True)
        self._reader.start()

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    @property
    def age_s(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._began

    def restart_clock(self) -> None:
        """Count its age from now on."""
        self._began = time.monotonic()

    def ask_to_end(self) -> None:
        """Have it finish what it does and take nothing new."""
        self._asked_at = time.monotonic()
        self._signal(signal.SIGTERM)

    def hurry(self) -> None:
        """Kill it if it was asked to end and does not get around to it."""
        if self._asked_at is not None and time.monotonic() - self._asked_at > PATIENCE_S:
            self._signal(signal.SIGKILL)

    def reap(self) -> int:
        """Wait for the end, and for the last line; returns the exit status."""
        status = self._process.wait()
        self._reader.join(timeout=1)
        self._family.forget(self._name)
        return status

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            if not self.ended:
                os.killpg(self._process.pid, number)

    def _read(self, log: BinaryIO) -> None:
        output = self._process.stdout
        if output is None:
            return
        with log, output:
            for line in output:
                log.write(line)
                log.flush()
                text = line.decode(errors="replace").rstrip()
                self.last_lines.append(text)
                self._on_line(self, text)
