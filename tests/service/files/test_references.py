"""A picture stays as long as something shows it, and goes with the last thing that does."""

from typing import Any

import aiohttp
import pytest
from contract.world import NEW_ARTICLE, NEW_EVENT
from support.house import House
from support.pictures import camera


async def picture(house: House, token: str, size: tuple[int, int] = (400, 300)) -> dict[str, Any]:
    form = aiohttp.FormData()
    form.add_field("image", camera(size), filename="cover.jpg", content_type="image/jpeg")
    reply = await house.api.post("/uploads/event-image", token=token, data=form)
    assert reply.status == 200, reply.text
    made: dict[str, Any] = reply.data
    return made


async def names(house: House, token: str) -> set[str]:
    """Which files there are."""
    return {file["id"] for file in (await house.api.get("/files", token=token)).data["files"]}


async def test_another_cover_ends_the_one_before(staffed: House):
    token = await staffed.api.as_organizer()
    first, second = await picture(staffed, token), await picture(staffed, token, (300, 400))
    made = await staffed.api.post("/events", token=token, json=NEW_EVENT | {"cover_image_url": first["url"]})
    event = made.data["event"]["id"]
    assert await names(staffed, token) == {first["id"], second["id"]}
    changed = await staffed.api.put(f"/events/{event}", token=token, json={"cover_image_url": second["url"]})
    assert changed.status == 200, changed.text
    assert await names(staffed, token) == {second["id"]}
    assert (await staffed.api.delete(f"/events/{event}", token=token)).status == 200
    assert await names(staffed, token) == set()
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}


async def test_what_two_things_show_goes_with_the_last(staffed: House):
    admin = await staffed.api.as_admin()
    shown = await picture(staffed, admin)
    events = [
        (await staffed.api.post("/events", token=admin, json=NEW_EVENT | {"cover_image_url": shown["url"]})).data
        for _ in range(2)
    ]
    article = await staffed.api.post("/articles", token=admin, json=NEW_ARTICLE | {"featured_image_url": shown["url"]})
    for path in (*(f"/events/{each['event']['id']}" for each in events),):
        await staffed.api.delete(path, token=admin)
        assert await names(staffed, admin) == {shown["id"]}
    await staffed.api.delete(f"/articles/{article.data['article']['id']}", token=admin)
    assert await names(staffed, admin) == set()


async def test_a_file_of_the_library_outlives_what_shows_it(staffed: House):
    token = await staffed.api.as_organizer()
    kept = await staffed.clean(token, camera(), visibility="public")
    made = await staffed.api.post("/events", token=token, json=NEW_EVENT | {"cover_image_url": kept["url"]})
    await staffed.api.delete(f"/events/{made.data['event']['id']}", token=token)
    assert await names(staffed, token) == {kept["id"]}


@pytest.mark.parametrize("base", ["http://bilten.example.test", ""], ids=["of the API", "without its host"])
async def test_a_deleted_file_is_shown_nowhere(staffed: House, base: str):
    token = await staffed.api.as_organizer()
    shown = await picture(staffed, token)
    saved = base + shown["url"].removeprefix("http://bilten.example.test")
    made = await staffed.api.post("/events", token=token, json=NEW_EVENT | {"cover_image_url": saved})
    assert made.data["event"]["cover_image_url"] == saved
    await staffed.api.delete("/uploads/delete", token=token, json={"fileUrl": shown["url"]})
    event = await staffed.api.get(f"/events/{made.data['event']['id']}", token=token)
    assert event.data["event"]["cover_image_url"] is None


async def test_the_picture_of_another_is_shown_and_neither_kept_nor_ended(staffed: House):
    owner, other = await staffed.api.as_organizer(), await staffed.api.as_admin()
    shown = await picture(staffed, owner)
    made = await staffed.api.post("/events", token=other, json=NEW_EVENT | {"cover_image_url": shown["url"]})
    assert made.data["event"]["cover_image_url"] == shown["url"]
    assert not await staffed.api.db.fetchval("select count(*) from file_references")
    await staffed.api.delete(f"/events/{made.data['event']['id']}", token=other)
    assert await names(staffed, owner) == {shown["id"]}


async def test_an_admin_who_gives_an_event_another_cover_of_its_organizer_has_it_kept(staffed: House):
    owner, admin = await staffed.api.as_organizer(), await staffed.api.as_admin()
    first, second = await picture(staffed, owner), await picture(staffed, owner, (300, 400))
    made = await staffed.api.post("/events", token=owner, json=NEW_EVENT | {"cover_image_url": first["url"]})
    path = f"/events/{made.data['event']['id']}"
    changed = await staffed.api.put(path, token=admin, json={"cover_image_url": second["url"]})
    assert changed.status == 200, changed.text
    kept = await staffed.api.db.fetch("select file_id from file_references")
    assert [str(row["file_id"]) for row in kept] == [second["id"]]
