"""The caller's own wishlist, in the names of the mock and of the hook."""

import asyncio
from typing import Any

import pytest
from fixtures.api import Api
from support.making import make_event, second_organizer, titles

FIRST = "550e8400-e29b-41d4-a716-446655440101"


async def bookmarks(api: Api, event_id: str) -> int:
    count: int = (await api.get(f"/events/{event_id}")).data["event"]["bookmark_count"]
    return count


async def add(api: Api, token: str, event_id: Any) -> None:
    reply = await api.post("/wishlist", json={"eventId": event_id}, token=token)
    assert reply.status == 200, reply.text


async def test_the_last_added_comes_first_under_both_names(api: Api):
    user = await api.as_user()
    for event_id in (6, FIRST, "25"):
        await add(api, user, event_id)
    reply = await api.get("/wishlist", params={"page": "1", "limit": "12"}, token=user)
    assert (reply.status, reply.json["success"]) == (200, True)
    assert reply.data["wishlist"] == reply.data["events"]
    expected = [(await api.get(f"/events/{event_id}")).data["event"]["title"] for event_id in ("25", FIRST, "6")]
    assert titles(reply) == expected
    listed = (await api.get("/events")).data["events"][0]
    assert reply.data["events"][0].keys() == listed.keys()
    assert (reply.data["pagination"]["total"], reply.data["pagination"]["pages"]) == (3, 1)


async def test_adding_and_removing_twice_succeeds_twice_and_counts_once(api: Api):
    user = await api.as_user()
    for _ in range(2):
        reply = await api.post("/wishlist", json={"event_id": FIRST}, token=user)
        assert (reply.status, reply.json["success"]) == (200, True)
        assert isinstance(reply.json["message"], str)
        assert isinstance(reply.json["data"], dict)
        assert await bookmarks(api, FIRST) == 1
    for _ in range(2):
        reply = await api.delete(f"/wishlist/{FIRST}", token=user)
        assert (reply.status, reply.json["success"]) == (200, True)
        assert await bookmarks(api, FIRST) == 0


async def test_a_repeated_call_with_its_key_is_answered_again_and_has_no_second_effect(api: Api):
    user, key = await api.as_user(), {"Idempotency-Key": "add-once"}
    first = await api.post("/wishlist", json={"eventId": FIRST}, token=user, headers=key)
    assert (first.status, "Idempotent-Replayed" in first.headers) == (200, False)
    await api.delete(f"/wishlist/{FIRST}", token=user)
    again = await api.post("/wishlist", json={"eventId": FIRST}, token=user, headers=key)
    assert (again.status, again.text, again.headers["Idempotent-Replayed"]) == (200, first.text, "true")
    assert (await api.get("/wishlist", token=user)).data["events"] == []
    assert await bookmarks(api, FIRST) == 0
    other = await api.post("/wishlist", json={"eventId": 6}, token=user, headers=key)
    assert (other.status, other.json["error"]) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_hundred_clicks_at_once_count_once(api: Api):
    user, other = await api.as_user(), await api.as_organizer()
    calls = [api.post("/wishlist", json={"eventId": FIRST}, token=token) for token in (user, other) * 15]
    assert {reply.status for reply in await asyncio.gather(*calls)} == {200}
    assert await bookmarks(api, FIRST) == 2
    calls = [api.delete(f"/wishlist/{FIRST}", token=token) for token in (user, other) * 15]
    assert {reply.status for reply in await asyncio.gather(*calls)} == {200}
    assert await bookmarks(api, FIRST) == 0


async def test_a_small_id_and_the_uuid_are_the_same_event(api: Api):
    user = await api.as_user()
    await add(api, user, 6)
    event_id = (await api.get("/events/6")).data["event"]["id"]
    await add(api, user, event_id)
    assert (await api.get("/wishlist", token=user)).data["pagination"]["total"] == 1
    assert (await api.delete("/wishlist/6", token=user)).status == 200
    assert (await api.get("/wishlist", token=user)).data["pagination"]["total"] == 0
    assert await bookmarks(api, "6") == 0


async def test_each_has_a_list_of_their_own(api: Api):
    user, other = await api.as_user(), await api.as_organizer()
    await add(api, user, FIRST)
    assert (await api.get("/wishlist", token=other)).data["events"] == []
    assert (await api.get("/wishlist/check", params={"eventIds": FIRST}, token=other)).data[FIRST] is False
    await api.delete(f"/wishlist/{FIRST}", token=other)
    assert (await api.get("/wishlist", token=user)).data["pagination"]["total"] == 1


async def test_a_wishlist_needs_somebody_signed_in(api: Api):
    for token in (None, "undefined"):
        for reply in (
            await api.get("/wishlist", token=token),
            await api.post("/wishlist", json={"eventId": FIRST}, token=token),
            await api.delete(f"/wishlist/{FIRST}", token=token),
            await api.get("/wishlist/check", params={"eventIds": FIRST}, token=token),
        ):
            assert (reply.status, reply.json["message"]) == (401, "Authentication required")


@pytest.mark.parametrize(
    "event_id",
    ["550e8400-e29b-41d4-a716-446655449999", "0", 0, -1, 26000, 10**40, "abc", "../6", "' or 1=1 --", "x" * 5000],
)
async def test_what_is_no_event_cannot_be_added(api: Api, event_id: Any):
    reply = await api.post("/wishlist", json={"eventId": event_id}, token=await api.as_user())
    assert (reply.status, reply.json["error"], reply.json["message"]) == (404, "NOT_FOUND", "Event not found")


