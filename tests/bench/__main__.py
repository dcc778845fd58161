"""`make bench`: measures what was promised of speed and memory, and shows it against what it must reach.

Ends with 0 when all that could be measured on this machine was, whatever the figures; with 1 when something failed.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from bench import cluster_rows, files_rows, fleet_rows
from bench.fleet_rows import Sizes
from bench.table import Row, render

ROWS = (*files_rows.NAMES, *cluster_rows.NAMES, *fleet_rows.NAMES)


def main() -> int:
    """Measure; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__, add_help=True)
    parser.add_argument(
        "rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=f"of {', '.join(ROWS)}; all if none"
    )
    least = Sizes()
    parser.add_argument("--instances", type=int, default=least.instances, help="instances of the operator's first rows")
    parser.add_argument("--many", type=int, default=least.many, help="instances of the last one")
    parser.add_argument("--edits", type=int, default=least.edits, help="edits, one after the other")
    parser.add_argument("--idle", type=float, default=least.idle_s, metavar="SECONDS", help="how long nothing is done")
    parser.add_argument("--files", type=int, default=1_000_000, help="files that lists are of")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="an empty folder for the logs of all processes")
    asked = parser.parse_args()
    names = set(asked.rows or ROWS)
    sizes = Sizes(asked.instances, asked.many, asked.edits, asked.idle)
    logs = asked.logs and asked.logs.absolute()
    rows = asyncio.run(_measure(names, sizes, asked.files, logs))
    sys.stdout.write(f"\n{render(rows)}\n")
    return 1 if any(row.failed for row in rows) else 0


async def _measure(names: set[str], sizes: Sizes, files: int, logs: Path | None) -> list[Row]:
    return [
        *await files_rows.measure(names & set(files_rows.NAMES), files, logs),
        *await cluster_rows.measure(names & set(cluster_rows.NAMES)),
        *await fleet_rows.measure(names & set(fleet_rows.NAMES), sizes, logs),
    ]


if __name__ == "__main__":
    sys.exit(main())
