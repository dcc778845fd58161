"""What may happen to an event, and when. One transaction each, with its audit row."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.queries import record
from bilten.audit.values import plain
from bilten.context import Principal
from bilten.db.errors import violated_constraint
from bilten.events import queries
from bilten.events.bodies import EventChange, NewEvent
from bilten.events.errors import (
    CapacityBelowSold,
    EventIncomplete,
    EventNotFound,
    InvalidTransition,
    NotYourEvent,
    RuleBroken,
    wrong,
)
from bilten.events.fields import in_utc
from bilten.events.queries import Row
from bilten.files import references as references_to_files
from bilten.services import Services
from bilten.web import etags, references
from bilten.web.references import Reference

#: General tickets of an event that names no capacity, as in the frontends' mock.
DEFAULT_TICKETS = 100

TRANSITIONS = {("draft", "published"), ("published", "completed"), ("published", "cancelled")}

# Of a change, null empties these; for all others it says nothing.
_MAY_BE_EMPTY = {"venue_address", "city", "country", "max_attendees", "cover_image_url"}


def named(event_id: str) -> Reference:
    """The event a path names. Raises `EventNotFound` for what can name none."""
    reference = references.parse(event_id)
    if reference is None:
        raise EventNotFound
    return reference


def may_see(event: Mapping[str, Any] | Row, viewer: Principal | None) -> bool:
    """A draft is its owner's and the admins'; everything else may be known to all."""
    return event["status"] != "draft" or (viewer is not None and _manages(event, viewer))


def _manages(event: Mapping[str, Any] | Row, principal: Principal) -> bool:
    return principal.role == "admin" or bool(event["organizer_id"] == principal.user_id)


async def look_at(services: Services, viewer: Principal | None, event_id: str) -> Row:
    """One event, whose view is counted. Raises `EventNotFound`."""
    event = await queries.one(services.db, named(event_id))
    if event is None or not may_see(event, viewer):
        raise EventNotFound
    services.views.count("events", event["id"])
    return event


async def create(services: Services, organizer: Principal, body: NewEvent) -> Row:
    """A new draft with its general tickets. Raises `ValidationFailed` when it ends before it starts."""
    zone = body.timezone or services.settings.default_time_zone
    values = body.model_dump(exclude={"is_free", "base_price"}) | {
        "organizer_id": organizer.user_id,
        "timezone": zone,
        "start_date": _instant("start_date", body.start_date, zone),
        "end_date": _instant("end_date", body.end_date, zone),
        "is_free": body.free,
        "base_price": body.price,
    }
    _check_dates(values)
    async with services.db.transaction() as tx:
        with _rules():
            event_id = await queries.add(tx, values, tickets=body.max_attendees or DEFAULT_TICKETS)
        await references_to_files.show(tx, services, organizer, body.cover_image_url, "cover", event_id=event_id)
        await record(
            tx,
            actor_id=organizer.user_id,
            action="event.create",
            entity="event",
            entity_id=event_id,
            after=plain(values),
        )
        return await queries.shown(tx, event_id)


async def change(
    services: Services, principal: Principal, event_id: str, body: EventChange, if_match: str | None
) -> Row:
    """Change what was sent. Raises `EventNotFound`, `NotYourEvent`, `PreconditionFailed` and the rules' refusals."""
    async with services.db.transaction() as tx:
        event = await _lock_own(tx, principal, event_id, if_match)
        changes = _changes(event, body)
        _check_dates({**event, **changes})
        _check_status(event, changes)
        if changes:
            with _rules():
                await queries.change(tx, event["id"], changes)
                await _let_tickets_follow(tx, event, changes)
            if "cover_image_url" in changes:
                url = changes["cover_image_url"]
                await references_to_files.show(
                    tx, services, principal, url, "cover", owner_id=event["organizer_id"], event_id=event["id"]
                )
            await record(
                tx,
                actor_id=principal.user_id,
                action="event.change_status" if "status" in changes else "event.change",
                entity="event",
                entity_id=event["id"],
                before=plain({name: event[name] for name in changes}),
                after=plain(changes),
            )
        return await queries.shown(tx, event["id"])


