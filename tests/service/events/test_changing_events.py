"""`PUT` and `DELETE /events/{id}`: who may change what, and where a status may go."""

import asyncio
from typing import Any

import pytest
from fixtures.api import Api
from support.making import make_event, second_organizer, titles


async def put(api: Api, event: dict[str, Any], token: str, **changes: Any) -> Any:
    return await api.put(f"/events/{event['id']}", json=changes, token=token)


async def test_the_fields_that_are_sent_change_and_the_others_stay(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, city="Cairo", max_attendees=50)
    reply = await put(api, event, organizer, title=" Night of Oud ", venueAddress="", maxAttendees="80")
    assert reply.status == 200
    changed = reply.data["event"]
    assert (changed["title"], changed["venue_address"], changed["max_attendees"]) == ("Night of Oud", None, 80)
    moving = {"title", "venue_address", "max_attendees", "updated_at", "tickets", "available_tickets"}
    assert {name for name in event if event[name] != changed[name]} == moving


async def test_null_empties_what_may_be_empty_and_leaves_the_rest(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, city="Cairo", cover_image_url="https://example.com/a.jpg")
    reply = await put(
        api, event, organizer, city=None, cover_image_url=None, max_attendees=None, title=None, start_date=None,
        base_price=None, status=None, timezone=None, is_free=None, description=None,
    )  # fmt: skip
    changed = reply.data["event"]
    assert (changed["city"], changed["cover_image_url"], changed["max_attendees"]) == (None, None, None)
    for kept in ("title", "start_date", "base_price", "status", "timezone", "is_free", "description"):
        assert changed[kept] == event[kept]


