"""What may happen to a wishlist; an event's number of bookmarks moves in the same transaction.

Not audited: what somebody likes is nobody's business for longer than they want it.
"""

from bilten.context import Principal
from bilten.events.actions import may_see, named
from bilten.events.errors import EventNotFound
from bilten.services import Services
from bilten.web import references
from bilten.wishlist import queries


async def add(services: Services, owner: Principal, event_id: str) -> None:
    """Put an event on the list; again is no error. Raises `EventNotFound` for another's draft, too."""
    reference = named(event_id)
    async with services.db.transaction() as tx:
        event = await queries.event_named(tx, reference)
        if event is None or not may_see(event, owner):
            raise EventNotFound
        if await queries.add(tx, owner.user_id, event["id"]):
            await queries.count_bookmark(tx, event["id"], +1)


async def remove(services: Services, owner: Principal, event_id: str) -> None:
    """Take an event off the list; what is not there is no error."""
    reference = references.parse(event_id)
    if reference is None:
        return
    async with services.db.transaction() as tx:
        if removed := await queries.remove(tx, owner.user_id, reference):
            await queries.count_bookmark(tx, removed, -1)


async def check(services: Services, owner: Principal, ids: list[str]) -> dict[str, bool]:
    """Each id as it was sent, and whether that event is on the list."""
    parsed = {sent: references.parse(sent) for sent in ids}
    asked = [reference for reference in parsed.values() if reference is not None]
    listed = await queries.listed_among(services.db, owner.user_id, asked)
    return {sent: reference in listed for sent, reference in parsed.items()}
