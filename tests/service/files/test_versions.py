"""Other content for the same file: shown when it is clean, and never before."""

from collections import Counter

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from bilten.local.clamd import eicar
from fixtures.api import Reply
from support.house import House, OpenHouse, letter
from support.pictures import camera


async def add(house: House, token: str, file_id: str, content: bytes, media_type: str = "image/jpeg") -> Reply:
    form = aiohttp.FormData()
    name = "other.pdf" if media_type == "application/pdf" else "other.jpg"
    form.add_field("file", content, filename=name, content_type=media_type)
    return await house.api.post(f"/files/{file_id}/versions", token=token, data=form)


async def versions(house: House, token: str, file_id: str) -> list[tuple[int, str, bool]]:
    reply = await house.api.get(f"/files/{file_id}/versions", token=token)
    return [(each["number"], each["status"], each["current"]) for each in reply.data["versions"]]


async def test_a_file_shows_its_new_content_once_it_is_clean_and_the_old_address_ends(staffed: House):
    token = await staffed.api.as_user()
    first = await staffed.clean(token, camera((400, 300)), visibility="public")
    added = await add(staffed, token, first["id"], camera((300, 400)))
    assert added.status == 201, added.text
    assert (added.data["version"]["number"], added.data["version"]["current"]) == (2, False)
    await staffed.idle()
    now = await staffed.file(token, first["id"])
    assert (now["version"], now["width"], now["height"]) == (2, 300, 400)
    assert await versions(staffed, token, first["id"]) == [(2, "clean", True), (1, "clean", False)]
    old, new = (each["url"].removeprefix("http://bilten.example.test") for each in (first, now))
    assert (await staffed.fetch(old))[0].status == 404
    assert (await staffed.fetch(new))[0].status == 200


async def test_infected_content_never_takes_the_place_of_what_is_there(staffed: House):
    token = await staffed.api.as_user()
    pdf = {"name": "letter.pdf", "media_type": "application/pdf"}
    first = await staffed.clean(token, letter(), **pdf)
    assert first["status"] == "clean"
    assert (await add(staffed, token, first["id"], letter(eicar()), "application/pdf")).status == 201
    await staffed.idle()
    now = await staffed.file(token, first["id"])
    assert (now["version"], now["status"], now["sha256"]) == (1, "clean", first["sha256"])
    assert await versions(staffed, token, first["id"]) == [(2, "infected", False), (1, "clean", True)]
    used = (await staffed.api.get("/files/quota", token=token)).data["quota"]["used_bytes"]
    assert used == first["size_bytes"]


async def test_content_of_another_type_is_another_file(staffed: House):
    token = await staffed.api.as_user()
    first = await staffed.clean(token, camera())
    refused = await add(staffed, token, first["id"], letter(), "application/pdf")
    assert (refused.status, refused.json["code"]) == (422, "CONTENT_MISMATCH")


async def test_only_who_manages_a_file_changes_its_content(staffed: House):
    token, stranger = await staffed.api.as_user(), await staffed.api.as_organizer()
    first = await staffed.clean(token, camera(), visibility="public")
    assert (await add(staffed, stranger, first["id"], camera())).status == 404
    assert (await staffed.api.get(f"/files/{first['id']}/versions", token=stranger)).status == 404


async def test_new_content_ends_the_addresses_of_what_was_shown_and_of_nothing_else(open_house: OpenHouse):
    purged: Counter[str] = Counter()

    async def purge(request: web.Request) -> web.Response:
        purged[request.path] += 1
        return web.Response()

    app = web.Application()
    app.router.add_route("PURGE", "/{path:.*}", purge)
    async with TestServer(app) as cache:
        house = await open_house(cdn_base_url=str(cache.make_url("/")), cdn_purge="urls")
        token, pdf = await house.api.as_user(), {"name": "letter.pdf", "media_type": "application/pdf"}
        async with house.working():
            file = await house.clean(token, letter(b"1"), visibility="public", **pdf)
            for content in (b"2", b"3", b"4"):
                assert (await add(house, token, file["id"], letter(content), "application/pdf")).status == 201
                await house.idle()
    assert list(purged.values()) == [1, 1, 1]


async def test_an_admin_who_adds_content_to_a_file_adds_it_to_what_its_owner_may_store(open_house: OpenHouse):
    house = await open_house(user_quota_bytes=2000)
    token, admin = await house.api.as_user(), await house.api.as_admin()
    first = await house.upload(token, letter(), name="a.pdf", media_type="application/pdf")
    assert first.status == 201, first.text
    file_id = first.data["file"]["id"]
    for whose in (token, admin):
        refused = await add(house, whose, file_id, letter(b"x" * 2000), "application/pdf")
        assert (refused.status, refused.json["code"]) == (409, "QUOTA_EXCEEDED")
    assert (await add(house, admin, file_id, letter(b"a second one"), "application/pdf")).status == 201
