"""Where what is uploaded waits until it has been looked at: files of this process alone, within a budget of bytes.

A file is hashed while it is written, away from the event loop, and is gone when the request ends, however it ends. What
a killed process leaves is swept by the next one that starts: each process holds a lock in its own folder as long as it
lives.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import structlog

from bilten.telemetry.metrics import METRICS
from bilten.web.errors import ServiceUnavailable, TooManyRequests

log = structlog.get_logger("bilten.spool")

PREFIX = "bilten-spool-"
_LOCK = "lock"
#: What one hop to a thread writes and hashes, and by how much a reservation without a known size grows, in bytes.
STEP = 1024 * 1024
#: Threads that write; more would only queue at the disk.
THREADS = 4


class SpoolFull(ServiceUnavailable):
    """503: no room for another upload now."""

    code = "UPLOADS_BUSY"
    message = "The server has no room for another upload right now. Try again in a moment."


class TooManyUploads(TooManyRequests):
    """429: one user's uploads must not leave the others without room, or without anybody who looks at theirs."""

    message = "As many of your uploads are under way as may be at a time. Try again when one of them has ended."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class SpooledFile:
    """One file while it is received, then whole. Its bytes are those of `sha256` (hex) once `finish` has returned."""

    def __init__(self, room: "Room", path: Path, pool: ThreadPoolExecutor) -> None:
        self.path = path
        self.size = 0
        self.sha256 = ""
        self._room = room
        self._pool = pool
        self._pending = bytearray()
        self._hash = hashlib.sha256()
        self._fd: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # A request that is given up closes the file while a thread may still be writing into it.
        self._lock = threading.Lock()

    async def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises `SpoolFull` when neither the budget nor the disk has room for them."""
        self._room.take(len(chunk))
        self.size += len(chunk)
        self._pending += chunk
        if len(self._pending) >= STEP:
            await self._flush()

    async def finish(self) -> None:
        """Write what is left. Raises `SpoolFull` when the disk is full."""
        await self._flush()
        self.sha256 = self._hash.hexdigest()
        self._close()

    async def _flush(self) -> None:
        pending, self._pending = self._pending, bytearray()
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._store, pending)
        except OSError as error:
            log.warning("spool_not_written", reason=error.strerror)
            raise SpoolFull from None

    def _store(self, data: bytearray) -> None:
        with self._lock, memoryview(data) as rest:
            self._hash.update(rest)
            written = 0
            while self._fd is not None and written < len(rest):
                written += os.write(self._fd, rest[written:])

    def _close(self) -> None:
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
            self._fd = None

    def discard(self) -> None:
        """Close and unlink; waits for a write that is under way."""
        self._close()
        self.path.unlink(missing_ok=True)


class Room:
    """The files of one request, and the bytes reserved for them."""

    def __init__(self, spool: "Spool") -> None:
        self._spool = spool
        self._files: list[SpooledFile] = []
        self._reserved = 0
        self._used = 0

    def reserve(self, size: int) -> None:
        """Hold so many bytes of the budget from now on. Raises `SpoolFull`."""
        more = size - self._reserved
        if more > 0:
            self._spool.reserve(more)
            self._reserved = size

    def take(self, size: int) -> None:
        """Count bytes that arrived, and reserve more when they are more than was said."""
        self._used += size
        if self._used > self._reserved:
            self.reserve(self._used + STEP)

    def file(self) -> SpooledFile:
        """A new empty file. Raises `SpoolFull` when the disk does not take one."""
        try:
            file = SpooledFile(self, self._spool.new_path(), self._spool.pool)
        except OSError as error:
            log.warning("spool_not_written", reason=error.strerror)
            raise SpoolFull from None
        self._files.append(file)
        return file

    async def release(self) -> None:
        """Unlink the files and give the bytes back; also when the request is being cancelled. Again does nothing."""
        files, self._files = self._files, []
        reserved, self._reserved = self._reserved, 0
        self._used = 0
        unlinking = [asyncio.get_running_loop().run_in_executor(self._spool.pool, file.discard) for file in files]
        try:
            # A thread that has begun goes on, whether or not anybody waits for it.
            await asyncio.shield(asyncio.gather(*unlinking))
        finally:
            self._spool.give_back(reserved)


class Spool:
    """The rooms of one process, in a folder that only it can read."""

    def __init__(self, parent: Path | None, budget: int, *, rooms_each: int | None = None) -> None:
        """`parent` holds the folder of each process, the system's temporary one if None; `budget` is in bytes.

        `rooms_each` is how many rooms one user may have at a time, any number if None.
        """
        self._parent = parent or Path(tempfile.gettempdir())
        self._budget = budget
        self._rooms_each = rooms_each
        self._rooms: Counter[UUID] = Counter()
        self._reserved = 0
        self._count = 0
        self._folder: Path | None = None
        self._lock: int | None = None
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="spool")

    async def open(self) -> None:
        """Make the folder of this process, and sweep those of processes that were killed."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._parent.mkdir(parents=True, exist_ok=True)
        swept = sum(_sweep(folder) for folder in self._parent.glob(f"{PREFIX}*"))
        if swept:
            log.info("spool_swept", folders=swept)
        while self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
            lock = _hold(folder)
            # Another process that starts now may have taken it for a dead one's before it was locked.
            if lock is not None and (folder / _LOCK).exists():
                self._folder, self._lock = folder, lock
            elif lock is not None:
                os.close(lock)

    async def close(self) -> None:
        """Remove everything. Requests are over by now."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.pool.shutdown(wait=True)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._folder = self._lock = None

    @contextlib.asynccontextmanager
    async def room(self, size: int | None = None, *, user_id: UUID | None = None) -> AsyncIterator[Room]:
        """Room for files of `size` bytes together, as far as that is known; empty again when the block ends.

        Raises at once `SpoolFull` when that is more than the budget has left, and `TooManyUploads` when this user has
        as many rooms already as may be; to the block's end, however early its files are released.
        """
        with self._one_more_of(user_id) if user_id else contextlib.nullcontext():
            room = Room(self)
            room.reserve(STEP if size is None else size)
            try:
                yield room
            finally:
                await room.release()

    @contextlib.contextmanager
    def _one_more_of(self, user_id: UUID) -> Iterator[None]:
        if self._rooms_each is not None and self._rooms[user_id] >= self._rooms_each:
            raise TooManyUploads
        self._rooms[user_id] += 1
        try:
            yield
        finally:
            self._rooms[user_id] -= 1
            if not self._rooms[user_id]:
                del self._rooms[user_id]

    @property
    def reserved(self) -> int:
        """Bytes of the budget that are held."""
        return self._reserved

    def reserve(self, size: int) -> None:
        """Hold more of the budget. Raises `SpoolFull`."""
        if self._reserved + size > self._budget:
            raise SpoolFull
        self._reserved += size
        METRICS.spool_bytes.set(self._reserved)

    def give_back(self, size: int) -> None:
        """Hold less of the budget."""
        self._reserved -= size
        METRICS.spool_bytes.set(self._reserved)

    @property
    def folder(self) -> Path:
        """That of this process, while the spool is open."""
        if self._folder is None:
            raise RuntimeError("The spool is not open")
        return self._folder

    def new_path(self) -> Path:
        """A name that no other file of this process has had."""
        self._count += 1
        return self.folder / f"{self._count}"


def _hold(folder: Path) -> int | None:
    """The lock of a folder, held until it is closed; None when a living process holds it, or the folder is gone."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _sweep(folder: Path) -> bool:
    """Remove the folder of a process that lives no more; what others put in a folder for all is not ours to touch."""
    try:
        found = folder.lstat()
    except FileNotFoundError:  # another process has just ended, or swept
        return False
    lock = _hold(folder) if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() else None
    if lock is None:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
    return True
