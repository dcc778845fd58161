"""What is infected, cannot be looked at or has not been looked at is served to nobody, whatever the scanner does."""

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import aiohttp
from bilten.local.clamd import Clamd, eicar
from bilten.scanning.types import BY_NAME
from support import documents
from support.house import House, OpenHouse, letter
from support.jobs import change, until
from support.killing import nothing, remains, time_passes
from support.pictures import camera, encoded, picture
from support.scanned import impostor, taken

BASE = "http://bilten.example.test"
PDF = {"name": "a.pdf", "media_type": "application/pdf"}
OTHER = {"anonymous_requests_per_minute": 10_000, "user_requests_per_minute": 10_000}

#: File name, bytes, and how it ends: a status, or the code of a refusal that leaves not even a row.
TEST_FILES: dict[str, tuple[str, bytes, str]] = {
    "itself": ("a.pdf", eicar(), "CONTENT_MISMATCH"),
    "itself as a picture": ("a.jpg", eicar() + b" ", "CONTENT_MISMATCH"),
    "in a PDF": ("a.pdf", documents.pdf(eicar()), "infected"),
    "in a PDF as it is": ("a.pdf", letter(eicar() + b" " * 60), "infected"),
    "in a DOCX": ("a.docx", documents.office(more={"word/embeddings/a.bin": eicar()}), "infected"),
    "stored in an ODT": ("a.odt", documents.odt({"Pictures/a.png": eicar()}), "infected"),
    "in a DOC": ("a.doc", documents.word(more={"Data": eicar()}), "infected"),
    "in a zip in a DOCX": (
        "a.docx",
        documents.office(more={"word/a.zip": documents.zipped({"a.com": eicar()}, zipfile.ZIP_STORED)}),
        "infected",
    ),
    "after the end of a JPEG": ("a.jpg", camera() + eicar(), "infected"),
    "after the end of a PNG": ("a.png", encoded(picture(), "PNG") + eicar(), "infected"),
    "behind 20 levels": ("a.docx", documents.nested(20, eicar()), "ARCHIVE_LIMITS"),
    "behind 10,050 members": (
        "a.docx",
        documents.zipped(
            [("[Content_Types].xml", documents.content_types("docx")), *((f"{n}", b"") for n in range(10_050)),
             ("last", eicar())]
        ),
        "ARCHIVE_LIMITS",
    ),
    "behind 105 MB": ("a.docx", documents.office(more={"word/a.bin": bytes(105 * 2**20) + eicar()}), "ARCHIVE_LIMITS"),
    "behind a password": (
        "a.docx", documents.raw_office(documents.Entry(b"word/a.com", eicar(), flags=1)), "FILE_NOT_ALLOWED",
    ),
}  # fmt: skip


async def test_the_test_file_is_served_in_no_wrapping_and_its_bytes_are_purged(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **OTHER)
    token = await house.api.as_organizer()
    told = {}
    async with house.working():
        for wrapping, (name, content, _) in TEST_FILES.items():
            kind = BY_NAME["jpeg" if name.endswith("jpg") else name.rpartition(".")[2]].media_type
            reply = await house.upload(
                token, io.BytesIO(content), name=name, media_type=kind, visibility="public"
            )  # fmt: skip
            if reply.status != 201:
                told[wrapping] = reply.json["code"]
                continue
            file = await house.ended(token, reply.data["file"]["id"])
            told[wrapping] = file["status"]
            assert (await house.api.get(f"/files/{file['id']}/content", token=token)).status == 409
            assert (await house.api.get(f"/files/{file['id']}/url", token=token)).status == 409
        await house.idle()
    assert told == {wrapping: ends for wrapping, (_, _, ends) in TEST_FILES.items()}
    assert await remains(house) == nothing(files=list(told.values()).count("infected"))


