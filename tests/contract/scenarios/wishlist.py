"""The wishlist of whoever is signed in, and the status badge of everyone."""

from collections.abc import AsyncIterator
from uuid import UUID

from contract.scenarios import refuses, succeeds
from contract.world import Reply, World


@succeeds("M POST /wishlist")
async def add(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    (event_id,) = await world.event_ids()
    for body in (
        {"eventId": event_id},
        {"eventId": event_id},
        {"event_id": event_id},
        {"eventId": 6},
        {"eventId": "7"},
    ):
        yield await world.send("POST", "/wishlist", json=body, token=token)


@refuses("NOT_FOUND", "M POST /wishlist")
async def add_what_is_not_there(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for event_id in (str(UUID(int=7)), 999999, "abc"):
        yield await world.send("POST", "/wishlist", json={"eventId": event_id}, token=token)


@succeeds("M DELETE /wishlist/:eventId")
async def remove(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    (event_id,) = await world.event_ids()
    await world.send("POST", "/wishlist", json={"eventId": event_id}, token=token)
    for removed in (event_id, event_id, "6", str(UUID(int=7))):
        yield await world.send("DELETE", f"/wishlist/{removed}", token=token)
    assert (await world.send("GET", "/wishlist", token=token)).body["data"]["events"] == []


@succeeds("M GET /wishlist")
async def wishlist(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    yield await world.send("GET", "/wishlist", query={"page": "1", "limit": "12"}, token=token)
    event_ids = await world.event_ids(3)
    for event_id in event_ids:
        await world.send("POST", "/wishlist", json={"eventId": event_id}, token=token)
    reply = await world.send("GET", "/wishlist", query={"page": "1", "limit": "12"}, token=token)
    assert {event["id"] for event in reply.body["data"]["events"]} == set(event_ids)
    yield reply
    yield await world.send("GET", "/wishlist", query={"page": "2", "limit": "2"}, token=token)


@succeeds("M GET /wishlist/check")
async def check(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    first, second = await world.event_ids(2)
    await world.send("POST", "/wishlist", json={"eventId": first}, token=token)
    for comma in (",", "%2C"):
        asked = comma.join((first, second, "6", "no-such-event"))
        reply = await world.send("GET", "/wishlist/check", query=f"eventIds={asked}", token=token)
        assert [name for name, flag in reply.body["data"]["wishlistStatus"].items() if flag] == [first]
        yield reply
    yield await world.send("GET", "/wishlist/check", query={"eventIds": first}, token=token)


@succeeds("F GET /health", "S GET /health")
async def health(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/health")
