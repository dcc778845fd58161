"""Events on the wire: the mock's sixteen fields, and what other pages read beside them (contract §1.10)."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import Field

from bilten.context import Principal
from bilten.events.queries import Row
from bilten.web import etags
from bilten.web.answers import Answer, Wire
from bilten.web.pagination import Pagination

_COUNTERS = {"view_count", "bookmark_count", "registration_count", "attendee_count"}

Status = Literal["draft", "published", "cancelled", "completed"]


class TicketType(Wire):
    """A kind of ticket that an event offers."""

    id: UUID
    event_id: UUID
    name: str
    description: str | None
    price: float
    currency: str
    quantity_available: int
    is_active: bool


class Event(Wire):
    """An event. Times are UTC; `timezone` is where it happens."""

    id: UUID
    title: str
    description: str
    category: str
    venue_name: str
    venue_address: str | None
    city: str | None
    country: str | None
    start_date: datetime
    end_date: datetime
    timezone: str
    max_attendees: int | None
    is_free: bool
    base_price: float
    currency: str
    status: Status
    is_featured: bool
    cover_image_url: str | None
    view_count: int
    bookmark_count: int
    registration_count: int
    organizer_id: UUID
    organizer_first_name: str
    organizer_last_name: str
    organizer_verified: bool
    organizer_email: str | None = Field(
        None, exclude_if=lambda email: email is None, description="Only for the organizer and for admins."
    )
    created_at: datetime
    updated_at: datetime
    date: datetime = Field(description="The same as `start_date`.")
    location: str = Field(description="The same as `venue_name`.")
    price: float = Field(description="The same as `base_price`.")
    featured_image_url: str | None = Field(description="The same as `cover_image_url`.")
    attendee_count: int = Field(description="The same as `registration_count`.")
    organizer_name: str
    available_tickets: int = Field(description="Tickets on sale now that are neither sold nor reserved.")
    tickets: list[TicketType] = Field(description="The kinds on sale now, cheapest first.")

    @classmethod
    def of(cls, row: Row, viewer: Principal | None) -> Self:
        """The event of a row with the columns of `queries.COLUMNS`, as this viewer may see it."""
        values: dict[str, Any] = dict(row)
        if viewer is None or (viewer.role != "admin" and viewer.user_id != row["organizer_id"]):
            del values["organizer_email"]
        values |= {
            "date": row["start_date"],
            "location": row["venue_name"],
            "price": row["base_price"],
            "featured_image_url": row["cover_image_url"],
            "attendee_count": row["registration_count"],
            "organizer_name": f"{row['organizer_first_name']} {row['organizer_last_name']}".strip(),
            "tickets": orjson.loads(row["tickets"]),
        }
        return cls.model_validate(values)

    def etag(self) -> str:
        """The tag of an answer that shows this event: views and other counters do not change it."""
        return etags.tag(self.updated_at, self.model_dump_json(exclude=_COUNTERS).encode())


class SearchMetadata(Wire):
    """What was searched for, and how long that took, in milliseconds."""

    query: str
    took: int


class CategoryCount(Wire):
    """A category and how many events it has."""

    category: str
    count: int


class LocationCount(Wire):
    """A city and how many events it has."""

    city: str
    country: str | None
    count: int


class PriceRangeCount(Wire):
    """A range of prices and how many events are in it."""

    range: str
    count: int


class Aggregations(Wire):
    """How the first 10,000 matches of a search divide."""

    categories: list[CategoryCount]
    locations: list[LocationCount]
    priceRanges: list[PriceRangeCount]


class EventsPage(Wire):
    """One page of events."""

    events: list[Event]
    pagination: Pagination
    search_metadata: SearchMetadata | None = Field(
        None, exclude_if=lambda value: value is None, description="With a search."
    )
    aggregations: Aggregations | None = Field(
        None, exclude_if=lambda value: value is None, description="With a search."
    )


class EventsAnswer(Answer):
    """`GET /events`."""

    data: EventsPage


class EventDetail(Wire):
    """An event and its kinds of tickets."""

    event: Event
    tickets: list[TicketType]


class EventDetailAnswer(Answer):
    """`GET /events/{event_id}`: the mock's shape, and beside it what two later frontends read at the top level."""

    data: EventDetail
    event: Event
    title: str
    description: str
    ticketTypes: list[TicketType]

    def etag(self) -> str:
        """The event's."""
        return self.event.etag()


class EventData(Wire):
    """One event."""

    event: Event


class EventAnswer(Answer):
    """An event after a change."""

    message: str
    data: EventData

    def etag(self) -> str:
        """The event's."""
        return self.data.event.etag()
