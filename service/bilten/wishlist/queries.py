"""How wishlists are read and written. What is on one is shown as events are."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import Principal
from bilten.db.database import Database
from bilten.db.paging import Branch, Listing, Sort, Window, page_of_ids
from bilten.db.statement import Arguments
from bilten.events.queries import COLUMNS, JOINS
from bilten.events.tables import events
from bilten.web.references import Reference
from bilten.wishlist.tables import wishlist_items

NEWEST = Sort("added", "w.created_at", "time", descending=True, key="w.event_id")

_SOURCE = "wishlist_items w join events e on e.id = w.event_id"

#: The ids of the asked events that are on the list, under both names of each.
CHECK = """
select w.event_id, e.legacy_id from wishlist_items w join events e on e.id = w.event_id
where w.user_id = $1 and w.event_id = any($2::uuid[]) and e.deleted_at is null
union all
select w.event_id, e.legacy_id from events e join wishlist_items w on w.event_id = e.id
where w.user_id = $1 and e.legacy_id = any($3::int[]) and e.deleted_at is null
"""


def listing(owner: Principal) -> Listing:
    """The events on one's list that one may still see: a draft is its organizer's."""
    arguments = Arguments()
    mine = f"w.user_id = {arguments.add(owner.user_id)}"
    visible = ["e.deleted_at is null"]
    if owner.role != "admin":
        visible.append(f"(e.status <> 'draft' or e.organizer_id = {arguments.add(owner.user_id)})")
    return Listing([Branch(_SOURCE, mine)], visible, arguments.values, walk="w.created_at")


def page_statement(listed: Listing, window: Window) -> tuple[str, list[object]]:
    """The SQL of a page of full rows and its values; one row more than the window's limit shows that there are more."""
    arguments = Arguments(listed.values)
    page = page_of_ids(listed, NEWEST, window, arguments)
    statement = (
        f"select {COLUMNS}, page.page_id, page.page_value from ({page}) as page "  # noqa: S608 no part is input
        f"join events e on e.id = page.page_id {JOINS} order by page.page_value desc, page.page_id desc"
    )
    return statement, arguments.values


async def page(db: Database, listed: Listing, window: Window) -> Sequence[asyncpg.Record]:
    """The rows of a page, and one more when there are more."""
    statement, values = page_statement(listed, window)
    return await db.fetch(statement, *values)


async def listed_among(db: Database, user_id: UUID, references: Sequence[Reference]) -> set[Reference]:
    """Which of these events are on the list, by every id they have."""
    ids = [reference for reference in references if isinstance(reference, UUID)]
    legacy_ids = [reference for reference in references if not isinstance(reference, UUID)]
    rows = await db.fetch(CHECK, user_id, ids, legacy_ids)
    return {reference for row in rows for reference in (row["event_id"], row["legacy_id"]) if reference is not None}


async def event_named(tx: AsyncConnection, reference: Reference) -> RowMapping | None:
    """What decides whether an event may be put on a list."""
    named = (events.c.id if isinstance(reference, UUID) else events.c.legacy_id) == reference
    statement = select(events.c.id, events.c.status, events.c.organizer_id).where(named, events.c.deleted_at.is_(None))
    return (await tx.execute(statement)).mappings().one_or_none()


async def add(tx: AsyncConnection, user_id: UUID, event_id: UUID) -> bool:
    """Put an event on a list; False when it was there."""
    statement = insert(wishlist_items).values(user_id=user_id, event_id=event_id).on_conflict_do_nothing()
    return bool((await tx.execute(statement)).rowcount)


async def remove(tx: AsyncConnection, user_id: UUID, reference: Reference) -> UUID | None:
    """Take an event off a list and return its id; None when it was not there."""
    mine = wishlist_items.c.user_id == user_id
    if isinstance(reference, UUID):
        named = wishlist_items.c.event_id == reference
    else:
        named = wishlist_items.c.event_id.in_(select(events.c.id).where(events.c.legacy_id == reference))
    statement = delete(wishlist_items).where(mine, named).returning(wishlist_items.c.event_id)
    removed: UUID | None = await tx.scalar(statement)
    return removed


async def count_bookmark(tx: AsyncConnection, event_id: UUID, change: int) -> None:
    """Move the number of lists an event is on."""
    statement = update(events).where(events.c.id == event_id)
    await tx.execute(statement.values(bookmark_count=events.c.bookmark_count + change))
