"""Installs the locked packages into `.venv`, for service/bootstrap.py: so with nothing but the standard library.

Done before, it costs a few milliseconds: a stamp in the environment says what was installed from which files, and
what only an installation needs is imported only then. While an installation runs, an empty file stands for the stamp:
found by the next one, it tells that this environment is half of one, and is made anew.
"""

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bilten.local.problem import LocalError

#: Each is a superset of the one before it.
KINDS = ("local", "dev")

STAMP = "bilten.json"


class Stamp(NamedTuple):
    """What makes an environment the right one. `place` and `python`: neither survives being moved or upgraded."""

    kind: str
    lock: str
    project: str
    place: str
    python: str

    @classmethod
    def wanted(cls, root: Path, kind: str) -> "Stamp":
        """The stamp of an environment made now."""
        python = root / ".venv" / "bin" / "python"
        return cls(kind, _hash(_lock(root, kind)), _hash(root / "pyproject.toml"), str(root), os.path.realpath(python))

    @classmethod
    def found(cls, root: Path) -> "Stamp | None":
        """The stamp of the environment that is there; None when there is none or it is unfinished."""
        try:
            return cls(**json.loads((root / ".venv" / STAMP).read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, root: Path) -> None:
        """Declare the environment finished."""
        (root / ".venv" / STAMP).write_text(json.dumps(self._asdict()))


def main(project: str, argv: Sequence[str]) -> int:
    """Bring the environment to what `argv` names, `local` or `dev`. Returns the exit status."""
    root = Path(project)
    if len(argv) != 1 or argv[0] not in KINDS:
        sys.stderr.write(f"usage: bootstrap.py {'|'.join(KINDS)}\n")
        return 2
    try:
        install(root, argv[0])
    except LocalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. The same command goes on where this one ended.\n")
        return 130
    return 0


def install(root: Path, kind: str) -> None:
    """Install what is missing for `kind`, and never take away the rest. Raises `LocalError`."""
    if _is_complete(root, kind):
        return
    home = root / ".bilten"
    try:
        home.mkdir(exist_ok=True, mode=0o700)
        with (home / "install.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_complete(root, kind):  # another `make` may have installed meanwhile
                _install(root, kind, home / "install.log")
    except PermissionError as error:
        raise LocalError(f"{error.filename or home} cannot be written; make this folder yours (chown) first.") from None
    except OSError as error:
        raise LocalError(f"The packages could not be installed: {error.strerror} ({error.filename or root}).") from None


def _is_complete(root: Path, kind: str) -> bool:
    stamp = Stamp.found(root)
    return bool(stamp and KINDS.index(stamp.kind) >= KINDS.index(kind) and stamp == Stamp.wanted(root, stamp.kind))


def _install(root: Path, kind: str, log: Path) -> None:
    from bilten.local import pip  # noqa: PLC0415 - see the top

    environment = root / ".venv"
    stamp = Stamp.found(root)
    if stamp is not None:
        kind = max(kind, stamp.kind, key=KINDS.index)
    log.unlink(missing_ok=True)
    if not _is_sound(environment, stamp) or not pip.works(environment):
        pip.create_environment(environment, log)
        stamp = None
    (environment / STAMP).write_text("")
    if stamp is None or (stamp.kind, stamp.lock) != (kind, _hash(_lock(root, kind))):
        pip.install_locked(environment, _lock(root, kind), log)
    pip.install_project(environment, root, log)
    Stamp.wanted(root, kind).write(root)


def _is_sound(environment: Path, stamp: Stamp | None) -> bool:
    """Whether it can be built upon: not interrupted, moved, or of a Python that is gone. A developer's own is."""
    if stamp is None:
        return not (environment / STAMP).exists()
    return (stamp.place, stamp.python) == (str(environment.parent), os.path.realpath(environment / "bin" / "python"))


def _lock(root: Path, kind: str) -> Path:
    return root / "service" / "locks" / f"{kind}.txt"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
