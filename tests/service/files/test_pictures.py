"""The frontends' own uploads: pictures that can be shown when the call ends, or are not there."""

import io
from typing import Any

import aiohttp
import pytest
from bilten.files import pictures
from bilten.files.sweep import Sweeper
from fixtures.api import Reply
from support.house import House, OpenHouse, letter
from support.jobs import change
from support.pictures import camera

BASE = "http://bilten.example.test"


async def send(house: House, token: str | None, kind: str, *pictures: bytes, **changes: Any) -> Reply:
    form = aiohttp.FormData()
    field = "images" if kind == "event-gallery" else "image"
    for number, picture in enumerate(pictures):
        form.add_field(
            changes.get("field", field), io.BytesIO(picture), filename=changes.get("name", f"picture{number}.jpg"),
            content_type=changes.get("media_type", "image/jpeg"),
        )  # fmt: skip
    if not pictures:
        form.add_field("other", "nothing", content_type="text/plain")
    return await house.api.post(f"/uploads/{kind}", token=token, data=form)


async def test_a_profile_picture_is_shown_by_the_account_and_the_one_before_goes(staffed: House):
    token = await staffed.api.as_user()
    first = await send(staffed, token, "profile-image", camera((600, 400)))
    assert first.status == 200, first.text
    url = first.data["url"]
    assert url.startswith(f"{BASE}/uploads/profiles/")
    answer, content = await staffed.fetch(url.removeprefix(BASE))
    assert (answer.status, len(content), answer.content_type) == (200, first.data["size"], first.data["mimetype"])
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    me = await staffed.api.get("/auth/me", token=token)
    assert url in me.text
    second = await send(staffed, token, "profile-image", camera((300, 300)))
    assert second.data["url"] in (await staffed.api.get("/auth/me", token=token)).text
    assert (await staffed.fetch(url.removeprefix(BASE)))[0].status == 404
    await staffed.idle()
    keys = (await staffed.keys())["media"]
    assert {key.split("-")[0] for key in keys if "/" not in key} == {second.data["filename"].split("-")[0]}


async def test_an_event_picture_answers_under_the_names_of_events(staffed: House):
    token = await staffed.api.as_organizer()
    reply = await send(staffed, token, "event-image", camera())
    assert reply.data["cover_image_url"] == reply.data["featured_image_url"] == reply.data["url"]
    for name in ("url", "thumbnail_url", "optimized_url"):
        assert (await staffed.fetch(reply.data[name].removeprefix(BASE)))[0].status == 200


async def test_a_gallery_is_all_or_nothing(staffed: House):
    token = await staffed.api.as_organizer()
    good = await send(staffed, token, "event-gallery", camera(), camera((200, 300)))
    assert (good.status, good.data["count"], len(good.data["files"])) == (200, 2, 2)
    await staffed.idle()
    before = await staffed.keys()
    refused = await send(staffed, token, "event-gallery", camera(), b"\xff\xd8\xff\xe0 this is no picture")
    assert (refused.status, refused.json["code"]) == (422, "FILE_DAMAGED")
    await staffed.idle()
    assert await staffed.keys() == before
    assert (await staffed.api.get("/files/quota", token=token)).data["quota"]["reserved_bytes"] == 0


async def test_a_gallery_stays_and_a_cover_that_no_event_took_goes(staffed: House):
    token = await staffed.api.as_organizer()
    gallery = (await send(staffed, token, "event-gallery", camera(), camera((200, 300)))).data["files"]
    cover = await send(staffed, token, "event-image", camera((300, 200)))
    assert cover.status == 200, cover.text
    await change(staffed.api.db, "update files set created_at = now() - interval '25 hours'")
    await Sweeper(staffed.api.settings, staffed.api.db, staffed.store).sweep()
    listed = (await staffed.api.get("/files", token=token)).data["files"]
    assert {file["id"] for file in listed} == {picture["id"] for picture in gallery}
    for picture in gallery:
        assert (await staffed.fetch(picture["url"].removeprefix(BASE)))[0].status == 200


