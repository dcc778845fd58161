"""How events are read and written. Reads are on asyncpg, in SQL that indexes answer; writes are one statement a
function, inside a transaction of `actions`."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import Principal
from bilten.db.database import Database
from bilten.db.paging import Branch, Listing, Sort, Window, page_of_ids
from bilten.db.statement import Arguments
from bilten.db.text_search import containing_all
from bilten.events.filters import FREE, PRICE_RANGES, EventsQuery, days_of, midnight
from bilten.events.tables import STATUSES, events, ticket_types
from bilten.web.references import Reference
from bilten.web.text import chosen

Row = asyncpg.Record | RowMapping

#: The kind of ticket every event begins with; its price and number follow the event's until somebody sets them apart.
GENERAL = "general"
GENERAL_NAME = "General Admission"

_SOURCE = "events e"
_STORED = ", ".join(events.c.keys())

#: What an event shows; `JOINS` bring it to any select that calls its events `e`. Tickets whose sale is over or has not
#: begun are not offered: frontends take the first of the list for the price to pay.
COLUMNS = """
e.id, e.title, e.description, e.category, e.venue_name, e.venue_address, e.city, e.country, e.start_date, e.end_date,
e.timezone, e.max_attendees, e.is_free, e.base_price, e.currency, e.status, e.is_featured, e.cover_image_url,
e.view_count, e.bookmark_count, e.registration_count, e.organizer_id, e.created_at, e.updated_at,
coalesce(e.organizer_display_first_name, organizer.first_name) as organizer_first_name,
case when e.organizer_display_first_name is null then organizer.last_name
     else coalesce(e.organizer_display_last_name, '') end as organizer_last_name,
organizer.is_verified as organizer_verified, organizer.email as organizer_email,
offered.tickets, offered.available_tickets
"""
JOINS = """
join users organizer on organizer.id = e.organizer_id
cross join lateral (
  select
    coalesce(
      json_agg(
        json_build_object(
          'id', t.id, 'event_id', t.event_id, 'name', t.name, 'description', t.description, 'price', t.price,
          'currency', t.currency, 'quantity_available', t.quantity - t.sold - t.reserved, 'is_active', t.is_active
        )
        order by t.price, t.position, t.id
      ),
      '[]'
    )::text as tickets,
    coalesce(sum(t.quantity - t.sold - t.reserved), 0) as available_tickets
  from ticket_types t
  where t.event_id = e.id and t.is_active and tstzrange(t.sales_start, t.sales_end) @> now()
) offered
"""

_ONE = f"select {COLUMNS} from {_SOURCE} {JOINS} where e.deleted_at is null and "  # noqa: S608 no input
ONE_BY_ID = _ONE + "e.id = $1"
ONE_BY_LEGACY_ID = _ONE + "e.legacy_id = $1"


async def one(db: Database, reference: Reference) -> asyncpg.Record | None:
    """The event with this id, whatever its status."""
    return await db.fetchrow(ONE_BY_ID if isinstance(reference, UUID) else ONE_BY_LEGACY_ID, reference)


def listing(query: EventsQuery, viewer: Principal | None, today: date) -> Listing:
    """The events that match and that the viewer may see; `today` is the day the words of `date_range` count from."""
    arguments = Arguments()
    branches = _visible(chosen(query.status), viewer, arguments)
    prices = _price_filters(query, arguments)
    filters = ["e.deleted_at is null", *prices, *_filters(query, today, arguments)]
    return Listing(branches, filters, arguments.values, walk="e.base_price" if prices else "e.start_date")


def _visible(status: str | None, viewer: Principal | None, arguments: Arguments) -> list[Branch]:
    """The published, one's own, or for an admin all: each branch is one ordered run of an index."""
    asked = [known for known in STATUSES if status is None or known == status.lower()]
    if viewer is not None and viewer.role == "admin":
        return [Branch(_SOURCE, f"e.status = '{known}'") for known in asked]
    branches = [Branch(_SOURCE, "e.status = 'published'")] if "published" in asked else []
    private = ", ".join(f"'{known}'" for known in asked if known != "published")
    if viewer is not None and private:
        # `offset 0`: the few events of one owner are found by their owner first, whatever else is asked of them.
        owner = arguments.add(viewer.user_id)
        mine = f"(select {_STORED} from events where organizer_id = {owner} offset 0) e"  # noqa: S608 no input
        branches.append(Branch(mine, f"e.status in ({private})"))
    return branches


def _filters(query: EventsQuery, today: date, arguments: Arguments) -> list[str]:
    filters = [
        f"lower(e.{column}) = lower({arguments.add(value)})"
        for column in ("category", "city", "country")
        if (value := chosen(getattr(query, column)))
    ]
    for column, text in (("search_text", query.text), ("location_text", chosen(query.location))):
        if text:
            filters += containing_all(f"e.{column}", text, arguments)
    if query.is_free is False:
        filters.append("not e.is_free")
    if query.is_featured is not None:
        filters.append("e.is_featured" if query.is_featured else "not e.is_featured")
    return filters + _date_filters(query, today, arguments)