async def test_bytes_that_were_found_bad_once_are_refused_at_once_whoever_sends_them_and_however(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool")
    token, stranger, bad = await house.api.as_organizer(), await house.api.as_user(), camera() + eicar()
    async with house.working():
        good = await house.clean(token, camera())
        assert (await house.upload(token, io.BytesIO(bad), wait=8)).json["code"] == "FILE_INFECTED"
        await house.idle()
    before = await remains(house)

    async def send(path: str, field: str, whose: str) -> tuple[int, str]:
        form = aiohttp.FormData()
        form.add_field(field, io.BytesIO(bad), filename="other.jpg", content_type="image/jpeg")
        reply = await house.api.post(path, token=whose, data=form)
        return reply.status, reply.json["code"]

    # Nobody scans any more: the word of the first time is enough.
    for path, field, whose in (
        ("/files", "file", stranger),
        (f"/files/{good['id']}/versions", "file", token),
        ("/uploads/profile-image", "image", stranger),
        ("/uploads/event-image", "image", token),
        ("/uploads/event-gallery", "images", token),
    ):
        assert await send(path, field, whose) == (422, "FILE_INFECTED"), path
    assert await remains(house) == before


async def test_no_answer_of_a_scanner_but_a_whole_verdict_lets_a_file_be_served(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    says: dict[str, bytes | None] = {
        "nothing": b"", "half a word": b"stream: O", "garbage": b"\x01\xff\xfe\0", "a size limit": b"INSTREAM size "
        b"limit exceeded. ERROR\0", "another thing": b"PONG\0", "hangs": None, "no memory": b"stream: Can't allocate "
        b"memory ERROR\0", "a word without its end": b"stream: OK", "of another file": b"/tmp/a: OK\0",
    }  # fmt: skip
    answer: bytes | None = b""
    asked = 0

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await taken(reader)
        asked += 1
        if answer is None:
            await reader.read()
        else:
            writer.write(answer)
            await writer.drain()

    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **OTHER)
    token = await house.api.as_user()
    file = (await house.upload(token, io.BytesIO(camera()), visibility="public")).data["file"]
    async with impostor(tmp_path / "clamd", reply) as socket, house.working(clamd_socket=socket, clamd_timeout_s=1):
        for says_next in says.values():
            answer, before = says_next, asked
            await change(house.api.db, "update jobs set attempts = 0, run_at = now(), last_error = null")
            await until(lambda: asked > before)  # noqa: B023 within this turn
            await until(lambda: waits(house))
            assert (await house.file(token, file["id"]))["status"] == "scanning"
            assert (await house.keys())["media"] == []
    async with house.working(clamd_socket=tmp_path / "nobody"):
        await change(house.api.db, "update jobs set attempts = 0, run_at = now(), last_error = null")
        await until(lambda: waits(house))
        await refuses_everyone(house, token, file["id"])
    await time_passes(house)
    async with house.working():
        assert (await house.ended(token, file["id"]))["status"] == "clean"


async def waits(house: House) -> bool:
    """Whether a scan failed, and is to be tried again."""
    found = await house.api.db.fetchval(
        "select count(*) from jobs where kind = 'files.scan' and last_error is not null"
    )
    return bool(found)


async def refuses_everyone(house: House, token: str, file_id: str) -> None:
    """A file that is not clean: to its owner 409, to everyone else as if it were not there, under every address."""
    stranger = await house.api.as_organizer()
    for whose, status in ((token, 409), (stranger, 404)):
        assert (await house.api.get(f"/files/{file_id}/url", token=whose)).status == status
        for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
            for method in ("GET", "HEAD"):
                reply = await house.api.request(method, f"/files/{file_id}/content", token=whose, headers=headers)
                assert reply.status == status, (method, headers)
    assert (await house.api.get(f"/files/{file_id}", token=stranger)).status == 404
    for query in ("", "?search=picture", "?status=scanning", "?visibility=public", "?tag=a", "?folder=/"):
        assert (await house.api.get(f"/files{query}", token=stranger)).data["files"] == [], query
    for keys in (await house.keys()).values():
        for key in keys:
            await is_nowhere(house, f"/uploads/files/{key}")


async def is_nowhere(house: House, path: str, status: int = 404) -> None:
    for method in ("GET", "HEAD"):
        for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
            reply = await house.api.request(method, f"/{path}", headers=headers)
            assert reply.status == status, (method, path, headers)


async def test_no_state_but_clean_serves_a_byte_even_where_the_bytes_still_are(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **OTHER)
    token = await house.api.as_user()
    async with house.working():
        file = await house.clean(token, camera(), visibility="public", tags="a")
        await house.idle()
    links = [
        (await house.api.get(f"/files/{file['id']}/url{query}", token=token)).data["url"].removeprefix(BASE)
        for query in ("", "?variant=thumbnail")
    ]
    paths = [url.removeprefix(BASE) for url in (file["url"], *(each["url"] for each in file["variants"]))]
    for path in (*paths, *links):
        assert (await house.fetch(path))[0].status == 200
    objects = await house.keys()
    nothing_served = "served_key = null, served_type = null, served_size = null"
    await change(house.api.db, f"update file_versions set status = 'pending', {nothing_served}")  # noqa: S608 constants
    # Every kind of address; of variants two.
    paths = [paths[0], *(path for path in paths if ".thumbnail." in path)]
    for status in ("pending", "scanning", "infected", "unscannable", "error"):
        for table in ("files", "file_versions"):
            await change(house.api.db, f"update {table} set status = '{status}'")  # noqa: S608 constants
        await refuses_everyone(house, token, file["id"])
        for path in paths:
            await is_nowhere(house, path)
        for path in links:
            await is_nowhere(house, path)
        optimized = await house.api.get("/uploads/optimize", params={"url": file["url"], "width": 150, "height": 150})
        assert optimized.data["optimized_url"] == file["url"]
        seen = await house.file(token, file["id"])
        assert (seen["url"], seen["variants"], seen["srcset"]) == (None, [], {})
    assert await house.keys() == objects


async def test_bytes_that_are_replaced_in_quarantine_are_never_what_is_served(
    open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path
):
    """Before they are scanned, the file ends as an error; after, what was scanned is served all the same."""
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool")
    token, bucket = await house.api.as_user(), house.api.settings.s3_quarantine_bucket

    async def replace() -> None:
        (key,) = (await house.keys())["quarantine"]
        await house.store.remove(bucket, [key])
        assert await house.store.put_bytes(bucket, key, letter(eicar()), "application/pdf")

    async def replace_and_say_clean(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await taken(reader) == letter()
        await replace()
        writer.write(b"stream: OK\0")
        await writer.drain()

    first: dict[str, Any] = (await house.upload(token, io.BytesIO(letter()), **PDF)).data["file"]
    async with impostor(tmp_path / "clamd", replace_and_say_clean) as socket, house.working(clamd_socket=socket):
        assert (await house.ended(token, first["id"]))["status"] == "clean"
        await house.idle()
    _, content = await house.fetch(f"/api/v1/files/{first['id']}/content", Authorization=f"Bearer {token}")
    assert content == letter()

    second = (await house.upload(token, io.BytesIO(letter(b"another")), **PDF)).data["file"]
    await replace()
    async with house.working():
        ended = await house.ended(token, second["id"])
        await house.idle()
    assert (ended["status"], ended["reason"]) == (
        "error", "The bytes are not those that were sent. Upload the file again.",
    )  # fmt: skip
    assert (await house.keys())["quarantine"] == []
