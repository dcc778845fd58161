"""Work for children that misbehaves in each way there is; imported by name in the child."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from bilten.scanning.errors import Refused


def say(value: Any) -> Any:
    return value


def refuse() -> None:
    raise Refused("FILE_DAMAGED", "It is torn.")


def break_down() -> None:
    raise ZeroDivisionError


def sleep(pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    time.sleep(60)


def spin() -> None:
    while True:
        pass


def hoard() -> int:
    return len(bytearray(2**31))


def end(number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)


def leave() -> None:
    os._exit(0)


def babble() -> str:
    return "x" * 10_000_000


def fill(path: str) -> None:
    with Path(path).open("wb") as file:
        for _ in range(1000):
            file.write(bytes(1024 * 1024))


def open_many(folder: str) -> None:
    for number in range(1000):
        os.open(Path(folder, str(number)), os.O_CREAT | os.O_WRONLY)


def environments() -> list[str]:
    """All that a child finds in its own environment and in that of its parent."""
    found = list(os.environ)
    for process in ("self", str(os.getppid())):
        environ = Path("/proc", process, "environ")
        found += [each.partition(b"=")[0].decode() for each in environ.read_bytes().split(b"\0")]
    return found


def parent() -> int:
    return os.getppid()


def stubborn() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(60)


def hang_up(pid_file: str) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    os.closerange(3, 64)
    time.sleep(60)
