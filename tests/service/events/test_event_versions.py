"""`ETag`, `If-None-Match` and `If-Match` of events and articles."""

import asyncio
from typing import Any

import pytest
from fixtures.api import Api, Reply
from support.making import make_event, second_organizer

FIRST = "550e8400-e29b-41d4-a716-446655440101"


async def tag(api: Api, path: str, **options: Any) -> str:
    return (await api.get(path, **options)).headers["ETag"]


@pytest.mark.parametrize("path", [f"/events/{FIRST}", "/articles/1"])
async def test_views_do_not_change_the_tag_and_who_has_it_gets_no_body(api: Api, path: str):
    known = await tag(api, path)
    await api.services.views.flush()
    assert await tag(api, path) == known
    for sent in (known, f'"other", {known}', f"W/{known}", "*"):
        reply = await api.get(path, headers={"If-None-Match": sent})
        assert (reply.status, reply.text, reply.headers["ETag"]) == (304, "", known)
    for sent in ('"other"', "other", ""):
        assert (await api.get(path, headers={"If-None-Match": sent})).status == 200


async def test_what_has_a_tag_may_be_kept_by_its_reader_alone_and_the_rest_by_nobody(api: Api):
    path = f"/events/{FIRST}"
    one = await api.get(path)
    assert one.headers["Cache-Control"] == "private, no-cache"
    same = await api.get(path, headers={"If-None-Match": one.headers["ETag"]})
    assert same.headers["Cache-Control"] == "private, no-cache"
    assert (await api.get("/events")).headers["Cache-Control"] == "no-store"


async def test_a_change_changes_the_tag_and_so_does_what_a_reader_may_see(api: Api):
    organizer = await api.as_organizer()
    path = f"/events/{FIRST}"
    public = await tag(api, path)
    own = await tag(api, path, token=organizer)
    assert own != public
    changed = await api.put(path, json={"title": "New"}, token=organizer)
    assert changed.headers["ETag"] == await tag(api, path, token=organizer) != own
    assert await tag(api, path) != public


async def test_tickets_that_are_sold_change_what_is_shown_and_not_the_version(api: Api):
    organizer = await api.as_organizer()
    event = await make_event(api, organizer)
    path = f"/events/{event['id']}"
    before = await tag(api, path, token=organizer)
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql("update ticket_types set sold = 1 where event_id = $1", (event["id"],))
    assert await tag(api, path, token=organizer) != before
    reply = await api.put(path, json={"title": "Still mine"}, token=organizer, headers={"If-Match": before})
    assert reply.status == 200


async def changes(api: Api, kind: str) -> tuple[str, str]:
    """Somebody who may change, and what."""
    if kind == "events":
        organizer = await api.as_organizer()
        return organizer, f"/events/{(await make_event(api, organizer))['id']}"
    return await api.as_admin(), "/articles/2"


@pytest.mark.parametrize("kind", ["events", "articles"])
async def test_a_change_for_another_version_is_refused_and_changes_nothing(api: Api, kind: str):
    token, path = await changes(api, kind)
    first = await tag(api, path, token=token)

    async def put(title: str, if_match: str) -> Reply:
        return await api.put(path, json={"title": title}, token=token, headers={"If-Match": if_match})

    assert (await put("One", first)).status == 200
    second = await tag(api, path, token=token)
    for stale in (first, f"W/{second}", '"nothing"', "nothing", ""):
        reply = await put("Two", stale)
        assert (reply.status, reply.json["error"]) == (412, "PRECONDITION_FAILED")
        assert (await api.delete(path, token=token, headers={"If-Match": stale})).status == 412
    assert await tag(api, path, token=token) == second
    assert (await put("Two", f"{first}, {second}")).status == 200
    assert (await put("Three", "*")).status == 200
    current = await tag(api, path, token=token)
    assert (await api.delete(path, token=token, headers={"If-Match": current})).status == 200


async def test_of_two_changes_for_one_version_one_is_made(api: Api):
    token, path = await changes(api, "events")
    version = await tag(api, path, token=token)
    calls = [
        api.put(path, json={"title": title}, token=token, headers={"If-Match": version}) for title in ("a", "b", "c")
    ]
    assert sorted(reply.status for reply in await asyncio.gather(*calls)) == [200, 412, 412]


async def test_the_version_is_looked_at_after_who_may_know_of_it(api: Api):
    _, path = await changes(api, "events")
    other = await second_organizer(api)
    reply = await api.put(path, json={"title": "x"}, token=other, headers={"If-Match": '"guess"'})
    assert reply.status == 404
