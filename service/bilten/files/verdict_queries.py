"""What scanners said of bytes: the last words of each kind, however often they are asked."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files import queries

#: Verdicts of one word on the same bytes. Workers whose signatures differ need as many as there are different sets.
KEPT = 4

# By way of an array and in one order, so that workers side by side do not wait for each other.
_FORGET = text("""
    delete from file_verdicts where id = any(array(
        select id from file_verdicts where sha256 = :sha256 and word = :word order by at desc, id offset :kept
        for update skip locked
    ))
""")


async def note(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Write a verdict down, and forget those before it of the same word but for the last few."""
    await queries.add_verdict(tx, values)
    await tx.execute(_FORGET, {"sha256": values["sha256"], "word": values["word"], "kept": KEPT})