@pytest.mark.parametrize("body", [{}, {"eventId": None}, {"eventId": True}, {"eventId": 1.5}, {"eventId": [FIRST]}])
async def test_what_is_no_id_is_refused_by_name(api: Api, body: dict[str, Any]):
    reply = await api.post("/wishlist", json=body, token=await api.as_user())
    assert (reply.status, reply.json["error"]) == (400, "VALIDATION_ERROR")
    (field,) = body or ("event_id",)
    assert {detail["field"].split(".")[0] for detail in reply.json["details"]} == {field}


async def test_anothers_draft_cannot_be_added_and_ones_own_can(api: Api):
    organizer = await api.as_organizer()
    draft = await make_event(api, organizer)
    for other in (await api.as_user(), await second_organizer(api)):
        reply = await api.post("/wishlist", json={"eventId": draft["id"]}, token=other)
        assert (reply.status, reply.json["message"]) == (404, "Event not found")
    await add(api, organizer, draft["id"])
    assert titles(await api.get("/wishlist", token=organizer)) == [draft["title"]]


async def test_what_is_cancelled_stays_on_the_list_and_what_is_deleted_does_not(api: Api):
    organizer, user = await api.as_organizer(), await api.as_user()
    cancelled = await make_event(api, organizer, status="published", title="Cancelled")
    deleted = await make_event(api, organizer, status="published", title="Deleted")
    for event in (cancelled, deleted):
        await add(api, user, event["id"])
    await api.put(f"/events/{cancelled['id']}", json={"status": "cancelled"}, token=organizer)
    await api.delete(f"/events/{deleted['id']}", token=organizer)
    reply = await api.get("/wishlist", token=user)
    assert (titles(reply), reply.data["pagination"]["total"]) == (["Cancelled"], 1)
    check = await api.get("/wishlist/check", params={"eventIds": f"{cancelled['id']},{deleted['id']}"}, token=user)
    assert check.data["wishlistStatus"] == {cancelled["id"]: True, deleted["id"]: False}


@pytest.mark.parametrize("event_id", ["0", "abc", "9" * 40, "..%2F6", "550e8400-e29b-41d4-a716-446655449999"])
async def test_removing_what_is_no_event_succeeds(api: Api, event_id: str):
    reply = await api.delete(f"/wishlist/{event_id}", token=await api.as_user())
    assert (reply.status, reply.json["success"]) == (200, True)


@pytest.mark.parametrize("comma", [",", "%2C", "%2c", "%252C"])
async def test_a_check_answers_each_id_as_it_was_sent_and_twice(api: Api, comma: str):
    user = await api.as_user()
    await add(api, user, FIRST)
    await add(api, user, 6)
    ids = [FIRST, FIRST.upper(), "6", "7", "standing", "550e8400-e29b-41d4-a716-446655440112", "__proto__"]
    reply = await api.request("GET", f"/wishlist/check?eventIds={comma.join(ids)}", token=user)
    assert (reply.status, reply.json["success"]) == (200, True)
    status = dict.fromkeys(ids, False) | {FIRST: True, FIRST.upper(): True, "6": True}
    assert reply.data == {**status, "wishlistStatus": status}


async def test_a_check_survives_an_id_that_is_named_like_the_answer(api: Api):
    reply = await api.get(
        "/wishlist/check", params={"eventIds": "wishlistStatus,model_config"}, token=await api.as_user()
    )
    status = {"wishlistStatus": False, "model_config": False}
    assert reply.data == {"wishlistStatus": status, "model_config": False}


async def test_a_check_of_nothing_answers_nothing_and_of_too_much_is_refused(api: Api):
    user = await api.as_user()
    for ids in ("", ",,", " , "):
        assert (await api.get("/wishlist/check", params={"eventIds": ids}, token=user)).data == {"wishlistStatus": {}}
    many = ",".join(str(number) for number in range(1, 201))
    assert (await api.get("/wishlist/check", params={"eventIds": many}, token=user)).status == 200
    reply = await api.get("/wishlist/check", params={"eventIds": many + ",201"}, token=user)
    assert (reply.status, reply.json["details"][0]["field"]) == (400, "eventIds")


async def test_a_long_list_is_paged_by_number_and_by_cursor_while_it_grows(api: Api):
    user = await api.as_user()
    events = (await api.get("/events", params={"limit": "30"})).data["events"]
    for event in events[:9]:
        await add(api, user, event["id"])
    whole = titles(await api.get("/wishlist", params={"limit": "100"}, token=user))
    assert whole == [event["title"] for event in reversed(events[:9])]
    numbered = [
        title
        for number in (1, 2, 3)
        for title in titles(await api.get("/wishlist", params={"limit": "4", "page": str(number)}, token=user))
    ]
    assert numbered == whole
    walked: list[str] = []
    params = {"limit": "4"}
    for event in events[9:]:
        reply = await api.get("/wishlist", params=params, token=user)
        walked += titles(reply)
        if (cursor := reply.data["pagination"]["nextCursor"]) is None:
            break
        await add(api, user, event["id"])
        params["cursor"] = cursor
    assert walked == whole


async def test_the_organizers_address_is_not_on_others_lists(api: Api):
    user = await api.as_user()
    await add(api, user, FIRST)
    assert "organizer@bilten.com" not in (await api.get("/wishlist", token=user)).text