def _date_filters(query: EventsQuery, today: date, arguments: Arguments) -> list[str]:
    first: date | None = query.start_date
    last: date | None = query.end_date
    filters = [f"e.start_date >= {arguments.add(midnight(first))}"] if first else []
    if last and last < date.max:
        filters.append(f"e.start_date < {arguments.add(midnight(last + timedelta(days=1)))}")
    if days := days_of((query.date_range or "").strip().lower(), today):
        since, until = (arguments.add(midnight(day)) for day in days)
        filters.append(f"e.start_date >= {since} and e.start_date < {until}")
    return filters


def _price_filters(query: EventsQuery, arguments: Arguments) -> list[str]:
    filters: list[str] = []
    if query.price_min is not None:
        filters.append(f"e.base_price >= {arguments.add(query.price_min)}")
    if query.price_max is not None:
        filters.append(f"e.base_price <= {arguments.add(query.price_max)}")
    word = (query.price_range or "").strip().lower()
    if word in PRICE_RANGES:
        lowest, too_high = PRICE_RANGES[word]
        filters.append(f"e.base_price >= {lowest}" + (f" and e.base_price < {too_high}" if too_high else ""))
    elif word == FREE:
        filters.append("e.base_price = 0")
    if query.is_free:
        # That what is free costs nothing is a rule of the table; said here, the index on the price knows it too.
        filters.append("e.is_free and e.base_price = 0")
    return filters


def page_statement(listed: Listing, sort: Sort, window: Window) -> tuple[str, list[object]]:
    """The SQL of a page of full rows and its values; one row more than the window's limit shows that there are more."""
    arguments = Arguments(listed.values)
    page = page_of_ids(listed, sort, window, arguments)
    order = f"order by page.page_value {sort.direction}, page.page_id {sort.direction}"
    statement = (
        f"select {COLUMNS}, page.page_id, page.page_value "  # noqa: S608 no part is input
        f"from ({page}) as page join events e on e.id = page.page_id {JOINS} {order}"
    )
    return statement, arguments.values


async def page(db: Database, listed: Listing, sort: Sort, window: Window) -> Sequence[asyncpg.Record]:
    """The rows of a page, and one more when there are more."""
    if not listed.branches:
        return []
    statement, values = page_statement(listed, sort, window)
    return await db.fetch(statement, *values)


def _named(reference: Reference) -> Any:
    return (events.c.id if isinstance(reference, UUID) else events.c.legacy_id) == reference


async def lock(tx: AsyncConnection, reference: Reference) -> RowMapping | None:
    """The stored event, locked until the transaction ends; None when there is none."""
    statement = select(events).where(_named(reference), events.c.deleted_at.is_(None)).with_for_update()
    return (await tx.execute(statement)).mappings().one_or_none()


async def shown(tx: AsyncConnection, event_id: UUID) -> RowMapping:
    """The event with the columns of a read, as this transaction has left it."""
    return (await tx.exec_driver_sql(ONE_BY_ID, (event_id,))).mappings().one()


async def add(tx: AsyncConnection, values: Mapping[str, Any], *, tickets: int) -> UUID:
    """A new event with so many general tickets at its price."""
    event_id: UUID = await tx.scalar(insert(events).values(**values).returning(events.c.id))
    await tx.execute(
        insert(ticket_types).values(
            event_id=event_id,
            code=GENERAL,
            name=GENERAL_NAME,
            price=values["base_price"],
            currency=values["currency"],
            quantity=tickets,
        )
    )
    return event_id


async def change(tx: AsyncConnection, event_id: UUID, values: Mapping[str, Any]) -> None:
    """Set these columns."""
    await tx.execute(update(events).where(events.c.id == event_id).values(**values))


async def remove(tx: AsyncConnection, event_id: UUID) -> None:
    """Hide the event from everyone; what refers to it stays."""
    await tx.execute(update(events).where(events.c.id == event_id).values(deleted_at=func.now()))


async def lock_general_tickets(tx: AsyncConnection, event_id: UUID) -> RowMapping | None:
    """The kind of ticket the event began with, locked; None when it was removed."""
    statement = select(ticket_types).where(
        ticket_types.c.event_id == event_id, ticket_types.c.code == GENERAL, ticket_types.c.is_active
    )
    return (await tx.execute(statement.with_for_update())).mappings().first()


async def change_tickets(tx: AsyncConnection, ticket_type_id: UUID, values: Mapping[str, Any]) -> None:
    """Set these columns of a kind of ticket."""
    await tx.execute(update(ticket_types).where(ticket_types.c.id == ticket_type_id).values(**values))
