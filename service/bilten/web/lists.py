"""Between a list's query parameters and its SQL: which rows to read, and how the page they make is described."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from bilten.db.paging import Sort, Window
from bilten.web.pagination import CursorCodec, PageQuery, Pagination, pagination

# What a value of the order was before the cursor made it JSON.
_PARSE: dict[str, Callable[[Any], Any]] = {
    "time": datetime.fromisoformat,
    "number": lambda value: Decimal(str(value)),
    "integer": int,
    "text": str,
}


class Pager:
    """One request for a page of a list in one order."""

    def __init__(self, cursors: CursorCodec, list_name: str, sort: Sort, query: PageQuery) -> None:
        """Raises `ValidationFailed` when the cursor is not one of this list and order."""
        self._cursors = cursors
        self._scope = f"{list_name}:{sort.name}:{sort.direction}"
        self._query = query
        if query.cursor:
            value, row_id = cursors.decode(self._scope, query.cursor)
            self.window = Window(limit=query.limit, after=(_PARSE[sort.kind](value), UUID(row_id)))
        else:
            self.window = Window(limit=query.limit, offset=query.offset)

    async def describe(
        self, rows: Sequence[asyncpg.Record], total: Callable[[], Awaitable[int]]
    ) -> tuple[Sequence[asyncpg.Record], Pagination]:
        """The rows of the page, without the one that shows there are more, and its numbers.

        `total` is asked only when the page does not show the end of the list.
        """
        window, next_cursor = self.window, None
        if more := len(rows) > window.limit:
            rows = rows[: window.limit]
            next_cursor = self._cursors.encode(self._scope, [rows[-1]["page_value"], rows[-1]["page_id"]])
        ends_here = not more and not window.after and (bool(rows) or not window.offset)
        count = window.offset + len(rows) if ends_here else await total()
        return rows, pagination(self._query, total=count, next_cursor=next_cursor)
