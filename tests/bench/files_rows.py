"""The rows of files: uploads, pictures, what the API feels of them, scans, and lists of a million."""

import sys
from pathlib import Path

import aiohttp
import asyncpg
from bench import files_lists, files_pictures, files_scan, files_upload
from bench.files_stage import files_stage, lacks
from bench.table import Row
from bilten.local.problem import LocalError

NAMES = ("upload", "picture", "livez", "scan", "files")


async def measure(names: set[str], files: int, kept: Path | None) -> list[Row]:
    """The rows of these names, in order; `files` is how many the lists are of."""
    if not names:
        return []
    rows = {
        "upload": [
            Row("100 MB through the API, time against a direct upload", "≤ 1.8"),
            Row("the API's memory meanwhile", "≤ +64 MB"),
        ],
        "picture": [Row("5 MB JPEG, request to clean with all variants, 4 at a time, p95", "≤ 1.5 s")],
        "livez": [Row("/livez while 8 uploads are scanned and resized, p99", "< 50 ms")],
        "scan": [Row("clean verdicts a second against bare INSTREAM", "≥ 0.8")],
        "files": [
            Row(f"pages of lists and searches, {files:,} files, p95 in the database", "≤ 10 ms, by indexes"),
            Row("counts of them, p95 in the database", "≤ 10 ms, by indexes"),
        ],
    }
    asked = [row for name in NAMES if name in names for row in rows[name]]
    if reason := lacks():
        for row in asked:
            row.skipped = reason
        return asked
    doing = asked[:1]
    try:
        async with files_stage(kept) as stage:
            work = {
                "upload": lambda: files_upload.measure(*rows["upload"], stage),
                "picture": lambda: files_pictures.measure(*rows["picture"], stage),
                "livez": lambda: files_pictures.measure_livez(*rows["livez"], stage),
                "scan": lambda: files_scan.measure(*rows["scan"], stage),
                "files": lambda: files_lists.measure(*rows["files"], stage, files),
            }
            for name in NAMES:
                if name in names:
                    doing = rows[name]
                    await work[name]()
                    for row in doing:
                        sys.stderr.write(f"  {row.name}: {row.figure}\n")
    except (RuntimeError, TimeoutError, LocalError, OSError, aiohttp.ClientError, asyncpg.PostgresError) as error:
        for row in doing:
            row.failed = f"{type(error).__name__}: {error}"
    return [row for row in asked if row.figure or row.failed]
