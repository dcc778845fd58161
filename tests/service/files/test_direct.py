"""Direct uploads: the bytes go to the store, and become a file only when they are those that were declared."""

import hashlib
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from bilten.files import intake
from bilten.files.sweep import Sweeper
from bilten.local.clamd import eicar
from fixtures.api import Reply
from support.house import House, letter
from support.jobs import change
from support.pictures import camera


async def begin(house: House, token: str, content: bytes, **changes: Any) -> Reply:
    declared = {
        "name": "poster.jpg",
        "media_type": "image/jpeg",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "visibility": "public",
    }
    return await house.api.post("/files/uploads", token=token, json=declared | changes)


async def send(upload: dict[str, Any], content: bytes) -> int:
    """What a browser does with the form; the store's answer."""
    form = aiohttp.FormData()
    for name, value in upload["fields"].items():
        form.add_field(name, value)
    form.add_field("file", content, filename="poster.jpg", content_type=upload["fields"]["Content-Type"])
    async with aiohttp.ClientSession() as session, session.post(upload["url"], data=form) as answer:
        return answer.status


async def complete(house: House, token: str, upload: dict[str, Any]) -> Reply:
    return await house.api.post(f"/files/uploads/{upload['id']}/complete", token=token)


async def reserved(house: House, token: str) -> int:
    quota = (await house.api.get("/files/quota", token=token)).data["quota"]
    held: int = quota["reserved_bytes"]
    return held


async def test_a_browser_uploads_straight_to_the_store(staffed: House):
    token, content = await staffed.api.as_user(), camera((800, 600))
    begun = await begin(staffed, token, content)
    assert begun.status == 201, begun.text
    upload = begun.data["upload"]
    assert await reserved(staffed, token) == len(content)
    early = await complete(staffed, token, upload)
    assert (early.status, early.json["code"]) == (409, "UPLOAD_INCOMPLETE")
    assert await send(upload, content) in (200, 204)
    done = await complete(staffed, token, upload)
    assert done.status == 200, done.text
    assert await reserved(staffed, token) == len(content), "as the form may bring as much again"
    file = await staffed.ended(token, done.data["file"]["id"])
    assert (file["status"], file["visibility"], file["width"]) == ("clean", "public", 800)
    again = await complete(staffed, token, upload)
    assert (again.status, again.data["file"]["id"]) == (200, file["id"])
    await staffed.idle()
    assert (await staffed.keys())["quarantine"] == []


async def test_the_store_takes_no_other_size_than_was_declared(house: House):
    token, content = await house.api.as_user(), camera()
    upload = (await begin(house, token, content)).data["upload"]
    assert await send(upload, content + b"more") >= 400
    assert (await complete(house, token, upload)).json["code"] == "UPLOAD_INCOMPLETE"


async def test_other_bytes_of_the_same_size_are_refused_and_gone(staffed: House):
    token, content = await staffed.api.as_user(), camera()
    upload = (await begin(staffed, token, content)).data["upload"]
    assert await send(upload, content[:-2] + b"xx") in (200, 204)
    refused = await complete(staffed, token, upload)
    assert (refused.status, refused.json["code"]) == (422, "CONTENT_MISMATCH")
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}
    assert (await complete(staffed, token, upload)).status == 404


@pytest.mark.parametrize("other", [True, False], ids=["that was refused", "that was completed"])
async def test_what_a_form_brings_after_the_end_of_its_upload_goes_when_it_cannot_be_used_any_more(
    staffed: House, other: bool
):
    """And as long as it can be used, it holds quota: else it would store for nothing."""
    token, content = await staffed.api.as_user(), camera()
    upload = (await begin(staffed, token, content)).data["upload"]
    sent = content[:-2] + b"xx" if other else content
    await send(upload, sent)
    assert (await complete(staffed, token, upload)).status == (422 if other else 200)
    await staffed.idle()
    assert await send(upload, sent) in (200, 204)
    assert len((await staffed.keys())["quarantine"]) == 1
    assert await reserved(staffed, token) == len(content)
    form_over = "between now() + interval '15 minutes' and now() + interval '20 minutes'"
    removals = f"kind = 'files.remove' and run_at {form_over}"
    assert await staffed.api.db.fetchval(f"select count(*) from jobs where {removals}") == 1  # noqa: S608 constants
    await change(staffed.api.db, f"update jobs set run_at = now() where {removals}")  # noqa: S608 constants
    await change(staffed.api.db, f"update quota_reservations set expires_at = now() where expires_at {form_over}")  # noqa: S608 constants
    await staffed.idle()
    assert (await staffed.keys())["quarantine"] == []
    await Sweeper(staffed.api.settings, staffed.api.db, staffed.store, timedelta(0)).sweep()
    assert await reserved(staffed, token) == 0


async def test_what_a_direct_upload_brings_is_scanned_as_everything_is(staffed: House):
    token, content = await staffed.api.as_user(), letter(eicar())
    declared = {"name": "letter.pdf", "media_type": "application/pdf"}
    upload = (await begin(staffed, token, content, **declared)).data["upload"]
    assert await send(upload, content) in (200, 204)
    done = await complete(staffed, token, upload)
    assert (await staffed.ended(token, done.data["file"]["id"]))["status"] == "infected"
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}
    known = await begin(staffed, token, content, **declared)
    assert (known.status, known.json["code"]) == (422, "FILE_INFECTED")


async def test_an_upload_is_its_owners_alone(house: House):
    token, content = await house.api.as_user(), camera()
    upload = (await begin(house, token, content)).data["upload"]
    await send(upload, content)
    assert (await complete(house, await house.api.as_organizer(), upload)).status == 404


async def test_what_can_be_known_before_the_bytes_is_refused_before_them(open_house: Any):
    house = await open_house(user_quota_bytes=10_000)
    token = await house.api.as_user()
    refused = [
        ({"name": "poster.exe"}, 422, "CONTENT_MISMATCH"),
        ({"media_type": "text/html"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"size_bytes": 2**40}, 413, "FILE_TOO_LARGE"),
        ({"size_bytes": 10_001}, 409, "QUOTA_EXCEEDED"),
        ({"sha256": "beef"}, 400, "VALIDATION_ERROR"),
    ]
    for changes, status, code in refused:
        reply = await begin(house, token, b"x" * 5000, **changes)
        assert (reply.status, reply.json["code"]) == (status, code), changes


async def test_nobody_has_more_files_wait_for_the_scanner_than_one_owner_may(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(intake, "MOST_WAITING", 2)
    token, other = await house.api.as_user(), await house.api.as_organizer()
    content, pdf = letter(b"direct"), {"name": "letter.pdf", "media_type": "application/pdf"}
    upload = (await begin(house, token, content, **pdf)).data["upload"]
    assert await send(upload, content) in (200, 204)
    assert [(await house.upload(token, letter(), **pdf)).status for _ in range(3)] == [201, 201, 429]
    refused = await complete(house, token, upload)
    assert (refused.status, refused.json["code"]) == (429, "RATE_LIMITED")
    assert refused.headers["Retry-After"]
    assert (await house.upload(other, letter(), **pdf)).status == 201
    async with house.working():
        await house.idle()
    assert (await complete(house, token, upload)).status == 200
