"""What is not what it says it is, or more than it says: refused, or served as something new that is only that."""

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bilten.local.clamd import Clamd
from bilten.scanning.types import BY_NAME
from PIL import Image
from support import documents, pictures
from support.documents import Entry
from support.house import House, OpenHouse, letter
from support.killing import nothing, remains

BASE = "http://bilten.example.test"
JPEG, PDF, DOCX = ("image/jpeg", "application/pdf", BY_NAME["docx"].media_type)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{}</svg>'
DRAWINGS = [
    "<script>alert(1)</script>", '<rect onload="alert(1)"/>', "<foreignObject><p>harmless</p></foreignObject>",
    '<a href="javascript:alert(1)"/>', '<a xlink:href="java\tscript:alert(1)"/>',
    '<a href="java&#10;script:alert(1)"/>',
    '<use href="https://evil.example/a.svg#x"/>', "<style>@import url(https://evil.example/)</style>",
    '<image href="data:text/html,x"/>', "",
]  # fmt: skip
ENTITIES = '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd"><!ENTITY b "&a;&a;&a;">]>' + SVG.format("&b;")
TAR = b"a.jpg" + bytes(252) + b"ustar\x0000" + bytes(300)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"

#: File name, type, bytes, and the code of the refusal.
REFUSED: dict[str, tuple[str, str, bytes, str]] = {
    "HTML": ("a.jpg", JPEG, b"<!doctype html><script>alert(1)</script>", "CONTENT_MISMATCH"),
    "JavaScript": ("a.jpg", JPEG, b"alert(document.cookie)//", "CONTENT_MISMATCH"),
    "a program": ("a.jpg", JPEG, b"MZ" + bytes(200), "CONTENT_MISMATCH"),
    "PHP": ("a.jpg", JPEG, b"<?php system($_GET[0]); ?>", "CONTENT_MISMATCH"),
    "a PDF": ("a.jpg", JPEG, letter(), "CONTENT_MISMATCH"),
    "a video": ("a.jpg", JPEG, MP4, "CONTENT_MISMATCH"),
    "a tar": ("a.docx", DOCX, TAR, "CONTENT_MISMATCH"),
    "a video called a WebP": ("a.webp", "image/webp", MP4, "CONTENT_MISMATCH"),
    "another type than its own": ("a.png", "image/png", pictures.jpeg(), "CONTENT_MISMATCH"),
    "no extension": ("a", JPEG, pictures.jpeg(), "CONTENT_MISMATCH"),
    "another extension at its end": ("a.jpg.exe", JPEG, pictures.jpeg(), "CONTENT_MISMATCH"),
    "an extension turned round": ("a\u202egpj.exe", JPEG, pictures.jpeg(), "CONTENT_MISMATCH"),
    "no type": ("a.jpg", "application/octet-stream", pictures.jpeg(), "UNSUPPORTED_MEDIA_TYPE"),
    "HTML that says so": ("a.html", "text/html", b"<html>", "UNSUPPORTED_MEDIA_TYPE"),
    "a zip that says so": ("a.zip", "application/zip", documents.zipped({"a": b""}), "UNSUPPORTED_MEDIA_TYPE"),
    "PDF and HTML": ("a.pdf", PDF, documents.pdf(b"x", end=b"<html><script>alert(1)</script>"), "FILE_DAMAGED"),
    "PDF and zip": ("a.pdf", PDF, documents.pdf(b"x", end=documents.zipped({"a": b""})), "FILE_DAMAGED"),
    "zip and tar": (
        "a.docx", DOCX,
        documents.raw_zip([Entry(b"a" * 227 + b"ustar\0" + b"b" * 20), Entry(b"[Content_Types].xml")]),
        "FILE_DAMAGED",
    ),
    "20000x20000": ("a.png", "image/png", pictures.empty_png(20_000, 20_000), "IMAGE_TOO_LARGE"),
    "9 kB of 81 MP": ("a.png", "image/png", pictures.empty_png(9000, 9000), "IMAGE_TOO_LARGE"),
    "1x2^31": (
        "a.png", "image/png",
        pictures.png(
            pictures.png_header(1, 2**31), pictures.chunk(b"IDAT", zlib.compress(b"")), pictures.chunk(b"IEND", b"")
        ),
        "IMAGE_TOO_LARGE",
    ),
    "10,000 frames of GIF": ("a.gif", "image/gif", pictures.gif_frames(10_000), "IMAGE_TOO_LARGE"),
    "10,000 frames of WebP": ("a.webp", "image/webp", pictures.webp_frames(10_000), "IMAGE_TOO_LARGE"),
    "half a JPEG": ("a.jpg", JPEG, pictures.jpeg()[:3000], "FILE_DAMAGED"),
    "a huge profile": ("a.jpg", JPEG, pictures.jpeg(icc_profile=bytes(5_000_000)), "FILE_DAMAGED"),
    "a huge text": (
        "a.png", "image/png", pictures.with_chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(50_000_000), 9)),
        "FILE_DAMAGED",
    ),
    "macros": ("a.docx", DOCX, documents.office("docm", {"word/vbaProject.bin": b""}), "FILE_NOT_ALLOWED"),
    "a password": ("a.docx", DOCX, documents.raw_office(Entry(b"word/a.xml", flags=1)), "FILE_NOT_ALLOWED"),
    "an OLE password": (
        "a.docx", DOCX, documents.ole({"EncryptionInfo": b"", "EncryptedPackage": b""}), "FILE_NOT_ALLOWED",
    ),
    "a link": ("a.docx", DOCX, documents.raw_office(Entry(b"a", b"/etc/passwd", mode=0o120777)), "FILE_NOT_ALLOWED"),
    "a climb": ("a.docx", DOCX, documents.raw_office(Entry(b"../../etc/passwd")), "FILE_NOT_ALLOWED"),
    "an absolute name": ("a.docx", DOCX, documents.raw_office(Entry(b"/etc/passwd")), "FILE_NOT_ALLOWED"),
    "overlapping members": ("a.docx", DOCX, documents.overlapping(), "FILE_DAMAGED"),
    "a wrong list": ("a.docx", DOCX, documents.raw_office(Entry(b"w/a", listed_name=b"w/b")), "FILE_DAMAGED"),
    "1000 to 1": ("a.docx", DOCX, documents.office(more={"a": bytes(40 * 2**20)}), "ARCHIVE_LIMITS"),
    "20 levels": ("a.docx", DOCX, documents.nested(20, b"x"), "ARCHIVE_LIMITS"),
    "10,051 members": ("a.docx", DOCX, documents.office(more={f"{n}": b"" for n in range(10_051)}), "ARCHIVE_LIMITS"),
    **{
        f"SVG {number}": ("a.svg", "image/svg+xml", SVG.format(inside).encode(), "UNSUPPORTED_MEDIA_TYPE")
        for number, inside in enumerate(DRAWINGS)
    },
    "SVG of entities": ("a.svg", "image/svg+xml", ENTITIES.encode(), "UNSUPPORTED_MEDIA_TYPE"),
    "SVG as a picture": ("a.png", "image/png", SVG.format(DRAWINGS[0]).encode(), "CONTENT_MISMATCH"),
}  # fmt: skip

