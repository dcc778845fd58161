"""Suggestions, filters and trending events of the newest frontend's search box."""

from fixtures.api import Api
from support.making import make_event


async def suggestions(api: Api, **params: str) -> list[dict[str, object]]:
    reply = await api.get("/events/search/autocomplete", params=params)
    assert reply.status == 200
    found: list[dict[str, object]] = reply.data["suggestions"]
    return found


async def test_what_is_typed_suggests_categories_places_and_titles(api: Api):
    organizer = await api.as_organizer()
    await make_event(api, organizer, status="published", title="Oslo by night", category="Oslo-pop", city="Oslo")
    await make_event(api, organizer, title="Oslo draft", category="Oslo-secret", city="Oslotown")
    await make_event(api, organizer, status="published", title="Elsewhere", description="oslo", category="Oslo-pop")
    assert await suggestions(api, q="OSL") == [
        {"text": "Oslo-pop", "type": "category", "count": 2},
        {"text": "Oslo", "type": "location", "count": 1},
        {"text": "Oslo by night", "type": "event"},
    ]


async def test_suggestions_are_bounded_and_leave_room_for_events(api: Api):
    organizer = await api.as_organizer()
    for number in range(5):
        await make_event(
            api,
            organizer,
            status="published",
            title=f"Zebra {number}",
            category=f"zebra-{number}",
            city=f"Zebra {number}",
        )
    kinds = [line["type"] for line in await suggestions(api, q="zebra", limit="4")]
    assert kinds == ["category", "category", "event", "event"]
    assert len(await suggestions(api, q="e", limit="1000000000")) == 20


async def test_nothing_typed_suggests_nothing(api: Api):
    assert await suggestions(api) == await suggestions(api, q="  ") == await suggestions(api, q="%") == []


async def test_the_filters_count_what_is_published(api: Api):
    await make_event(api, await api.as_organizer(), category="concealed", city="Nowhere")
    data = (await api.get("/events/search/filters")).data
    events = (await api.get("/events", params={"limit": "100"})).data["events"]
    for row in data["categories"]:
        assert row["count"] == sum(event["category"] == row["category"] for event in events)
    assert {row["city"] for row in data["locations"]} == {event["city"] for event in events}
    for row in data["locations"]:
        assert row["count"] == sum(
            (event["city"], event["country"]) == (row["city"], row["country"]) for event in events
        )
    assert sum(row["count"] for row in data["categories"]) == len(events)
    assert [row["range"] for row in data["price_ranges"]] == ["free", "0-25", "25-50", "50-100", "100+"]
    assert all(row["label"] for row in data["price_ranges"] + data["date_ranges"])
    for row in data["price_ranges"]:
        assert (await api.get("/events", params={"priceRange": row["range"]})).status == 200


async def test_what_is_on_wishlists_and_looked_at_trends(api: Api):
    events = (await api.get("/events", params={"limit": "100"})).data["events"]
    looked_at, wished_for = events[3]["id"], events[7]["id"]
    await api.post("/wishlist", json={"eventId": wished_for}, token=await api.as_user())
    for _ in range(3):
        await api.get(f"/events/{looked_at}")
    await api.services.views.flush()
    trending = (await api.get("/events/search/trending", params={"limit": "2"})).data["events"]
    assert [event["id"] for event in trending] == [wished_for, looked_at]
    assert trending[1].keys() == events[0].keys()


async def test_the_words_of_the_search_box_are_no_event_ids(api: Api):
    assert (await api.get("/events/search")).status == 404
    for word in ("autocomplete", "filters", "trending"):
        assert (await api.get(f"//api/events/search/{word}")).status == 200
