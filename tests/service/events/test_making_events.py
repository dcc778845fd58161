"""`POST /events`: a draft out of what a form sends."""

import json
from typing import Any

import pytest
from fixtures.api import Api, StartApi
from support.making import FORM, make_event

SNAKE = {
    "title": "Evening of Oud",
    "description": "Three players, no amplifiers.",
    "category": "classical",
    "venue_name": "The Courtyard",
    "venue_address": "3 Lamp Street",
    "start_date": "2031-03-15T20:00:00Z",
    "end_date": "2031-03-15T23:30:00+00:00",
    "max_attendees": 120,
    "is_free": False,
    "base_price": 40.5,
}


@pytest.mark.parametrize("body", [FORM, SNAKE], ids=["the page's camelCase and text", "snake_case and numbers"])
async def test_both_spellings_make_the_same_draft(api: Api, body: dict[str, Any]):
    reply = await api.post("/events", json=body | {"status": "published"}, token=await api.as_organizer())
    assert (reply.status, reply.json["success"]) == (201, True)
    event = reply.data["event"]
    expected = SNAKE | {"end_date": "2031-03-15T23:30:00Z", "status": "draft"}
    assert {name: event[name] for name in expected} == expected
    assert (event["organizer_first_name"], event["organizer_last_name"]) == ("Mariam", "Nabil")
    (ticket,) = event["tickets"]
    assert (ticket["name"], ticket["price"], ticket["quantity_available"]) == ("General Admission", 40.5, 120)
    again = await api.get(f"/events/{event['id']}", token=await api.as_organizer())
    assert again.data["event"] == event


async def test_empty_texts_for_numbers_are_no_numbers(api: Api):
    event = await make_event(api, await api.as_organizer(), maxAttendees="", basePrice="", isFree=True)
    assert (event["max_attendees"], event["base_price"], event["is_free"]) == (None, 0, True)
    assert event["tickets"][0]["quantity_available"] == 100


async def test_what_is_free_costs_nothing_whatever_price_is_left_in_the_form(api: Api):
    event = await make_event(api, await api.as_organizer(), isFree=True, basePrice="99")
    assert (event["is_free"], event["base_price"], event["tickets"][0]["price"]) == (True, 0, 0)


async def test_without_word_of_it_the_price_says_whether_an_event_is_free(api: Api):
    body = {name: value for name, value in FORM.items() if name != "isFree"}
    for price, free in (("12", False), ("", True), (0, True)):
        reply = await api.post("/events", json=body | {"basePrice": price}, token=await api.as_organizer())
        assert reply.data["event"]["is_free"] is free


async def test_local_times_are_times_of_the_events_zone(api: Api):
    organizer = await api.as_organizer()
    cairo = await make_event(api, organizer, timezone="Africa/Cairo", endDate="2031-03-15T21:30:00Z")
    assert (cairo["start_date"], cairo["end_date"]) == ("2031-03-15T18:00:00Z", "2031-03-15T21:30:00Z")
    assert cairo["timezone"] == "Africa/Cairo"
    summer = await make_event(
        api, organizer, timezone="Europe/Berlin", startDate="2031-07-15T20:00", endDate="2031-07-15T22:00:30.5"
    )
    assert (summer["start_date"], summer["end_date"]) == ("2031-07-15T18:00:00Z", "2031-07-15T20:00:30.500000Z")


async def test_an_event_that_names_no_zone_is_in_the_deployments(start_api: StartApi):
    api = await start_api(default_time_zone="Africa/Cairo")
    event = await make_event(api, await api.as_organizer())
    assert (event["timezone"], event["start_date"]) == ("Africa/Cairo", "2031-03-15T18:00:00Z")


async def test_amounts_are_rounded_to_cents(api: Api):
    for sent, kept in (("12.345", 12.35), (0.1, 0.1), (19.999, 20), ("999999999.99", 999999999.99)):
        assert (await make_event(api, await api.as_organizer(), basePrice=sent))["base_price"] == kept


async def test_nobody_can_give_an_event_away_or_count_its_views(api: Api):
    other = await api.get("/auth/me", token=await api.as_admin())
    event = await make_event(
        api, await api.as_organizer(), organizer_id=other.json["data"]["user"]["id"], view_count=999, bookmarkCount=999,
        isFeatured=True, id="550e8400-e29b-41d4-a716-446655440101", legacy_id=7, deleted_at="2020-01-01T00:00:00Z",
        created_at="2020-01-01T00:00:00Z", organizer_verified=False, available_tickets=5,
    )  # fmt: skip
    assert event["organizer_email"] == "organizer@bilten.com"
    assert (event["view_count"], event["bookmark_count"], event["is_featured"]) == (0, 0, False)
    assert event["id"] != "550e8400-e29b-41d4-a716-446655440101"
    assert not event["created_at"].startswith("2020")


