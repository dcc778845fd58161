"""What a set of signatures says of itself: a signature among them, whose name tells which set it is and of when.

clamd tells number and date of ClamAV's own set only. Whoever puts another one together adds a file with one signature
that finds `PROBE` and nothing else: what clamd calls the probe is what it has loaded, however it is reached.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

#: Thrown with dice, and the same wherever a stamp is written: no file holds it but by design.
PROBE = bytes.fromhex(
    "6cd4a6f6cc34efaf7a7e09efa19d1d4c6191635d550a3793d8ee277946314754e22dd2cf72a369f034217445b63b3e57"
)
#: The file of a folder of signatures that has the stamp.
FILE = "bilten-stamp.ndb"

# clamd says of each signature that is not ClamAV's own that it is unofficial.
_NAME = re.compile(r"Bilten\.Signatures\.(?P<seconds>[0-9]{9,10})\.(?P<digest>[0-9a-f]{16})\.UNOFFICIAL")


@dataclass(frozen=True)
class Stamp:
    """`digest`: another one, other signatures. `made_at`: when the newest of them came."""

    digest: str
    made_at: datetime


def read(name: str | None) -> Stamp | None:
    """The stamp that clamd found under this name; None where it is none."""
    match = _NAME.fullmatch(name or "")
    return Stamp(match["digest"], datetime.fromtimestamp(int(match["seconds"]), UTC)) if match else None


def write(folder: Path) -> None:
    """Stamp all signatures of a folder. Nothing where there are none: clamd must not start with the stamp alone."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix != ".new" and path.name != FILE)
    if not files:
        return
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    seconds = int(max(path.stat().st_mtime for path in files))
    draft = folder / f".{FILE}.new"
    draft.write_text(f"Bilten.Signatures.{seconds}.{digest.hexdigest()[:16]}:0:*:{PROBE.hex()}\n")
    draft.rename(folder / FILE)
