"""The row of large uploads: through the API in a form, and into the object store with a form of its own."""

import hashlib
import os
import statistics
import time
from contextlib import suppress
from pathlib import Path

from bench import memory
from bench.files_client import Client
from bench.files_stage import FilesStage, unlike
from bench.table import Row
from support.house import letter

SIZE = 100_000_000
ROUNDS = 5
_DOCUMENT = "large.pdf", "application/pdf"
#: Behind the head of the document, in the bytes of its one stream.
_UNLIKE_AT = 4096


async def measure(time_row: Row, memory_row: Row, stage: FilesStage) -> None:
    """One after the other, taking turns, so that both meet the same machine; nobody scans meanwhile."""
    content = letter(os.urandom(SIZE - 400))
    pid = stage.processes["api"].pid
    before = memory.of(pid)
    async with stage.client() as client:
        await client.delete(await client.upload(letter(os.urandom(100_000)), *_DOCUMENT))
        _forget_peak(pid)
        through, directly, posted = [], [], []
        for _ in range(ROUNDS):
            through.append(await _through(client, unlike(content, _UNLIKE_AT)))
            took_s, post_s = await _directly(client, unlike(content, _UNLIKE_AT))
            directly.append(took_s)
            posted.append(post_s)
    after = memory.of(pid)
    ratio = statistics.median(through) / statistics.median(directly)
    time_row.figure, time_row.reached = f"{ratio:.2f}", ratio <= 1.8
    for name, taken_s in (
        ("through the API", through),
        ("directly, from the request for a form to its completion", directly),
        ("of that, the object store taking the form", posted),
    ):
        each = ", ".join(f"{one:.2f}" for one in taken_s)
        time_row.notes.append(f"{name}: median {statistics.median(taken_s):.2f} s ({each})")
    grown = after.peak - before.rss
    memory_row.figure, memory_row.reached = f"+{grown / memory.MB:.0f} MB", grown <= 64 * memory.MB
    memory_row.notes.append(f"before {before}; after {after}; both ways of uploading count")


async def _through(client: Client, content: bytes) -> float:
    began = time.monotonic()
    file = await client.upload(content, *_DOCUMENT)
    took_s = time.monotonic() - began
    await client.delete(file)
    return took_s


async def _directly(client: Client, content: bytes) -> tuple[float, float]:
    sha256 = hashlib.sha256(content).hexdigest()
    began = time.monotonic()
    file, posted_s = await client.upload_directly(content, *_DOCUMENT, sha256)
    took_s = time.monotonic() - began
    await client.delete(file)
    return took_s, posted_s


def _forget_peak(pid: int) -> None:
    """Begin anew to keep the most that was resident, where the system can; else that of the start counts as well."""
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
