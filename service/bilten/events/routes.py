"""The calls about events: the list, one event, and what its organizer does with it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bilten.context import Principal
from bilten.db.paging import total
from bilten.events import actions, queries, search_queries
from bilten.events.bodies import EventChange, EventPath, NewEvent
from bilten.events.errors import (
    CapacityBelowSold,
    EventIncomplete,
    EventNotFound,
    InvalidTransition,
    NotYourEvent,
    RuleBroken,
)
from bilten.events.filters import EventsQuery
from bilten.events.queries import Row
from bilten.events.schemas import (
    Aggregations,
    CategoryCount,
    Event,
    EventAnswer,
    EventData,
    EventDetail,
    EventDetailAnswer,
    EventsAnswer,
    EventsPage,
    LocationCount,
    PriceRangeCount,
    SearchMetadata,
)
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint
from bilten.web.lists import Pager


@endpoint("GET", "/events", summary="List events", auth="optional", tier="M")
async def list_events(services: Services, query: EventsQuery, principal: Principal | None) -> EventsAnswer:
    """What is published, and for signed-in callers what they own; admins see all. Deleted events are nowhere."""
    started = time.perf_counter()
    sort = query.sort
    pager = Pager(services.cursors, "events", sort, query)
    listed = queries.listing(query, principal, datetime.now(UTC).date())
    found = await queries.page(services.db, listed, sort, pager.window)
    rows, pagination = await pager.describe(found, lambda: total(services.db, listed))
    searched: dict[str, SearchMetadata | Aggregations] = {}
    if text := query.text:
        searched["aggregations"] = _aggregations(await search_queries.aggregations(services.db, listed))
        took = round((time.perf_counter() - started) * 1000)
        searched["search_metadata"] = SearchMetadata(query=text, took=took)
    events = [Event.of(row, principal) for row in rows]
    return EventsAnswer(data=EventsPage(events=events, pagination=pagination, **searched))


def _aggregations(rows: Sequence[Row]) -> Aggregations:
    facets: dict[str, list[Row]] = {"category": [], "location": [], "price": []}
    for row in rows:
        facets[row["facet"]].append(row)
    return Aggregations(
        categories=[CategoryCount(category=row["name"], count=row["count"]) for row in facets["category"]],
        locations=[
            LocationCount(city=row["name"], country=row["country"], count=row["count"]) for row in facets["location"]
        ],
        priceRanges=[PriceRangeCount(range=row["name"], count=row["count"]) for row in facets["price"]],
    )


@endpoint("GET", "/events/{event_id}", summary="One event", auth="optional", tier="M", errors=[EventNotFound()])
async def get_event(services: Services, path: EventPath, principal: Principal | None) -> EventDetailAnswer:
    """Another's draft is not found. Each read counts as a view."""
    event = Event.of(await actions.look_at(services, principal, path.event_id), principal)
    return EventDetailAnswer(
        data=EventDetail(event=event, tickets=event.tickets),
        event=event,
        title=event.title,
        description=event.description,
        ticketTypes=event.tickets,
    )


@endpoint(
    "POST",
    "/events",
    summary="Make a draft",
    auth="organizer",
    tier="M",
    status=201,
    creates=True,
    errors=[RuleBroken()],
)
async def create_event(services: Services, body: NewEvent, principal: Principal) -> EventAnswer:
    """A draft of the caller's, with general tickets at its price: as many as `max_attendees`, else 100."""
    event = Event.of(await actions.create(services, principal, body), principal)
    return EventAnswer(message="Event created", data=EventData(event=event))


@endpoint(
    "PUT",
    "/events/{event_id}",
    summary="Change an event",
    auth="organizer",
    tier="F",
    errors=[
        EventNotFound(),
        NotYourEvent(),
        InvalidTransition(),
        EventIncomplete(),
        CapacityBelowSold(),
        RuleBroken(),
    ],
)
async def update_event(
    services: Services, path: EventPath, body: EventChange, principal: Principal, if_match: str | None
) -> EventAnswer:
    """Changes the fields that are sent. `status` moves the event along; the status it has already is no change."""
    event = Event.of(await actions.change(services, principal, path.event_id, body, if_match), principal)
    return EventAnswer(message="Event updated", data=EventData(event=event))


@endpoint(
    "DELETE",
    "/events/{event_id}",
    summary="Delete an event",
    auth="organizer",
    tier="F",
    errors=[EventNotFound(), NotYourEvent()],
)
async def delete_event(
    services: Services, path: EventPath, principal: Principal, if_match: str | None
) -> MessageAnswer:
    """The event is gone for everyone; what was sold for it is kept."""
    await actions.remove(services, principal, path.event_id, if_match)
    return MessageAnswer(message="Event deleted")