STATUS = {"UNSUPPORTED_MEDIA_TYPE": 415}


@pytest.fixture
async def house(open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path) -> House:
    limits = {"anonymous_requests_per_minute": 10_000, "user_requests_per_minute": 10_000}
    return await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **limits)


async def test_what_is_not_what_it_says_is_refused_with_a_reason_and_leaves_nothing(house: House):
    token, told = await house.api.as_user(), {}
    for what, (name, media_type, content, _) in REFUSED.items():
        reply = await house.upload(token, io.BytesIO(content), name=name, media_type=media_type)
        assert reply.status >= 400, what
        told[what] = (reply.status, reply.json["code"])
        assert len(reply.json["message"]) > 10, what
        if "SVG" in what:
            assert "SVG" in reply.json["message"], what
        assert "Traceback" not in reply.text
    assert told == {what: (STATUS.get(code, 422), code) for what, (_, _, _, code) in REFUSED.items()}
    assert await remains(house) == nothing()


PAYLOAD = b"<script>alert(document.domain)</script><?php system($_GET[0]); ?>"
ARCHIVE = documents.zipped({"a.js": b"alert(1)"}, zipfile.ZIP_STORED)


def commented() -> bytes:
    """A JPEG whose comment, EXIF and end are other things."""
    return pictures.camera((320, 200), orientation=6) + PAYLOAD + ARCHIVE


