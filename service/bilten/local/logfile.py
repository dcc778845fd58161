"""The logs of the child processes: appended to, bounded, and quoted when a child fails."""

from pathlib import Path
from typing import BinaryIO

#: A log longer than this starts anew with the next start.
_MAX_BYTES = 5 * 1024 * 1024


def open_log(path: Path) -> BinaryIO:
    """Open a log for a child to append to."""
    too_long = path.exists() and path.stat().st_size > _MAX_BYTES
    return path.open("wb" if too_long else "ab")


def last_line(path: Path, *, containing: str = "") -> str:
    """The newest line with `containing` in it, for an error message; a plain remark when there is none."""
    lines = path.read_bytes().decode(errors="replace").splitlines() if path.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip() and containing in line), "it gave no reason")
