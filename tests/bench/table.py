"""The figures as they are shown: what was asked, what came out, whether it is enough."""

import math
import platform
from dataclasses import dataclass, field

import psutil


@dataclass
class Row:
    """One measurement."""

    name: str
    bound: str
    figure: str = ""
    #: None: nothing is asked of it.
    reached: bool | None = None
    #: Why it was not measured: the machine lacks something, which is said. Not a failure.
    skipped: str = ""
    #: Why it could not be measured although it should have been.
    failed: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """In a word."""
        if self.failed:
            return "FAILED"
        if self.skipped:
            return "not measured"
        return {None: "", True: "reached", False: "MISSED"}[self.reached]


def render(rows: list[Row]) -> str:
    """All rows as a table, and what is to be said of them below it."""
    cells = [("", "must reach", "figure", ""), *((row.name, row.bound, row.figure, row.verdict) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "-" * max(map(len, lines)))
    for row in rows:
        said = [*row.notes, *filter(None, (row.skipped, row.failed))]
        lines += ["", f"{row.name}:", *(f"  {note}" for note in said)] if said else []
    return "\n".join([machine(), "", *lines])


def machine() -> str:
    """What it was measured on."""
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"


def quantile(values: list[float], share: float) -> float:
    """The least of the values that this share of all does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
