"""Events: lists, search, one of them, and what an organizer does."""

import uuid
from collections.abc import AsyncIterator

from contract.scenarios import refuses, succeeds
from contract.world import NEW_EVENT, PAGE_EVENT, VOID_TOKENS, Reply, World

#: Nothing has these ids; none of them may be anything but "not found" (contract §1.5).
NO_EVENT = (str(uuid.UUID(int=7)), "999999", "0", "-1", "1.5", "abc", "live-event-test-001", "%20", "9" * 40)


@succeeds("M GET /events")
async def events(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/events")
    yield await world.send("GET", "/events", query={"page": "2", "limit": "3"})
    yield await world.send("GET", "/events", query={"limit": "100"})
    yield await world.send("GET", "/events", query={"category": "all", "status": "published", "search": "e"})
    yield await world.send("GET", "/events", query={"location": "cairo", "unknown": "ignored"})
    for choice in ("today", "tomorrow", "this-week", "this-month", "next-month"):
        yield await world.send("GET", "/events", query={"dateRange": choice})
    for choice in ("free", "0-25", "25-50", "50-100", "100+"):
        yield await world.send("GET", "/events", query={"priceRange": choice})
    for key in ("date", "price", "name", "no such key"):
        for order in ("asc", "desc"):
            yield await world.send("GET", "/events", query={"sortBy": key, "sortOrder": order})
    for token in VOID_TOKENS:
        yield await world.send("GET", "/events", token=token)
    organizer = await world.person("organizer")
    await world.event(organizer)
    yield await world.send("GET", "/events", token=organizer.token)


@succeeds("S GET /events")
async def events_for_the_scanner(world: World) -> AsyncIterator[Reply]:
    reply = await world.send("GET", "/events", query={"status": "published", "limit": "100"})
    starts = [event["start_date"] for event in reply.body["data"]["events"]]
    assert starts == sorted(starts)
    yield reply


@succeeds("F GET /api/events")
async def events_for_the_newest_frontend(world: World) -> AsyncIterator[Reply]:
    page = {"page": "1", "limit": "20"}
    yield await world.send("GET", "/events", query=page)
    for words in ({"q": "a"}, {"search": "a"}, {"category": "music"}, {"city": "Cairo", "country": "Egypt"}):
        yield await world.send("GET", "/events", query=page | words)
    for choice in ({"is_free": "true"}, {"is_featured": "true"}, {"price_min": "10", "price_max": "90.5"}):
        yield await world.send("GET", "/events", query=page | choice)
    days = {"start_date": "2025-01-01", "end_date": "2035-12-31", "status": "published"}
    for key in ("start_date", "base_price", "popularity_score", "created_at", "title"):
        for order in ("asc", "desc"):
            yield await world.send("GET", "/events", query=page | days | {"sort_by": key, "sort_order": order})


@succeeds("M GET /events/:id", "F GET /events/:id", "F GET /api/events/:id")
async def event(world: World) -> AsyncIterator[Reply]:
    for event_id in await world.event_ids(3):
        reply = await world.send("GET", f"/events/{event_id}")
        assert reply.body["data"]["event"]["id"] == event_id
        yield reply
    # The mock's ids: five UUIDs and the integers 6 to 25.
    for event_id in ("550e8400-e29b-41d4-a716-446655440101", "6", "25"):
        yield await world.send("GET", f"/events/{event_id}")
    organizer = await world.person("organizer")
    yield await world.send("GET", f"/events/{await world.event(organizer)}", token=organizer.token)


@refuses("NOT_FOUND", "M GET /events/:id", "F GET /api/events/:id")
async def no_event(world: World) -> AsyncIterator[Reply]:
    for event_id in NO_EVENT:
        yield await world.send("GET", f"/events/{event_id}")
    yield await world.send("GET", f"/events/{await world.event(await world.person('organizer'))}")


@succeeds("M POST /events")
async def create_event(world: World) -> AsyncIterator[Reply]:
    organizer = await world.person("organizer")
    yield await world.send("POST", "/events", json=NEW_EVENT, token=organizer.token)
    reply = await world.send(
        "POST", "/events", json=NEW_EVENT | {"is_free": True, "base_price": 0}, token=organizer.token
    )
    assert reply.body["data"]["event"]["is_free"] is True
    yield reply
    yield await world.send("POST", "/events", json=PAGE_EVENT, token=organizer.token)
    free = PAGE_EVENT | {"isFree": True, "basePrice": "", "maxAttendees": ""}
    yield await world.send("POST", "/events", json=free, token=organizer.token)
    yield await world.send("POST", "/events", json=PAGE_EVENT, token=await world.admin())


@refuses("VALIDATION_ERROR", "M POST /events")
async def create_event_wrongly(world: World) -> AsyncIterator[Reply]:
    token = (await world.person("organizer")).token
    yield await world.send("POST", "/events", json={}, token=token)
    for wrong in (
        {"title": ""},
        {"start_date": "tomorrow"},
        {"end_date": "2031-04-30T17:00:00Z"},
        {"max_attendees": "many"},
        {"base_price": -1},
        {"timezone": "Cairo"},
        {"description": None},
    ):
        yield await world.send("POST", "/events", json=NEW_EVENT | wrong, token=token)


@succeeds("F PUT /events/:id")
async def change_event(world: World) -> AsyncIterator[Reply]:
    organizer = await world.person("organizer")
    event_id = await world.event(organizer)
    for change in ({"title": "Another title"}, {"venueName": "Another hall"}, {"status": "published"}):
        reply = await world.send("PUT", f"/events/{event_id}", json=change, token=organizer.token)
        changed = reply.body["data"]["event"]
        assert next(iter(change.values())) in (changed["title"], changed["venue_name"], changed["status"])
        yield reply
    yield await world.send("PUT", f"/events/{event_id}", json={"base_price": 80}, token=await world.admin())


@refuses("NOT_FOUND", "F PUT /events/:id")
async def change_no_event(world: World) -> AsyncIterator[Reply]:
    token = (await world.person("organizer")).token
    for event_id in NO_EVENT:
        yield await world.send("PUT", f"/events/{event_id}", json={"title": "x"}, token=token)


@succeeds("F DELETE /events/:id")
async def delete_event(world: World) -> AsyncIterator[Reply]:
    organizer = await world.person("organizer")
    event_id = await world.event(organizer)
    yield await world.send("DELETE", f"/events/{event_id}", token=organizer.token)
    assert (await world.send("GET", f"/events/{event_id}", token=organizer.token)).status == 404


@refuses("NOT_FOUND", "F DELETE /events/:id")
async def delete_no_event(world: World) -> AsyncIterator[Reply]:
    organizer = await world.person("organizer")
    for event_id in NO_EVENT:
        yield await world.send("DELETE", f"/events/{event_id}", token=organizer.token)


@succeeds("F GET /api/events/search/autocomplete")
async def autocomplete(world: World) -> AsyncIterator[Reply]:
    for words in ("a", "mu", "Cairo"):
        reply = await world.send("GET", "/events/search/autocomplete", query={"q": words, "limit": "8"})
        assert len(reply.body["data"]["suggestions"]) <= 8
        yield reply
    yield await world.send("GET", "/events/search/autocomplete")


@succeeds("F GET /api/events/search/filters")
async def filters(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/events/search/filters")


@succeeds("F GET /api/events/search/trending")
async def trending(world: World) -> AsyncIterator[Reply]:
    reply = await world.send("GET", "/events/search/trending", query={"limit": "12"})
    assert len(reply.body["data"]["events"]) <= 12
    yield reply
