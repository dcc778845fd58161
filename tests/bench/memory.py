"""What a process takes of the machine's memory, as its pod's limit counts it."""

from pathlib import Path
from typing import NamedTuple

import psutil

MB = 1_000_000


class Memory(NamedTuple):
    """Bytes."""

    #: Resident, pages that are shared with others included.
    rss: int
    #: The same with shared pages divided by their users; 0 where the system does not tell.
    pss: int
    #: Most that was ever resident; 0 where the system does not tell.
    peak: int

    def __str__(self) -> str:
        parts = [f"{self.rss / MB:.0f} MB"]
        if self.pss:
            parts.append(f"Pss {self.pss / MB:.0f}")
        if self.peak:
            parts.append(f"peak {self.peak / MB:.0f}")
        return ", ".join(parts)


def of(pid: int) -> Memory:
    """Of a process that runs."""
    told = psutil.Process(pid).memory_full_info()
    peak = 0
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        peak = int(line.split()[1]) * 1024
    return Memory(told.rss, getattr(told, "pss", 0), peak)
