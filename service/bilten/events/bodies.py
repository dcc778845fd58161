"""What is sent to make or change an event. Whose it is, its counters and what editors decide are no fields of it."""

from decimal import Decimal

from pydantic import Field

from bilten.events.fields import (
    Address,
    Amount,
    Attendees,
    Category,
    Currency,
    Description,
    Moment,
    Place,
    TimeZone,
    Title,
    Venue,
)
from bilten.events.schemas import Status
from bilten.web.spelling import Body, Path
from bilten.web.text import ImageUrl


class EventPath(Path):
    """Names an event by its UUID, or by the small integer that older clients know."""

    event_id: str = Field(description="A UUID, or the small integer that older clients know.")


class NewEvent(Body):
    """A new event. It becomes a draft, whatever else is sent."""

    title: Title
    description: Description = ""
    category: Category
    venue_name: Venue
    venue_address: Address | None = None
    city: Place | None = None
    country: Place | None = None
    start_date: Moment
    end_date: Moment
    timezone: TimeZone | None = None
    max_attendees: Attendees = None
    is_free: bool | None = None
    base_price: Amount = None
    currency: Currency = "USD"
    cover_image_url: ImageUrl | None = None

    @property
    def free(self) -> bool:
        """Whether the event costs nothing; when nobody says so, the price does."""
        return not self.base_price if self.is_free is None else self.is_free

    @property
    def price(self) -> Decimal:
        """What it costs; nothing when it is free."""
        return Decimal(0) if self.free else self.base_price or Decimal(0)


class EventChange(Body):
    """Changes the fields that are sent and leaves the others; null empties those that may be empty."""

    title: Title | None = None
    description: Description | None = None
    category: Category | None = None
    venue_name: Venue | None = None
    venue_address: Address | None = None
    city: Place | None = None
    country: Place | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    timezone: TimeZone | None = None
    max_attendees: Attendees = None
    is_free: bool | None = None
    base_price: Amount = None
    currency: Currency | None = None
    cover_image_url: ImageUrl | None = None
    status: Status | None = Field(None, description="draft → published → completed or cancelled.")
