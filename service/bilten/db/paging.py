"""Pages of a list in SQL: ordered by one column with ties broken by id, entered by offset or after the last row seen.

A list is a union of branches, each a condition that an index reads in order. Ids come first and rows are joined to
them, so that neither a deep page nor a sort ever carries whole rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from bilten.db.database import Database
from bilten.db.memory import memory_of
from bilten.db.statement import Arguments

#: Totals are exact up to here, and beyond at most `STALE_TOTAL_S` seconds old.
EXACT_TOTAL = 10_000
STALE_TOTAL_S = 60.0


@dataclass(frozen=True)
class Sort:
    """An order of a list: `column` is an SQL expression, `kind` its type, `key` the column that breaks ties."""

    name: str
    column: str
    kind: Literal["time", "number", "integer", "text"]
    descending: bool = False
    key: str = "id"

    @property
    def direction(self) -> str:
        """The SQL word for it."""
        return "desc" if self.descending else "asc"


@dataclass(frozen=True)
class Window:
    """Which rows of a list: `limit` of them, after `offset` rows or after the row with this sort value and id."""

    limit: int
    offset: int = 0
    after: tuple[Any, UUID] | None = None


@dataclass(frozen=True)
class Branch:
    """A part of a list: the rows of `source`, the text after FROM, of which `condition` holds."""

    source: str
    condition: str


@dataclass(frozen=True)
class Listing:
    """What is in a list: the rows of all branches that pass all `filters`.

    Branches must exclude each other; without one the list is empty. `values` belong to the placeholders. `walk` is an
    order in which every branch can be counted along an index.
    """

    branches: Sequence[Branch]
    filters: Sequence[str]
    values: Sequence[Any]
    walk: str

    def rows(self, columns: str) -> list[str]:
        """One select per branch."""
        return [
            f"select {columns} from {branch.source} "  # noqa: S608 no part is input
            f"where {' and '.join([branch.condition, *self.filters])}"
            for branch in self.branches
        ]

    def first(self, columns: str, limit: int) -> str:
        """SQL of the first rows, where the listing has a branch.

        They are read along an index. Left alone the planner would read the table, which ends early only where what it
        looks for is frequent.
        """
        parts = [f"{part} order by {self.walk} limit {limit}" for part in self.rows(columns)]
        if len(parts) == 1:
            return parts[0]
        return " union all ".join(f"({part})" for part in parts) + f" limit {limit}"


def page_of_ids(listing: Listing, sort: Sort, window: Window, arguments: Arguments) -> str:
    """SQL that reads the ids of a page, and one more, as `page_id` and `page_value`, in order.

    The listing has a branch, and `arguments` hold its values already.
    """
    parts = listing.rows(f"{sort.key} as page_id, {sort.column} as page_value")
    after = ""
    if window.after:
        value, key = (arguments.add(part) for part in window.after)
        after = f" and ({sort.column}, {sort.key}) {'<' if sort.descending else '>'} ({value}, {key})"
    order = f"order by page_value {sort.direction}, page_id {sort.direction}"
    # A list without values has one plan that is always right, and Postgres keeps it when it knows the limit too; behind
    # an unknown limit the plan is made anew for each search, as it must be: it depends on how rare the words are.
    end = f"limit {arguments.add(window.limit + 1) if listing.values else window.limit + 1}"
    skip = f" offset {arguments.add(window.offset)}" if window.offset else ""
    if len(parts) == 1:
        return f"{parts[0]}{after} {order} {end}{skip}"
    # Each branch may have to fill the whole page, and all the pages before it.
    reach = f"limit {arguments.add(window.limit + 1 + window.offset)}" if window.offset else end
    union = " union all ".join(f"({part}{after} {order} {reach})" for part in parts)
    return f"select page_id, page_value from ({union}) as merged {order} {end}{skip}"  # noqa: S608 no part is input


async def total(db: Database, listing: Listing) -> int:
    """How many rows the list has, on all its pages."""
    if not listing.branches:
        return 0
    everything = " union all ".join(listing.rows("1 as one"))
    exact = f"select count(*) from ({everything}) as counted"  # noqa: S608 no part is input
    remembered = (exact, *listing.values)
    memory = memory_of(db)
    # Nobody can delete half of so long a list within a minute, so that it is still beyond what has to be exact.
    if (known := memory.fresh(remembered, STALE_TOTAL_S)) is not None and known >= 2 * EXACT_TOTAL:
        return int(known)
    count: int = await db.fetchval(bounded_count(listing), *listing.values)
    if count <= EXACT_TOTAL:
        return count
    return await memory.recall(remembered, STALE_TOTAL_S, lambda: db.fetchval(exact, *listing.values))


def bounded_count(listing: Listing) -> str:
    """SQL that counts the rows, and stops one after `EXACT_TOTAL`."""
    return f"select count(*) from ({listing.first('1 as one', EXACT_TOTAL + 1)}) as counted"  # noqa: S608 no part is input
