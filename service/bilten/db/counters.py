"""Views of events and articles, counted in memory and written once a second.

A write per read would make the hottest reads the slowest; a second's views are lost when the process is killed.
"""

import asyncio
from collections import Counter
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy import text

from bilten.db.database import Database
from bilten.db.errors import DatabaseUnavailable

FLUSH_EVERY_S = 1.0

Table = Literal["events", "articles"]

log = structlog.get_logger("bilten.counters")

_ADD = {
    # Ids in order: two processes flushing the same rows lock them in the same order.
    table: text(
        f"update {table} set view_count = view_count + new.n "  # noqa: S608 the names are the literals above
        "from (select * from unnest(cast(:ids as uuid[]), cast(:counts as bigint[])) as v(id, n) order by id) as new "
        f"where {table}.id = new.id"
    )
    for table in ("events", "articles")
}


class ViewCounter:
    """Collects views until `flush` writes them."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._pending: dict[Table, Counter[UUID]] = {"events": Counter(), "articles": Counter()}

    def count(self, table: Table, row: UUID) -> None:
        """Note one view."""
        self._pending[table][row] += 1

    async def flush(self) -> None:
        """Write what was counted; when the database is away, keep it for the next time."""
        for table in self._pending:
            counted, self._pending[table] = self._pending[table], Counter()
            if not counted:
                continue
            rows = sorted(counted.items())
            try:
                async with self._db.transaction() as tx:
                    await tx.execute(_ADD[table], {"ids": [str(r) for r, _ in rows], "counts": [n for _, n in rows]})
            except DatabaseUnavailable as error:
                self._pending[table].update(counted)
                log.warning("views_kept_for_later", reason=str(error), rows=len(rows))

    async def run(self) -> None:
        """Flush every second until cancelled; a fault costs that second's views, never the counting."""
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            try:
                await self.flush()
            except Exception:
                log.exception("views_lost", hint="The views of about a second were not counted.")
