"""Runs `bilten dev` as a developer does, on ports and in a folder of the test's own, and looks at it from outside."""

import json
import os
import pwd
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).parents[2]

NOBODY = pwd.getpwnam("nobody")
#: Lets root run a program as a user without rights but one, to read: this Python may lie below a private folder. The
#: securebit has access(2), by which initdb looks for its neighbours, count that right as well.
_AS_NOBODY = (
    "setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups",
    "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup",
)  # fmt: skip


def wait_until(condition: Callable[[], Any], timeout_s: float = 30) -> Any:
    """The first true value of the condition. Fails when there is none in time."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"nothing came of it in {timeout_s} s"
        time.sleep(0.05)
    return value


def is_alive(pid: int) -> bool:
    """Whether the process runs, and is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def processes_of(*words: Path | str) -> list[str]:
    """The command lines of all processes that mention one of the words, in their arguments or working directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            places = f"{line} {process.cwd()}"
            if process.pid != os.getpid() and any(str(word) in places for word in words):
                found.append(f"{process.pid} {line}")
    return found


class Dev:
    """A running `bilten dev`."""

    def __init__(
        self,
        home: Path,
        *,
        project: Path = PROJECT,
        arguments: tuple[str, ...] = (),
        as_nobody: bool = False,
        **env: str,
    ) -> None:
        self.home = home
        self.output_file = home.with_name(f"{home.name}.out")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BILTEN_")}
        # A copy of the code is not the code whose coverage is measured, and nobody has no place to note it.
        if project != PROJECT or as_nobody:
            kept = {name: value for name, value in kept.items() if not name.startswith("COV")}
        prefix = _AS_NOBODY if as_nobody else ()
        with self.output_file.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "bilten", "dev", "--home", home, "--port", "0", *arguments],
                cwd=project,
                env={**kept, "PYTHONPATH": str(project / "service"), "PYTHONFAULTHANDLER": "1", **env},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.output_file.read_text()

    @property
    def url(self) -> str:
        """Where the API is, as the screen says; waits for the screen."""

        return self.shown("API").removesuffix("/api/v1")

    def shown(self, name: str) -> str:
        """What the screen says of that name; waits for the screen."""

        def complete() -> bool:
            assert self.process.poll() is None, self.output
            return "`make reset` empties the data" in self.output

        wait_until(complete, 60)
        return next(line.split()[1] for line in self.output.splitlines() if line.startswith(f"  {name} "))

    def get(self, path: str, timeout_s: float = 10, **headers: str) -> Any:
        """The JSON at the path."""
        request = urllib.request.Request(self.url + path, headers=headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        """The JSON answer to JSON."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def answers(self, path: str) -> Any:
        """The JSON at the path, None while nothing answers."""
        with suppress(urllib.error.URLError, OSError):
            return self.get(path)
        return None

    def family(self, of_each: Callable[[psutil.Process], Any]) -> list[Any]:
        """What the function says of each process of it; those that end meanwhile (Postgres' own) are left out."""
        found = []
        supervisor = psutil.Process(self.process.pid)
        for member in [supervisor, *supervisor.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                found.append(of_each(member))
        return found

    def pid_of(self, label: str) -> int:
        """The newest process of that label among those on record."""
        records = sorted((self.home / "run").glob(f"{label}*.json"), key=lambda path: path.stat().st_mtime_ns)
        return int(json.loads(records[-1].read_text())["pid"])

    def says(self, text: str, timeout_s: float = 30) -> None:
        """Wait until the output has the text."""
        wait_until(lambda: text in self.output, timeout_s)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send the signal and return the exit status. One that does not end fails, with what it was busy with."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            processes = "\n".join(map(str, self.family(lambda member: (member.pid, member.status(), member.cmdline()))))
            self.process.send_signal(signal.SIGABRT)
            self.process.wait()
            raise AssertionError(f"does not end in 30 s:\n{self.output}\n{processes}") from None


@contextmanager
def running(home: Path, **options: Any) -> Iterator[Dev]:
    """A `bilten dev` that is gone afterwards, whatever the test does."""
    dev = Dev(home, **options)
    try:
        yield dev
    finally:
        try:
            dev.stop()
        finally:
            # One that does not stop fails this test, and must not trouble the next.
            dev.process.kill()
            dev.process.wait()