async def test_only_organizers_and_admins_make_events(api: Api):
    assert (await api.post("/events", json=FORM)).status == 401
    reply = await api.post("/events", json=FORM, token=await api.as_user())
    assert (reply.status, reply.json["message"]) == (403, "Organizer access required")
    assert (await api.post("/events", json=FORM, token=await api.as_admin())).status == 201


WRONG: list[tuple[str, Any]] = [
    ("title", ""), ("title", "   "), ("title", None), ("title", 5), ("title", "x" * 256), ("title", ["a"]),
    ("description", "x" * 20_001), ("category", ""), ("category", "x" * 101), ("venueName", "\t"),
    ("venueName", "x" * 256), ("venueAddress", "x" * 1001), ("city", "x" * 101), ("country", 7),
    ("startDate", ""), ("startDate", None), ("startDate", 1_700_000_000), ("startDate", "2031-02-30T10:00"),
    ("startDate", "tomorrow"), ("startDate", "2031-03-15"), ("startDate", "2031-03-15T25:00"),
    ("startDate", "0001-01-01T00:00:00+14:00"), ("endDate", "9999-12-31T23:59:59-14:00"),
    ("endDate", "2031-03-15T20:00"), ("endDate", "2031-03-15T19:59"), ("timezone", "Mars/Olympus"),
    ("timezone", "../../etc/passwd"), ("timezone", ""), ("maxAttendees", 0), ("maxAttendees", -5),
    ("maxAttendees", "-5"), ("maxAttendees", "1.5"), ("maxAttendees", 1.5), ("maxAttendees", True),
    ("maxAttendees", 10**40), ("maxAttendees", "9" * 50), ("maxAttendees", 10_000_001), ("maxAttendees", "abc"),
    ("basePrice", -1), ("basePrice", "-1"), ("basePrice", 1e300), ("basePrice", 10**12), ("basePrice", "1e3"),
    ("basePrice", True), ("basePrice", []), ("basePrice", "9" * 400), ("isFree", "yes"), ("isFree", 1),
    ("currency", "usd"), ("currency", "EURO"), ("cover_image_url", "javascript:alert(1)"),
    ("cover_image_url", "data:text/html,x"), ("cover_image_url", "https://x/" + "y" * 2000),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), WRONG, ids=[f"{name}-{str(value)[:20]}" for name, value in WRONG])
async def test_a_wrong_field_is_refused_by_name_and_its_value_not_repeated(api: Api, field: str, value: Any):
    reply = await api.post("/events", json=FORM | {field: value}, token=await api.as_organizer())
    assert (reply.status, reply.json["error"], reply.json["message"]) == (400, "VALIDATION_ERROR", "Invalid input data")
    (named,) = {detail["field"].split(".")[0] for detail in reply.json["details"]}
    assert named in (field, {"startDate": "start_date", "endDate": "end_date"}.get(field))
    assert all(detail["message"] and detail["code"] for detail in reply.json["details"])
    if len(str(value)) >= 10:  # shorter ones may be words of the message
        assert str(value)[:60] not in json.dumps(reply.json["details"])


async def test_every_missing_field_is_named_at_once(api: Api):
    reply = await api.post("/events", json={}, token=await api.as_organizer())
    named = {detail["field"] for detail in reply.json["details"]}
    assert named == {"title", "category", "venue_name", "start_date", "end_date"}


async def test_a_repeated_key_makes_one_event(api: Api):
    organizer = await api.as_organizer()
    headers = {"Idempotency-Key": "the-same-click"}
    first = await api.post("/events", json=FORM, token=organizer, headers=headers)
    again = await api.post("/events", json=FORM, token=organizer, headers=headers)
    assert (first.status, again.status, again.json) == (201, 201, first.json)
    drafts = await api.get("/events", params={"status": "draft"}, token=organizer)
    assert drafts.data["pagination"]["total"] == 1


async def test_a_new_event_is_on_the_audit_log_with_its_maker(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    (row,) = await api.db.fetch(
        "select actor_id, action, request_id, before, after from audit_log where entity_id = $1", event["id"]
    )
    me = (await api.get("/auth/me", token=organizer)).json["data"]["user"]["id"]
    assert (str(row["actor_id"]), row["action"], row["before"]) == (me, "event.create", None)
    assert (row["after"]["title"], row["after"]["base_price"]) == ("Evening of Oud", "40.50")
    assert row["request_id"]


async def test_a_title_cannot_turn_the_text_around_it_or_break_its_line(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer, title="\u202eoff 50%\u202c", city="\u2067Cairo\u2069")
    assert (event["title"], event["city"]) == ("off 50%", "Cairo")
    reply = await api.post("/events", json=FORM | {"title": "Two\nlines", "venueName": "\x1b[2J"}, token=organizer)
    assert reply.status == 400
    assert {detail["field"] for detail in reply.json["details"]} == {"title", "venueName"}
