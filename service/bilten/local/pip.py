"""Runs venv and pip: shows how far it is, and turns its failures into one sentence each. Standard library only."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bilten.local.problem import LocalError

#: So often the changing line of a terminal tells how long a step has taken, in seconds.
TICK_S = 1.0

_NETWORK = (
    r"Failed to establish a new connection|NewConnectionError|NameResolutionError|name resolution|ConnectTimeout|"
    r"ReadTimeout|Read timed out|Connection (?:refused|reset|aborted)|Network is unreachable|ProxyError|"
    r"Max retries exceeded|RemoteDisconnected|not a trusted or secure host"
)

#: Signs of a failure in pip's log, and what they mean and what helps; the first that is found decides.
_FAILURES = {
    r"No space left on device|Errno 28": "The disk is full: free about 1 GB and run this again.",
    r"DO NOT MATCH THE HASHES": (
        "A downloaded package is not the one this project is locked to, so it was refused: run this again, and if that "
        "does not help and you use a package mirror, ask who runs it."
    ),
    r"Permission denied|Errno 13": "A folder of the installation cannot be written: make this folder yours (chown).",
    r"CERTIFICATE_VERIFY_FAILED|SSLError": (
        "The package index could not be trusted, as its certificate did not verify: if your network has certificates "
        "of its own, set PIP_CERT to their file."
    ),
    _NETWORK: (
        "The packages could not be downloaded: check the network (and PIP_INDEX_URL, if you use a mirror), then run "
        "this again; it goes on where it stopped."
    ),
    r"No matching distribution found": (
        "A package has no build for this machine: the local servers need Linux with glibc 2.28 or macOS 13, x86_64 or "
        "arm64, and a CPython that the locked packages know."
    ),
}


def works(environment: Path) -> bool:
    """Whether the environment has a Python and a pip that run."""
    try:
        subprocess.run([environment / "bin" / "python", "-m", "pip", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def create_environment(environment: Path, log: Path) -> None:
    """Make an empty virtual environment, in place of a broken one. Raises `LocalError`."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian ships Python without this part
        import venv  # noqa: F401, PLC0415
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise LocalError(
            f"This Python ({sys.executable}) cannot make virtual environments: install the Debian package "
            f"python{version}-venv (apt install python{version}-venv), then run this again."
        ) from None
    progress = Progress(0)
    progress.show(f"creating .venv with Python {sys.version.split()[0]}", important=True)
    with progress.counted(), log.open("a") as output:
        shutil.rmtree(environment, ignore_errors=True)
        command = [sys.executable, "-m", "venv", str(environment)]
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    progress.keep()
    if done.returncode != 0:
        raise explain(log)


def install_locked(environment: Path, lock: Path, log: Path) -> None:
    """Install exactly the packages of a hash-pinned lock. Raises `LocalError`."""
    total = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    progress = Progress(total)
    # Byte code is left to the first import: compiling all of it would take longer than the downloads.
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"]
    _run(environment, [*options, "-r", str(lock)], log, progress)
    progress.done()


def install_project(environment: Path, root: Path, log: Path) -> None:
    """Install the project itself, editable. Raises `LocalError`."""
    progress = Progress(0)
    progress.show("installing Bilten")
    _run(environment, ["--no-build-isolation", "--no-deps", "-e", str(root)], log, progress)
    progress.clear()


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Progress:
    """Counts the packages in pip's output: one line that changes on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0
        self._terminal = sys.stdout.isatty()
        self._began = time.monotonic()
        self._said = self._began
        self._text = ""
        self._shown_at = self._began

    def read(self, line: str) -> None:
        """Take note of one line of pip's output."""
        if line.startswith("Ignoring "):
            self._total -= 1
        elif found := re.match(r"\s*(?:Collecting|Requirement already satisfied:) ([\w.-]+)==", line):
            self._count += 1
            self.show(f"downloading {self._count}/{self._total} {found[1]}")
        elif line.startswith("Installing collected packages") and self._total:
            self.show(f"installing {self._total} packages", important=True)

    def done(self) -> None:
        """Say how long it took."""
        self.clear()
        say(f"installed {self._total} packages in {time.monotonic() - self._began:.0f} s")

    def show(self, text: str, *, important: bool = False) -> None:
        """Say what is being done; without a terminal only what is important, or when there was silence for long."""
        if self._terminal:
            self._text, self._shown_at = text, time.monotonic()
            self._rewrite(text)
        elif important or time.monotonic() - self._said > 5:  # noqa: PLR2004 - seconds
            self._said = time.monotonic()
            say(text)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the seconds of a long step in the changing line, which so is seen to go on."""
        ended = threading.Event()

        def count() -> None:
            while self._terminal and not ended.wait(TICK_S):
                seconds = int(time.monotonic() - self._shown_at)
                if self._text and seconds:
                    self._rewrite(f"{self._text}  {seconds} s")

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def clear(self) -> None:
        """Take the changing line away."""
        if self._terminal:
            self._text = ""
            self._rewrite("")

    def keep(self) -> None:
        """Leave the changing line where it is."""
        if self._terminal:
            self._rewrite(self._text)
            sys.stdout.write("\n")

    def _rewrite(self, text: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write(f"\r\033[K{text[:width]}")
        sys.stdout.flush()


def explain(log: Path) -> LocalError:
    """What went wrong, judged by what pip wrote."""
    text = log.read_text(errors="replace")
    for sign, sentence in _FAILURES.items():
        if re.search(sign, text):
            return LocalError(f"{sentence} (Details: {log})")
    lines = [line for line in text.splitlines() if line.strip()]
    reason = lines[-1] if lines else "it gave no reason"
    return LocalError(f"The packages could not be installed: {reason} (Details: {log})")


def _run(environment: Path, arguments: Sequence[str], log: Path, progress: Progress) -> None:
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--retries", "2", "--progress-bar", "off"]
    command = [*pip, *arguments]
    # PIP_USER=1, which some developers set, is refused inside a virtual environment.
    env = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0"}
    with (
        progress.counted(),
        log.open("a") as output,
        subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        for line in process.stdout or ():
            output.write(line)
            progress.read(line)
    if process.returncode != 0:
        progress.clear()
        raise explain(log)