@pytest.mark.parametrize(
    ("kind", "pictures", "changes", "code", "message"),
    [
        ("profile-image", [], {}, "NO_FILE", "No image file provided"),
        ("event-gallery", [], {}, "NO_FILE", "No image files provided"),
        ("event-gallery", [b"x"] * 11, {}, "TOO_MANY_FILES", "Too many files. Maximum is 10 files."),
        ("event-image", [b"x" * (5 * 2**20 + 1)], {}, "FILE_TOO_LARGE", "File too large. Maximum size is 5MB."),
        (
            "event-image", [letter()], {"media_type": "application/pdf", "name": "a.pdf"}, "INVALID_FILE_TYPE",
            "Invalid file type. Only JPEG, PNG, and WebP images are allowed.",
        ),
    ],
)  # fmt: skip
async def test_a_refusal_is_in_the_words_of_the_contract(
    house: House, kind: str, pictures: list[bytes], changes: dict[str, Any], code: str, message: str
):
    reply = await send(house, await house.api.as_user(), kind, *pictures, **changes)
    assert (reply.status, reply.json["code"], reply.json["message"]) == (400, code, message)


async def test_without_a_scanner_a_picture_waits_and_is_shown_later(
    open_house: OpenHouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pictures, "WAIT_S", 0.5)
    house = await open_house()
    token = await house.api.as_user()
    reply = await send(house, token, "profile-image", camera())
    assert (reply.status, reply.json["code"]) == (503, "SCANNER_UNAVAILABLE")
    assert reply.headers["Retry-After"]
    listed = (await house.api.get("/files", token=token)).data["files"]
    assert [file["status"] for file in listed] == ["pending"]
    async with house.working():
        assert (await house.ended(token, listed[0]["id"]))["status"] == "clean"


async def test_a_repeated_call_shows_the_same_picture(staffed: House):
    token = await staffed.api.as_user()
    form = {"Idempotency-Key": "once"}
    content = camera()
    replies = []
    for _ in range(2):
        data = aiohttp.FormData()
        data.add_field("image", content, filename="a.jpg", content_type="image/jpeg")
        replies.append(await staffed.api.post("/uploads/event-image", token=token, data=data, headers=form))
    assert [reply.status for reply in replies] == [200, 200]
    assert replies[0].data == replies[1].data
    assert len((await staffed.api.get("/files", token=token)).data["files"]) == 1


async def test_only_the_owner_deletes_by_address(staffed: House):
    token = await staffed.api.as_organizer()
    url = (await send(staffed, token, "event-image", camera())).data["url"]
    stranger = await staffed.api.as_user()
    refused = await staffed.api.delete("/uploads/delete", token=stranger, json={"fileUrl": url})
    assert (refused.status, refused.json["message"]) == (403, "You can only delete your own files")
    missing = await staffed.api.delete("/uploads/delete", token=token, json={})
    assert (missing.status, missing.json["message"]) == (400, "File URL is required")
    assert (await staffed.api.delete("/uploads/delete", token=token, json={"fileUrl": url})).status == 200
    again = await staffed.api.delete("/uploads/delete", token=token, json={"fileUrl": url})
    assert (again.status, again.json["message"]) == (404, "File not found")
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}


async def test_optimize_leads_to_one_of_the_pictures_that_are_made(staffed: House):
    token = await staffed.api.as_organizer()
    uploaded = (await send(staffed, token, "event-image", camera((1600, 1200)))).data
    for query, name in (
        ({"width": "150", "height": "150"}, "thumbnail"),
        ({"width": "800", "height": "600", "quality": "90"}, "event"),
        ({"width": "300", "height": "300", "fit": "cover"}, "profile"),
        ({"width": "300", "height": "300"}, "small"),
    ):
        reply = await staffed.api.get("/uploads/optimize", params={"url": uploaded["url"], **query})
        assert f".{name}.webp" in reply.data["optimized_url"], reply.text
        assert (await staffed.fetch(reply.data["optimized_url"].removeprefix(BASE)))[0].status == 200
    odd = await staffed.api.get("/uploads/optimize", params={"url": uploaded["url"], "width": "777"})
    assert (odd.status, odd.json["code"]) == (400, "UNKNOWN_PRESET")
    none = await staffed.api.get("/uploads/optimize")
    assert (none.status, none.json["message"]) == (400, "Image URL is required")


@pytest.mark.parametrize(
    "url",
    [
        "https://images.example.com/a.jpg", "http://127.0.0.1:1/uploads/files/x", "http://169.254.169.254/latest/",
        "http://localhost/", "http://2130706433/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "file:///etc/passwd",
        "gopher://127.0.0.1/", "data:image/png;base64,AAAA", "http://bilten.example.test@127.0.0.1/",
        "http://bilten.example.test/uploads/files/../../etc/passwd", "//evil.example/uploads/files/x",
    ],
)  # fmt: skip
async def test_an_address_elsewhere_goes_back_unchanged(house: House, url: str):
    reply = await house.api.get("/uploads/optimize", params={"url": url, "width": "150", "height": "150"})
    assert (reply.status, reply.data["optimized_url"]) == (200, url)
