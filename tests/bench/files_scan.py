"""The row of scans: verdicts on files through the worker's scanner, against the bare protocol straight from memory."""

import asyncio
import os
import socket
import statistics
import struct
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
from bench.files_stage import FilesStage
from bench.table import Row
from bilten.files.scan import pieces
from bilten.scanning.clamd import Address, ClamdScanner
from support.house import letter

#: As many at once as a worker has jobs, and clamd is asked by default.
AT_ONCE = 8
FILES, SIZE, ROUNDS = 100, 1_000_000, 7
_PIECE = 256 * 1024
_MIB = 1024 * 1024

#: From one verdict's time to another's: documents, as nothing is made of them that would be another row.
_RATE = """
select (count(*) - 1) / extract(epoch from max(scanned_at) - min(scanned_at)) from file_versions
where file_id = any($1) and status = 'clean'
"""


async def measure(row: Row, stage: FilesStage) -> None:
    """Both take turns on the same bytes, one way per thread of work; then the whole job of a real worker."""
    contents = [letter(os.urandom(SIZE - 400)) for _ in range(FILES)]
    path = stage.scanner.socket
    scanner = ClamdScanner(Address(path), max_bytes=100 * _MIB, concurrency=AT_ONCE, timeout_s=60)
    ours, bare = [], []
    with tempfile.TemporaryDirectory(dir=stage.folder) as folder, ThreadPoolExecutor(AT_ONCE) as threads:
        files = [Path(folder) / str(number) for number in range(FILES)]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        for number in range(ROUNDS + 1):
            by_us, barely = await _ours(scanner, files), await asyncio.to_thread(_bare, path, contents, threads)
            if number:  # the first shows both the way
                ours.append(by_us)
                bare.append(barely)
    ratio = statistics.median(ours) / statistics.median(bare)
    row.figure, row.reached = f"{ratio:.2f}", ratio >= 0.8
    row.notes.append(f"files of {SIZE / 1e6:g} MB, {AT_ONCE} at once, {FILES} in each of {ROUNDS} rounds")
    row.notes.append(f"from files: {_listed(ours)}; bare, from memory: {_listed(bare)}")
    rate = await _whole_job(stage, contents)
    row.notes.append(f"the whole job, from the outbox to the media bucket and back: {rate:.1f} documents a second")


def _listed(rates: list[float]) -> str:
    return f"median {statistics.median(rates):.0f} a second ({min(rates):.0f} to {max(rates):.0f})"


async def _ours(scanner: ClamdScanner, files: list[Path]) -> float:
    """Verdicts a second."""

    async def one(path: Path) -> str:
        return (await scanner.scan(pieces(path))).word

    began = time.monotonic()
    words = set(await asyncio.gather(*map(one, files)))
    took_s = time.monotonic() - began
    _only_clean(words, "clean")
    return len(files) / took_s


def _bare(path: Path, contents: list[bytes], threads: ThreadPoolExecutor) -> float:
    """Verdicts a second."""
    began = time.monotonic()
    replies = set(threads.map(lambda content: _instream(path, content), contents))
    took_s = time.monotonic() - began
    _only_clean(replies, "stream: OK")
    return len(contents) / took_s


def _instream(path: Path, content: bytes) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(b"zINSTREAM\0")
        for piece in _pieces(content):
            connection.sendall(struct.pack("!I", len(piece)))
            connection.sendall(piece)
        connection.sendall(bytes(4))
        return connection.recv(4096).rstrip(b"\0").decode()


def _pieces(content: bytes) -> Iterator[memoryview]:
    whole = memoryview(content)
    return (whole[at : at + _PIECE] for at in range(0, len(whole), _PIECE))


def _only_clean(words: set[str], clean: str) -> None:
    if words != {clean}:
        raise RuntimeError(f"clamd gave other verdicts than {clean!r}: {sorted(words)}")


async def _whole_job(stage: FilesStage, contents: list[bytes]) -> float:
    async with stage.client() as client:
        files = [await client.upload(content, "letter.pdf", "application/pdf") for content in contents]
        with stage.working():
            for file in files:
                await client.ended(file)
            await stage.idle()
    connection = await asyncpg.connect(stage.database_url)
    try:
        return float(await connection.fetchval(_RATE, [file["id"] for file in files]))
    finally:
        await connection.close()
