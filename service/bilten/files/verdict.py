"""Waits for the worker's verdict on files that have just been stored.

However many calls wait in this process, the database is asked about all of their files at once.
"""

import asyncio
from uuid import UUID
from weakref import WeakKeyDictionary

from bilten.db.database import Database
from bilten.files import list_queries, queries
from bilten.files.errors import FileInfected, FileNotFound
from bilten.files.list_queries import Row
from bilten.services import Services

#: How often the database is asked: a fraction of what a scan takes, and little work.
EVERY_S = 0.05
_OPEN = "select id from files where id = any($1::uuid[]) and status = any($2::text[])"


class _Watch:
    """The files that calls of one process wait for; a task asks for them as long as there are any."""

    def __init__(self) -> None:
        self._ended: dict[asyncio.Future[None], UUID] = {}
        self._asking: asyncio.Task[None] | None = None

    async def until_ended(self, db: Database, file_id: UUID, seconds: float) -> None:
        """Return when the file has its end, or so many seconds later. Raises what the database raises."""
        ended = asyncio.get_running_loop().create_future()
        self._ended[ended] = file_id
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(db))
        try:
            await asyncio.wait_for(ended, seconds)
        except TimeoutError:
            pass
        finally:
            del self._ended[ended]

    async def _ask(self, db: Database) -> None:
        while self._ended:
            ids = set(self._ended.values())
            try:
                still_open = {row["id"] for row in await db.fetch(_OPEN, list(ids), list(queries.OPEN))}
            except Exception as problem:  # noqa: BLE001 each of those who wait is told
                for ended in self._ended:
                    if not ended.done():
                        ended.set_exception(problem)
                return
            for ended, file_id in self._ended.items():
                if file_id in ids - still_open and not ended.done():
                    ended.set_result(None)
            await asyncio.sleep(EVERY_S)


_WATCHES: WeakKeyDictionary[Database, _Watch] = WeakKeyDictionary()


async def wait_for(services: Services, file_id: UUID, seconds: float) -> Row:
    """The file as it is when it has its end, or so many seconds later.

    Raises `FileInfected` where something was found, `FileNotFound` when it was deleted meanwhile.
    """
    if seconds:
        watch = _WATCHES.setdefault(services.db, _Watch())
        await watch.until_ended(services.db, file_id, seconds)
    file = await list_queries.one(services.db, file_id)
    if file is None:
        raise FileNotFound
    if seconds and file["status"] == "infected":
        raise FileInfected
    return file