#: Pictures that are something else as well, or odd, and the size in which they are seen.
ODD: dict[str, tuple[str, str, bytes, tuple[int, int]]] = {
    "JPEG, script and zip": ("a.jpg", JPEG, commented(), (200, 320)),
    "PNG and PHP": ("a.png", "image/png", pictures.encoded(pictures.picture((30, 20)), "PNG") + PAYLOAD, (30, 20)),
    "GIF and script": ("a.gif", "image/gif", pictures.encoded(pictures.picture((9, 5)), "GIF") + PAYLOAD, (9, 5)),
    "CMYK": ("a.jpg", JPEG, pictures.encoded(Image.new("CMYK", (30, 20)), "JPEG"), (30, 20)),
    "16 bits": ("a.png", "image/png", pictures.encoded(Image.new("I;16", (30, 20)), "PNG"), (30, 20)),
    "a directory within itself": (
        "a.jpg", JPEG,
        pictures.jpeg((64, 48), exif=b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8)
                      + struct.pack("<I", 8)),
        (64, 48),
    ),
    "declared with a parameter": ("A.JPG", "image/jpeg; charset=binary", pictures.jpeg((30, 20)), (30, 20)),
    "two extensions": ("a.php.jpg", JPEG, pictures.jpeg((31, 20)), (31, 20)),
    "a dot at its end": ("a.jpg.", JPEG, pictures.jpeg((32, 20)), (32, 20)),
    **{
        f"turned {orientation}": (
            "a.jpg", JPEG, pictures.camera((64, 48), orientation), (64, 48) if orientation < 5 else (48, 64),
        )
        for orientation in range(1, 9)
    },
}  # fmt: skip


@pytest.fixture
async def at_work(house: House) -> AsyncIterator[House]:
    async with house.working():
        yield house


async def test_of_odd_pictures_only_new_ones_are_served_that_are_nothing_else(
    at_work: House, capfd: pytest.CaptureFixture[str]
):
    token = await at_work.api.as_user()
    for what, (name, media_type, content, size) in ODD.items():
        reply = await at_work.upload(
            token, io.BytesIO(content), name=name, media_type=media_type, visibility="public"
        )  # fmt: skip
        assert reply.status == 201, (what, reply.text)
        file = await at_work.ended(token, reply.data["file"]["id"])
        assert (file["status"], (file["width"], file["height"])) == ("clean", size), what
        small = [each["url"] for each in file["variants"] if each["name"] in ("thumbnail", "large")]
        for url in (file["url"], *small):
            answer, served = await at_work.fetch(url.removeprefix(BASE))
            assert answer.content_type in ("image/jpeg", "image/png", "image/webp"), what
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("sandbox")
            seen = Image.open(io.BytesIO(served))
            assert seen.get_format_mimetype() == answer.content_type, what
            assert not seen.getexif(), what
            assert not [bad for bad in (b"<script", b"<?php", b"PK\x03\x04", b"Cairo") if bad in served], what
        assert "<script" not in reply.text + (await at_work.api.get("/files", token=token)).text
    out, err = capfd.readouterr()
    assert "<script" not in out + err
