"""Writes a file only its owner may read, all of it or nothing."""

import os
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Replace the file: it has mode 0600 from its first byte on, and a crash leaves the old one or the new one."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    draft.rename(path)
