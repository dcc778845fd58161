"""How events are written: one statement a function, inside a transaction of `actions`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.events.queries import ONE_BY_ID
from bilten.events.tables import events, ticket_types
from bilten.web.references import Reference

#: The kind of ticket every event begins with; its price and number follow the event's until somebody sets them apart.
GENERAL = "general"
GENERAL_NAME = "General Admission"


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
