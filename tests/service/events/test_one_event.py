"""`GET /events/{id}`: one event in the shapes of three frontends."""

import pytest
from fixtures.api import Api
from support.making import make_event, second_organizer

FIRST = "550e8400-e29b-41d4-a716-446655440101"


async def test_an_event_comes_in_the_mocks_shape_and_once_more_at_the_top_level(api: Api):
    body = (await api.get(f"/events/{FIRST}")).json
    event = body["data"]["event"]
    assert (event["id"], body["event"]) == (FIRST, event)
    assert (body["title"], body["description"]) == (event["title"], event["description"])
    assert body["ticketTypes"] == body["data"]["tickets"] == event["tickets"]
    assert len(body["data"]["tickets"]) >= 1
    for ticket in body["data"]["tickets"]:
        assert (ticket["event_id"], ticket["is_active"]) == (FIRST, True)
        assert isinstance(ticket["price"], int | float)
        assert ticket["quantity_available"] >= 0


@pytest.mark.parametrize("legacy_id", ["6", "25"])
async def test_the_mocks_small_ids_name_the_same_events(api: Api, legacy_id: str):
    event = (await api.get(f"/events/{legacy_id}")).data["event"]
    again = (await api.get(f"/events/{event['id']}")).data["event"]
    assert event["title"] == again["title"]
    assert len(event["id"]) == 36


@pytest.mark.parametrize(
    "event_id",
    [
        "0", "-1", "01", "26000", "9" * 40, "1e3", "1.0", "abc", "%20", "..%2F..%2Fetc%2Fpasswd", "null",
        "undefined", "' or 1=1 --", "550e8400e29b41d4a716446655440101", "550e8400-e29b-41d4-a716-446655449999",
        "550e8400-e29b-41d4-a716-446655440101x", "\u0661", "%F0%9F%8E%89",
    ],
)  # fmt: skip
async def test_an_odd_or_unknown_id_is_simply_not_found(api: Api, event_id: str):
    reply = await api.get(f"/events/{event_id}")
    assert (reply.status, reply.json["error"], reply.json["message"]) == (404, "NOT_FOUND", "Event not found")


async def test_an_id_is_taken_in_capitals_too(api: Api):
    assert (await api.get(f"/events/{FIRST.upper()}")).data["event"]["id"] == FIRST


async def test_anothers_draft_is_not_found(api: Api):
    organizer = await api.as_organizer()
    draft = await make_event(api, organizer)
    for token in (None, "undefined", await api.as_user(), await second_organizer(api)):
        assert (await api.get(f"/events/{draft['id']}", token=token)).status == 404
    for token in (organizer, await api.as_admin()):
        assert (await api.get(f"/events/{draft['id']}", token=token)).data["event"]["status"] == "draft"


async def test_a_cancelled_event_can_still_be_looked_at(api: Api):
    event = await make_event(api, await api.as_organizer(), status="cancelled")
    assert (await api.get(f"/events/{event['id']}")).data["event"]["status"] == "cancelled"


async def test_each_read_counts_as_a_view_that_changes_nothing_else(api: Api):
    before = (await api.get(f"/events/{FIRST}")).data["event"]
    await api.get("/events/6")
    await api.get(f"/events/{FIRST}")
    await api.services.views.flush()
    after = (await api.get(f"/events/{FIRST}")).data["event"]
    assert after.pop("view_count") == before.pop("view_count") + 2
    assert after == before


async def test_an_organizers_address_is_absent_for_others(api: Api):
    for token in (None, await api.as_user()):
        assert "organizer_email" not in (await api.get(f"/events/{FIRST}", token=token)).data["event"]
    for token in (await api.as_organizer(), await api.as_admin()):
        event = (await api.get(f"/events/{FIRST}", token=token)).data["event"]
        assert event["organizer_email"] == "organizer@bilten.com"


async def test_tickets_that_are_not_sold_any_more_are_not_offered(api: Api):
    async with api.db.transaction() as tx:
        statement = "update ticket_types set is_active = false where event_id = $1 and code <> 'general'"
        await tx.exec_driver_sql(statement, (FIRST,))
        reserve = "update ticket_types set sold = 3, reserved = 2 where event_id = $1 and code = 'general'"
        await tx.exec_driver_sql(reserve, (FIRST,))
    event = (await api.get(f"/events/{FIRST}")).data["event"]
    assert {ticket["name"] for ticket in event["tickets"]} == {"General Admission"}
    assert 95 in [ticket["quantity_available"] for ticket in event["tickets"]]
    assert event["available_tickets"] == sum(ticket["quantity_available"] for ticket in event["tickets"])


async def test_tickets_are_offered_while_their_sale_lasts(api: Api):
    event = await make_event(api, await api.as_organizer(), status="published")
    async with api.db.transaction() as tx:
        statement = (
            "insert into ticket_types (event_id, code, name, price, quantity, sales_start, sales_end) "
            "select $1, 'turn', name, price, 10, now() + start * interval '1 day', now() + stop * interval '1 day' "
            "from (values ('Early', 5, null, -1), ('Regular', 20, -1, 1), ('Late', 9, 1, null)) as turns"
            " (name, price, start, stop)"
        )
        await tx.exec_driver_sql(statement, (event["id"],))
    detail = (await api.get(f"/events/{event['id']}")).json
    offered = [(ticket["name"], ticket["price"], ticket["quantity_available"]) for ticket in detail["ticketTypes"]]
    assert offered == [("Regular", 20, 10), ("General Admission", 40.5, 120)]
    (listed,) = (await api.get("/events", params={"search": event["title"]})).data["events"]
    for shown in (listed, detail["data"]["event"]):
        assert shown["available_tickets"] == 130
        assert shown["tickets"] == detail["ticketTypes"]