async def test_an_empty_change_changes_nothing(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    assert (await put(api, event, organizer)).data["event"] == event
    assert (await put(api, event, organizer, title=event["title"], status="draft")).data["event"] == event
    rows = await api.db.fetch("select action from audit_log where entity_id = $1", event["id"])
    assert [row["action"] for row in rows] == ["event.create"]


async def test_a_change_is_on_the_audit_log_as_it_was_and_as_it_is(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    await put(api, event, organizer, basePrice=55)
    row = await api.db.fetchrow("select before, after from audit_log where action = 'event.change'")
    assert row
    assert (row["before"], row["after"]) == ({"base_price": "40.50"}, {"base_price": "55.00"})


@pytest.mark.parametrize(
    ("start", "steps"),
    [
        ("draft", ["completed"]), ("draft", ["cancelled"]), ("published", ["draft"]), ("completed", ["published"]),
        ("completed", ["cancelled"]), ("cancelled", ["published"]), ("cancelled", ["draft"]),
        ("cancelled", ["completed"]),
    ],
)  # fmt: skip
async def test_a_status_goes_only_where_it_leads(api: Api, start: str, steps: list[str]):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, status=start)
    reply = await put(api, event, organizer, status=steps[0], title="Not this either")
    assert (reply.status, reply.json["error"]) == (409, "INVALID_TRANSITION")
    after = (await api.get(f"/events/{event['id']}", token=organizer)).data["event"]
    assert (after["status"], after["title"]) == (start, event["title"])


async def test_the_same_status_again_is_no_change(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, status="published")
    assert (await put(api, event, organizer, status="published")).status == 200


async def test_an_unknown_status_is_refused_by_name(api: Api):
    organizer = await api.as_organizer()
    reply = await put(api, await make_event(api, organizer), organizer, status="live")
    assert (reply.status, reply.json["details"][0]["field"]) == (400, "status")


async def test_an_event_that_says_nothing_of_itself_is_not_published(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, description="")
    reply = await put(api, event, organizer, status="published")
    assert (reply.status, reply.json["error"]) == (422, "EVENT_INCOMPLETE")
    assert (await put(api, event, organizer, status="published", description="Now it does")).status == 200


async def test_of_two_who_end_an_event_differently_one_is_told(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, status="published")
    replies = await asyncio.gather(
        *(put(api, event, organizer, status=status) for status in ("completed", "cancelled"))
    )
    assert sorted(reply.status for reply in replies) == [200, 409]


async def test_others_may_not_change_or_delete_and_learn_of_no_draft(api: Api):
    organizer = await api.as_organizer()
    draft = await make_event(api, organizer)
    public = await make_event(api, organizer, status="published")
    other = await second_organizer(api)
    for event, status in ((draft, 404), (public, 403)):
        assert (await put(api, event, other, title="Mine now")).status == status
        assert (await api.delete(f"/events/{event['id']}", token=other)).status == status
        for token, refusal in ((None, 401), (await api.as_user(), 403)):
            assert (await api.put(f"/events/{event['id']}", json={"title": "x"}, token=token)).status == refusal
            assert (await api.delete(f"/events/{event['id']}", token=token)).status == refusal
        again = (await api.get(f"/events/{event['id']}", token=organizer)).data["event"]
        assert again["title"] == event["title"]


async def test_an_admin_may_change_and_delete_what_is_anothers(api: Api):
    organizer, admin = await api.as_organizer(), await api.as_admin()
    event = await make_event(api, organizer)
    assert (await put(api, event, admin, title="Corrected")).data["event"]["title"] == "Corrected"
    assert (await api.delete(f"/events/{event['id']}", token=admin)).status == 200


async def test_whose_it_is_and_what_is_counted_cannot_be_changed(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    reply = await put(
        api, event, organizer, organizer_id="550e8400-e29b-41d4-a716-446655440101", view_count=9, bookmark_count=9,
        is_featured=True, id="550e8400-e29b-41d4-a716-446655440101", legacy_id=6, created_at="2020-01-01T00:00:00Z",
    )  # fmt: skip
    assert reply.data["event"] == event


async def test_an_event_ends_after_it_starts_whichever_is_moved(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    for changes in ({"startDate": "2031-03-15T23:30"}, {"end_date": "2031-03-15T19:00:00Z"}):
        reply = await put(api, event, organizer, **changes)
        assert (reply.status, reply.json["details"][0]["field"]) == (400, "end_date")


async def test_a_local_time_is_a_time_of_the_zone_the_event_is_in_by_then(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, timezone="Africa/Cairo")
    moved = await put(api, event, organizer, startDate="2031-03-15T19:00")
    assert moved.data["event"]["start_date"] == "2031-03-15T17:00:00Z"
    both = await put(api, event, organizer, startDate="2031-03-15T15:00", timezone="Asia/Tokyo")
    assert both.data["event"]["start_date"] == "2031-03-15T06:00:00Z"
    assert both.data["event"]["end_date"] == event["end_date"]


async def test_a_free_event_takes_a_price_only_together_with_not_being_free(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, isFree=True, basePrice="")
    reply = await put(api, event, organizer, basePrice="5")
    assert (reply.status, reply.json["details"][0]["field"]) == (400, "base_price")
    paid = (await put(api, event, organizer, basePrice="5", isFree=False)).data["event"]
    assert (paid["is_free"], paid["base_price"]) == (False, 5)
    free = (await put(api, event, organizer, isFree=True)).data["event"]
    assert (free["is_free"], free["base_price"], free["tickets"][0]["price"]) == (True, 0, 0)


async def test_general_tickets_follow_the_event_until_they_have_a_price_of_their_own(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    changed = (await put(api, event, organizer, basePrice="50", currency="EUR", maxAttendees=10)).data["event"]
    (ticket,) = changed["tickets"]
    assert (ticket["price"], ticket["currency"], ticket["quantity_available"]) == (50, "EUR", 10)
    async with api.db.transaction() as tx:
        statement = "update ticket_types set price = 45, quantity = 7, currency = 'GBP' where event_id = $1"
        await tx.exec_driver_sql(statement, (event["id"],))
    changed = (await put(api, event, organizer, basePrice="60", currency="USD", maxAttendees=20)).data["event"]
    (ticket,) = changed["tickets"]
    assert (ticket["price"], ticket["currency"], ticket["quantity_available"]) == (45, "GBP", 7)


async def test_a_capacity_below_what_is_sold_is_refused(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    async with api.db.transaction() as tx:
        statement = "update ticket_types set sold = 30, reserved = 10 where event_id = $1"
        await tx.exec_driver_sql(statement, (event["id"],))
    reply = await put(api, event, organizer, maxAttendees=39, title="Smaller")
    assert (reply.status, reply.json["error"]) == (422, "CAPACITY_BELOW_SOLD")
    assert (await put(api, event, organizer, maxAttendees=40)).data["event"]["available_tickets"] == 0


async def test_what_the_databases_rules_refuse_is_an_answer_and_no_fault(api: Api, monkeypatch: pytest.MonkeyPatch):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    monkeypatch.setattr("bilten.events.actions._check_dates", lambda _: None)
    reply = await put(api, event, organizer, endDate="2020-01-01T00:00:00Z")
    assert (reply.status, reply.json["error"]) == (422, "EVENT_RULE")
    assert "ck_events" not in reply.text


async def test_a_deleted_event_is_gone_everywhere_and_kept_in_the_database(api: Api):
    organizer, user = await api.as_organizer(), await api.as_user()
    event = await make_event(api, organizer, status="published", title="Vanishing act")
    await api.post("/wishlist", json={"eventId": event["id"]}, token=user)
    reply = await api.delete(f"/events/{event['id']}", token=organizer)
    assert (reply.status, reply.json["success"]) == (200, True)
    for token in (None, organizer, await api.as_admin()):
        assert (await api.get(f"/events/{event['id']}", token=token)).status == 404
        assert titles(await api.get("/events", params={"search": "vanishing"}, token=token)) == []
    assert (await api.get("/wishlist", token=user)).data["events"] == []
    assert (await api.delete(f"/events/{event['id']}", token=organizer)).status == 404
    assert (await put(api, event, organizer, title="Back")).status == 404
    assert await api.db.fetchval("select deleted_at is not null from events where id = $1", event["id"])


@pytest.mark.parametrize("event_id", ["0", "abc", "9" * 40, "550e8400-e29b-41d4-a716-446655449999"])
async def test_changing_or_deleting_what_is_not_there_is_not_found(api: Api, event_id: str):
    organizer = await api.as_organizer()
    for reply in (
        await api.put(f"/events/{event_id}", json={"title": "x"}, token=organizer),
        await api.delete(f"/events/{event_id}", token=organizer),
    ):
        assert (reply.status, reply.json["message"]) == (404, "Event not found")


async def test_a_small_id_names_an_event_for_changes_too(api: Api):
    organizer = await api.as_organizer()
    reply = await api.put("/events/6", json={"title": "Longer Roads"}, token=organizer)
    assert (reply.status, reply.data["event"]["title"]) == (200, "Longer Roads")