async def remove(services: Services, principal: Principal, event_id: str, if_match: str | None) -> None:
    """Hide the event from everyone. Raises `EventNotFound`, `NotYourEvent`, `PreconditionFailed`."""
    async with services.db.transaction() as tx:
        event = await _lock_own(tx, principal, event_id, if_match)
        await queries.remove(tx, event["id"])
        await references_to_files.show(tx, services, principal, None, "cover", event_id=event["id"])
        await record(
            tx,
            actor_id=principal.user_id,
            action="event.delete",
            entity="event",
            entity_id=event["id"],
            before={"status": event["status"]},
        )


async def _lock_own(tx: AsyncConnection, principal: Principal, event_id: str, if_match: str | None) -> RowMapping:
    event = await queries.lock(tx, named(event_id))
    if event is None or not may_see(event, principal):
        raise EventNotFound
    if not _manages(event, principal):
        raise NotYourEvent
    etags.require_match(if_match, event["updated_at"])
    return event


def _instant(field: str, moment: datetime, zone: str) -> datetime:
    try:
        return in_utc(moment, zone)
    except OverflowError:
        raise wrong(field, "date_out_of_range", "Send a year between 1 and 9999") from None


def _changes(event: RowMapping, body: EventChange) -> dict[str, Any]:
    """The columns that get another value."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = {name: value for name, value in sent.items() if value is not None or name in _MAY_BE_EMPTY}
    zone = wanted.get("timezone", event["timezone"])
    for name in ("start_date", "end_date"):
        if name in wanted:
            wanted[name] = _instant(name, wanted[name], zone)
    if wanted.get("is_free"):
        wanted["base_price"] = Decimal(0)
    elif event["is_free"] and "is_free" not in wanted and wanted.get("base_price"):
        raise wrong("base_price", "free_event", "The event is free. Send is_free: false with the price.")
    return {name: value for name, value in wanted.items() if value != event[name]}


def _check_dates(event: Mapping[str, Any]) -> None:
    if event["end_date"] <= event["start_date"]:
        raise wrong("end_date", "ends_before_start", "Let the event end after it starts")


def _check_status(event: RowMapping, changes: Mapping[str, Any]) -> None:
    status = changes.get("status")
    if status is None:
        return
    if (event["status"], status) not in TRANSITIONS:
        raise InvalidTransition
    if status == "published" and not changes.get("description", event["description"]):
        raise EventIncomplete


async def _let_tickets_follow(tx: AsyncConnection, event: RowMapping, changes: Mapping[str, Any]) -> None:
    """General tickets keep the event's price, currency and capacity, unless they were given their own."""
    if not changes.keys() & {"base_price", "currency", "max_attendees"}:
        return
    tickets = await queries.lock_general_tickets(tx, event["id"])
    if tickets is None:
        return
    follow: dict[str, Any] = {}
    if "base_price" in changes and tickets["price"] == event["base_price"]:
        follow["price"] = changes["base_price"]
    if "currency" in changes and tickets["currency"] == event["currency"]:
        follow["currency"] = changes["currency"]
    if "max_attendees" in changes and tickets["quantity"] == (event["max_attendees"] or DEFAULT_TICKETS):
        follow["quantity"] = changes["max_attendees"] or DEFAULT_TICKETS
        if follow["quantity"] < tickets["sold"] + tickets["reserved"]:
            raise CapacityBelowSold
    if follow:
        await queries.change_tickets(tx, tickets["id"], follow)


@contextmanager
def _rules() -> Iterator[None]:
    """The database's own rules are the last wall: what they refuse is an answer and not a fault."""
    try:
        yield
    except IntegrityError as error:
        if violated_constraint(error) is None:
            raise
        raise RuleBroken from None
