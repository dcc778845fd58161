"""What is uploaded is looked at, scanned, and served only when it is clean."""

import io

from bilten.local.clamd import eicar
from PIL import Image
from support.house import House, letter
from support.pictures import camera


async def test_a_picture_of_a_camera_is_shown_in_every_size_without_what_the_camera_wrote(staffed: House):
    token = await staffed.api.as_organizer()
    file = await staffed.clean(token, camera((1600, 1200)), visibility="public", tags="poster, summer")
    assert (file["width"], file["height"], file["tags"]) == (1600, 1200, ["poster", "summer"])
    assert {each["name"] for each in file["variants"]} >= {"thumbnail", "small", "medium", "large"}
    for url in (file["url"], *(each["url"] for each in file["variants"])):
        assert url.startswith("http://bilten.example.test/uploads/files/")
        path = url.removeprefix("http://bilten.example.test")
        answer, content = await staffed.fetch(path)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert b"Exif" not in content
        assert not Image.open(io.BytesIO(content)).getexif()


async def test_nothing_is_served_before_it_is_clean(house: House):
    token, other = await house.api.as_organizer(), await house.api.as_user()
    reply = await house.upload(token, camera(), visibility="public")
    file = reply.data["file"]
    assert file["status"] == "pending"
    assert (file["url"], file["variants"], file["srcset"]) == (None, [], {})
    content = await house.api.get(f"/files/{file['id']}/content", token=token)
    assert (content.status, content.json["code"]) == (409, "FILE_NOT_AVAILABLE")
    assert (await house.api.get(f"/files/{file['id']}/content", token=other)).status == 404
    assert (await house.api.get(f"/files/{file['id']}", token=other)).status == 404
    keys = await house.keys()
    assert len(keys["quarantine"]) == 1
    assert keys["media"] == []
    assert (await house.api.get(f"//uploads/files/{keys['quarantine'][0]}")).status == 404


async def test_what_is_infected_is_refused_and_its_bytes_are_gone(staffed: House):
    token = await staffed.api.as_organizer()
    document = letter(eicar())
    reply = await staffed.upload(token, document, name="letter.pdf", media_type="application/pdf", wait=8)
    assert (reply.status, reply.json["code"]) == (422, "FILE_INFECTED"), reply.text
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}
    listed = await staffed.api.get("/files", token=token)
    assert [file["status"] for file in listed.data["files"]] == ["infected"]
    again = await staffed.upload(token, document, name="letter.pdf", media_type="application/pdf")
    assert (again.status, again.json["code"]) == (422, "FILE_INFECTED"), "known bad"
    quota = await staffed.api.get("/files/quota", token=token)
    assert quota.data["quota"] == {"limit_bytes": 20 * 2**30, "used_bytes": 0, "reserved_bytes": 0}


async def test_a_deleted_file_leaves_nothing(staffed: House):
    token = await staffed.api.as_organizer()
    file = await staffed.clean(token, camera(), visibility="public")
    assert len((await staffed.keys())["media"]) > 8
    gone = await staffed.api.delete(f"/files/{file['id']}", token=token)
    assert gone.status == 200, gone.text
    path = file["url"].removeprefix("http://bilten.example.test")
    assert (await staffed.api.get(f"/{path}")).status == 404
    await staffed.idle()
    assert await staffed.keys() == {"quarantine": [], "media": []}
    quota = await staffed.api.get("/files/quota", token=token)
    assert quota.data["quota"]["used_bytes"] == 0
