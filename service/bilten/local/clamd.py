"""One clamd on a unix socket: Debian's `clamav-daemon`, or whatever `clamd` this machine has.

A socket in a folder of one's own, as clamd knows no passwords: on a port, every user of the machine could have it scan
files that only it may read, or end it. Under root it runs as `nobody`, since it opens what strangers have sent.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bilten.local.family import Family, quiet_environment
from bilten.local.logfile import last_line, open_log
from bilten.local.pgbinaries import Identity
from bilten.local.problem import LocalError
from bilten.scanning import stamp

#: Where distributions keep what their updater fetches; the first that holds signatures is used.
SYSTEM_SIGNATURES = (Path("/var/lib/clamav"), Path("/opt/homebrew/var/lib/clamav"), Path("/usr/local/var/lib/clamav"))

#: Where daemons are, beside PATH: a developer's seldom names these.
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")

#: The longest path of a socket, of the shorter-spoken of Linux (107) and macOS.
_LONGEST_SOCKET = 103

#: What clamd looks at, at most. Beyond it must not say OK, so it alerts; the service's own limits are all below.
_OPTIONS = {
    "Foreground": "yes",
    "LogTime": "yes",
    "LocalSocketMode": "600",
    "FixStaleSocket": "yes",
    "StreamMaxLength": "100M",
    "MaxFileSize": "100M",
    "MaxScanSize": "400M",
    "MaxThreads": "12",
    "AlertExceedsMax": "yes",
    "AlertEncrypted": "yes",
    "ReadTimeout": "30",
    "CommandReadTimeout": "10",
    "SelfCheck": "60",
    # Two engines at once would hold 2.4 GiB while signatures are renewed.
    "ConcurrentDatabaseReload": "no",
    # Before it reads signatures it waits for its threads to end, those included that have nothing to do.
    "IdleTimeout": "1",
    # For signatures of pictures in phishing mails it decodes each whole; nobody is ever served what was uploaded.
    "ScanImageFuzzyHash": "no",
}


class Clamd:
    """A daemon whose log is in `folder`; `options` are lines of clamd.conf that replace or join ours.

    Without `signatures`, a folder of them, it has the system's, or else some of its own: of the EICAR test file.
    """

    def __init__(
        self, family: Family, folder: Path, *, signatures: Path | None = None, options: Mapping[str, str] | None = None
    ) -> None:
        self._family = family
        self._folder = folder
        self._options = {**_OPTIONS, **(options or {})}
        self._signatures = signatures
        self._run: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._name = f"clamd {folder.name}"

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self._folder / "server.log"

    @property
    def ended(self) -> bool:
        """Whether the server ended unasked."""
        return self._process is not None and self._process.poll() is not None

    @property
    def pid(self) -> int:
        """The process of a running server."""
        if self._process is None:
            raise LocalError("clamd was not started.")
        return self._process.pid

    @property
    def socket(self) -> Path:
        """Where it listens; the same from one start to the next."""
        return self._run_folder() / "clamd.sock"

    @property
    def signatures(self) -> Path:
        """The folder of its signatures."""
        return self._signatures or system_signatures() or self._run_folder() / "signatures"

    @property
    def own_signatures(self) -> bool:
        """Whether it knows no more than the EICAR test file."""
        return self._signatures is None and system_signatures() is None

    def start(self) -> None:
        """Start the server and return before it answers. Raises `LocalError` when there is none to start."""
        program = find()
        if program is None:
            raise LocalError("clamd is not installed: `apt-get install clamav-daemon` or `brew install clamav`.")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = Identity.for_data(self._run_folder())
        run = self._run_folder()
        if self.own_signatures:
            write_signatures(self.signatures)
        (run / "tmp").mkdir(exist_ok=True)
        places = {
            "LocalSocket": run / "clamd.sock",
            "TemporaryDirectory": run / "tmp",
            "DatabaseDirectory": self.signatures,
        }
        lines = [f"{name} {value}\n" for name, value in (self._options | places).items()]
        (run / "clamd.conf").write_text("".join(lines))
        for path in (run, *run.rglob("*")):
            if identity.uid is not None:
                shutil.chown(path, identity.uid, identity.gid)
        with open_log(self.log) as log:
            self._process = self._family.spawn(
                self._name, [program, f"--config-file={run / 'clamd.conf'}"],
                env=quiet_environment(), cwd=run, output=log, uid=identity.uid, gid=identity.gid,
            )  # fmt: skip

    def wait_ready(self, timeout_s: float = 120, *, unless: Callable[[], None] = lambda: None) -> None:
        """Return when the server answers; all signatures take 20 s to load. Raises `LocalError` when it ends before
        or takes longer; `unless` is called between tries and may raise."""
        deadline = time.monotonic() + timeout_s
        while not answers(self.socket):
            unless()
            if self._process is None or self._process.poll() is not None:
                raise LocalError(f"clamd did not start: {last_line(self.log)} (see {self.log})")
            if time.monotonic() > deadline:
                raise LocalError(f"clamd did not answer within {timeout_s:.0f} s; see {self.log}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut the server down."""
        self._family.stop(self._name)
        self._process = None

    def _run_folder(self) -> Path:
        """Its own folder, unless `nobody` could not enter it or its name is too long for a socket."""
        if self._run is None:
            too_long = len(os.fsencode(self._folder / "clamd.sock")) > _LONGEST_SOCKET
            if os.geteuid() == 0 or too_long:
                self._run = Path(tempfile.mkdtemp(prefix="bilten-clamd-"))
                self._family.remove_at_end(self._run)
            else:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._run = self._folder
        return self._run


def find() -> str | None:
    """Where clamd is, if it is installed."""
    return shutil.which("clamd", path=os.pathsep.join([os.environ.get("PATH", ""), *_MORE_FOLDERS]))


def system_signatures() -> Path | None:
    """The signatures that this machine's updater fetched, if they are there and readable."""
    for folder in SYSTEM_SIGNATURES:
        for name in ("main", "daily"):
            if any(os.access(folder / f"{name}.{kind}", os.R_OK) for kind in ("cvd", "cld")):
                return folder
    return None


def eicar() -> bytes:
    """The test file of EICAR, which every scanner knows. Put together here, so that no scanner finds this source."""
    # Joined, not added: what is added is one constant in the compiled file.
    return b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-", b"ANTIVIRUS-TEST-FILE!$H+H*"))


def write_signatures(folder: Path) -> None:
    """A set that knows the EICAR test file whole, by both digests, and anywhere in another file; with a stamp."""
    folder.mkdir(parents=True, exist_ok=True)
    test = eicar()
    md5 = hashlib.md5(test, usedforsecurity=False).hexdigest()
    sets = {
        "bilten.hdb": f"{md5}:{len(test)}:Eicar-Test-Signature.md5",
        "bilten.hsb": f"{hashlib.sha256(test).hexdigest()}:{len(test)}:Eicar-Test-Signature.sha256",
        "bilten.ndb": f"Eicar-Test-Signature:0:*:{test.hex()}",
    }
    for name, line in sets.items():
        draft = folder / f".{name}.new"
        draft.write_text(f"{line}\n")
        draft.rename(folder / name)
    stamp.write(folder)


def answers(path: Path) -> bool:
    """Whether a clamd listens there and has its signatures loaded."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(b"zPING\0")
            return connection.recv(16) == b"PONG\0"
        except OSError:
            return False
