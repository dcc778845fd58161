"""What a running `bilten dev` leaves in its folder, so that commands typed beside it find its database.

It holds what the API was started with, secrets included, so only its owner may read it. A supervisor that was killed
leaves it behind: it counts only while the process that wrote it runs.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from bilten.local.guardian import Member
from bilten.local.secretfile import write_secret

_FILE = "running.json"


def announce(folder: Path, variables: Mapping[str, str]) -> None:
    """Leave this process's settings in the folder."""
    settings = {name: value for name, value in variables.items() if name.startswith("BILTEN_")}
    supervisor = asdict(Member.of("supervisor", os.getpid(), []))
    write_secret(folder / _FILE, json.dumps({"supervisor": supervisor, "settings": settings}))


def withdraw(folder: Path) -> None:
    """Take them away again."""
    (folder / _FILE).unlink(missing_ok=True)


def settings_in(folder: Path) -> dict[str, str] | None:
    """The settings, as environment variables, of what runs in the folder; None when nothing does.

    Raises PermissionError when the folder is another user's: what that user wrote there is not to be followed.
    """
    path = folder / _FILE
    try:
        with path.open() as file:
            written = os.fstat(file.fileno())
            if written.st_uid != os.geteuid() or written.st_mode & 0o022:
                raise PermissionError(errno.EPERM, "another user may have written it", str(path))
            found = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if Member(**found["supervisor"]).process() is None:
        return None
    return {name: value for name, value in found["settings"].items() if name.startswith("BILTEN_")}
