"""The calls about the caller's own wishlist."""

from bilten.context import Principal
from bilten.db.paging import total
from bilten.events.errors import EventNotFound
from bilten.events.schemas import Event
from bilten.services import Services
from bilten.web.endpoint import endpoint
from bilten.web.errors import ValidationFailed
from bilten.web.lists import Pager
from bilten.wishlist import actions, queries
from bilten.wishlist.schemas import (
    MAX_CHECKED,
    CheckQuery,
    Wish,
    WishAnswer,
    WishlistAnswer,
    WishlistCheck,
    WishlistCheckAnswer,
    WishlistPage,
    WishlistPath,
    WishlistQuery,
    WishState,
)


@endpoint("GET", "/wishlist", summary="The events on the caller's list", auth="user", tier="M")
async def get_wishlist(services: Services, query: WishlistQuery, principal: Principal) -> WishlistAnswer:
    """The last added first."""
    pager = Pager(services.cursors, "wishlist", queries.NEWEST, query)
    listed = queries.listing(principal)
    found = await queries.page(services.db, listed, pager.window)
    rows, pagination = await pager.describe(found, lambda: total(services.db, listed))
    events = [Event.of(row, principal) for row in rows]
    return WishlistAnswer(data=WishlistPage(events=events, wishlist=events, pagination=pagination))


@endpoint(
    "POST", "/wishlist", summary="Put an event on the list", auth="user", tier="M", creates=True,
    errors=[EventNotFound()],
)  # fmt: skip
async def add_to_wishlist(services: Services, body: Wish, principal: Principal) -> WishAnswer:
    """Adding it again succeeds, too."""
    await actions.add(services, principal, str(body.event_id))
    return WishAnswer(message="Event added to wishlist", data=WishState(eventId=str(body.event_id), isInWishlist=True))


@endpoint("DELETE", "/wishlist/{event_id}", summary="Take an event off the list", auth="user", tier="M")
async def remove_from_wishlist(services: Services, path: WishlistPath, principal: Principal) -> WishAnswer:
    """Taking off what is not there succeeds, too."""
    await actions.remove(services, principal, path.event_id)
    return WishAnswer(message="Event removed from wishlist", data=WishState(eventId=path.event_id, isInWishlist=False))


@endpoint("GET", "/wishlist/check", summary="Which of these events are on the list", auth="user", tier="M")
async def check_wishlist(services: Services, query: CheckQuery, principal: Principal) -> WishlistCheckAnswer:
    """Ids that exist nowhere are false."""
    ids = query.ids
    if len(ids) > MAX_CHECKED:
        raise ValidationFailed(
            details=[{"field": "eventIds", "code": "too_many", "message": f"Ask for at most {MAX_CHECKED} ids at once"}]
        )
    return WishlistCheckAnswer(data=WishlistCheck.of(await actions.check(services, principal, ids)))
