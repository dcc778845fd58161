"""Waits for the worker's verdict on a file that has just been stored."""

import asyncio
from uuid import UUID

from bilten.files import list_queries, queries
from bilten.files.errors import FileInfected, FileNotFound
from bilten.files.list_queries import Row
from bilten.services import Services

#: How often the database is asked: a fraction of what a scan takes, and little work.
EVERY_S = 0.05


async def wait_for(services: Services, file_id: UUID, seconds: float) -> Row:
    """The file as it is when it has its end, or so many seconds later.

    Raises `FileInfected` where something was found, `FileNotFound` when it was deleted meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        file = await list_queries.one(services.db, file_id)
        if file is None:
            raise FileNotFound
        if seconds and file["status"] == "infected":
            raise FileInfected
        if file["status"] not in queries.OPEN or asyncio.get_running_loop().time() >= deadline:
            return file
        await asyncio.sleep(EVERY_S)
