"""Ends what a killed supervisor left behind.

A process killed with SIGKILL cannot stop its children, and Linux' parent-death signal has no counterpart on macOS.
So a second, tiny process reads a pipe whose only write end the supervisor holds: when it reads end of file, for
whatever reason, it ends every member it was told of, the newest first, removes what is temporary of them, and exits.

Each line of the pipe is `["add", member]` or `["drop", name]`; a member is what `Member` describes.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

#: Seconds a member gets to obey one of its gentle signals.
PATIENCE_S = 3.0


def _started(process: psutil.Process) -> float:
    """When the process started, as the kernel noted it then: a clock that is set meanwhile does not change it."""
    return float(process._proc.create_time(monotonic=True))  # noqa: SLF001 - in public it is told by the clock of now


def _boot() -> str:
    """Which start of the machine this is, where that can be known: on Linux, processes' starts count from there."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class Member:
    """A child process, or a path to remove.

    A process is known by its pid and when it `started`, and in which `boot`: a recycled pid has another start.
    """

    name: str
    pid: int = 0
    started: float = 0.0
    signals: list[int] = field(default_factory=lambda: [int(signal.SIGTERM)])
    path: str = ""
    boot: str = ""

    def dump(self) -> str:
        """The member as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def of(cls, name: str, pid: int, signals: Iterable[int]) -> "Member":
        """Describe a process that runs now; it is a zombie at worst, as its parent is the caller."""
        started = _started(psutil.Process(pid))
        return cls(name, pid, started, [int(number) for number in signals], boot=_boot())

    def process(self) -> psutil.Process | None:
        """The process, if it is still the one that was registered and has not ended."""
        try:
            process = psutil.Process(self.pid)
            same = (_started(process), _boot()) == (self.started, self.boot)
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # one of another user is none of ours
            return None


def end(member: Member) -> None:
    """End one member: its gentle signals one after the other, then SIGKILL, also to what is left of its group."""
    if member.path:
        shutil.rmtree(member.path, ignore_errors=True)
        with suppress(OSError):
            Path(member.path).unlink()
        return
    if member.process() is None:
        return
    for number in member.signals:
        if (process := member.process()) is None:
            break
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        _wait(member)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(member.pid, signal.SIGKILL)
    if process := member.process():  # it leads no group: an adopted one
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(member)


def _wait(member: Member) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while member.process() is not None and time.monotonic() < deadline:
        time.sleep(0.02)


def guard(lines: TextIO) -> None:
    """Keep the list of members up to date until the supervisor is gone, then end them."""
    members: dict[str, Member] = {}
    for line in lines:
        if not line.endswith("\n"):
            break  # the supervisor died while it wrote
        verb, value = json.loads(line)
        if verb == "add":
            members[value["name"]] = Member(**value)
        else:
            members.pop(value, None)
    for member in reversed(members.values()):
        end(member)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    guard(sys.stdin)
