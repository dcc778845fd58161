"""Between a list's query parameters and its SQL: which rows to read, and the cursor of those that follow."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from bilten.db.paging import Sort, Window
from bilten.web.pagination import CursorCodec, PageQuery

# What a value of the order was before the cursor made it JSON.
_PARSE: dict[str, Callable[[Any], Any]] = {
    "time": datetime.fromisoformat,
    "number": lambda value: Decimal(str(value)),
    "text": str,
}


class Pager:
    """The cursors of one list in one order."""

    def __init__(self, cursors: CursorCodec, list_name: str, sort: Sort) -> None:
        self._cursors = cursors
        self._scope = f"{list_name}:{sort.name}:{sort.direction}"
        self._sort = sort

    def window(self, query: PageQuery) -> Window:
        """What the caller asks for. Raises `ValidationFailed` when the cursor is not one of this list and order."""
        if not query.cursor:
            return Window(limit=query.limit, offset=query.offset)
        value, row_id = self._cursors.decode(self._scope, query.cursor)
        return Window(limit=query.limit, after=(_PARSE[self._sort.kind](value), UUID(row_id)))

    def split(self, rows: Sequence[asyncpg.Record], window: Window) -> tuple[Sequence[asyncpg.Record], str | None]:
        """The rows of the page, without the one that shows there are more, and the cursor of the next page."""
        if len(rows) <= window.limit:
            return rows, None
        last = rows[window.limit - 1]
        return rows[: window.limit], self._cursors.encode(self._scope, [last["page_value"], last["page_id"]])
