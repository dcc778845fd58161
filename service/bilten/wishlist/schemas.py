"""Wishlists on the wire: what the mock answers and what the hook reads, both in each (contract §4 item 6)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bilten.events.schemas import Event
from bilten.web.answers import Answer, Wire
from bilten.web.pagination import PageQuery, Pagination
from bilten.web.spelling import Body, Path, Query

#: Most ids one call may ask for.
MAX_CHECKED = 200


class WishlistQuery(PageQuery):
    """A page of the caller's list."""


class WishlistPath(Path):
    """Names an event."""

    event_id: str = Field(description="A UUID, or the small integer that older clients know.")


class Wish(Body):
    """The event to put on the list."""

    event_id: str | int = Field(description="A UUID, or the small integer that older clients know.")


class CheckQuery(Query):
    """The events to look for."""

    event_ids: str = Field(
        "", max_length=8000, description=f"Up to {MAX_CHECKED} ids joined by commas; other texts are on no list."
    )

    @property
    def ids(self) -> list[str]:
        """The ids as they were sent, each once."""
        # Some clients encode the comma themselves, and their library once more.
        parts = self.event_ids.replace("%2C", ",").replace("%2c", ",").split(",")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


class WishlistPage(Wire):
    """One page of the events on a list, the last added first."""

    events: list[Event]
    wishlist: list[Event] = Field(description="The same as `events`.")
    pagination: Pagination


class WishlistAnswer(Answer):
    """`GET /wishlist`."""

    data: WishlistPage


class WishState(Wire):
    """Whether an event is on the list."""

    eventId: str
    isInWishlist: bool


class WishAnswer(Answer):
    """After putting an event on the list, or taking it off."""

    message: str
    data: WishState


class WishlistCheck(BaseModel):
    """Each asked id and whether it is on the list: in `wishlistStatus`, and once more directly."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, bool]

    wishlistStatus: dict[str, bool]

    @classmethod
    def of(cls, found: dict[str, bool]) -> "WishlistCheck":
        """Both forms of one answer."""
        values: dict[str, Any] = {**found, "wishlistStatus": found}
        return cls.model_validate(values)


class WishlistCheckAnswer(Answer):
    """`GET /wishlist/check`."""

    data: WishlistCheck
