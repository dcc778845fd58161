"""Waits for the worker's verdict on a file that has just been stored."""

import asyncio

from bilten.files import list_queries, queries
from bilten.files.errors import FileInfected, FileNotFound
from bilten.files.list_queries import Row
from bilten.services import Services

#: How often the database is asked: a fraction of what a scan takes, and little work.
EVERY_S = 0.05


async def wait_for(services: Services, row: Row, seconds: float) -> Row:
    """The file as it is when it has its end, or so many seconds later.

    Raises `FileInfected` where something was found, `FileNotFound` when it was deleted meanwhile.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while row["status"] in queries.OPEN and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(EVERY_S)
        found = await list_queries.one(services.db, row["id"])
        if found is None:
            raise FileNotFound
        row = found
    if seconds and row["status"] == "infected":
        raise FileInfected
    return row
