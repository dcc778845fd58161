"""PDFs: whole ones are taken; what is another thing as well, or unpacks to too much, is not."""

import zlib
from pathlib import Path

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.inspect import inspect_file
from bilten.scanning.limits import Limits
from bilten.scanning.types import AllowedTypes
from support import documents

MIB = 1024 * 1024


def inspected(folder: Path, content: bytes) -> dict[str, object]:
    path = folder / "upload"
    path.write_bytes(content)
    return inspect_file(str(path), "a.pdf", "pdf", AllowedTypes(), Limits())


def refused(folder: Path, content: bytes) -> str:
    with pytest.raises(Refused) as refusal:
        inspected(folder, content)
    return refusal.value.code


@pytest.mark.parametrize(
    "content",
    [
        documents.pdf(),
        documents.pdf(b"BT /F1 12 Tf (hello) Tj ET" * 90, bytes(30 * MIB)),
        documents.pdf(b"x", head=b"%PDF-2.0\n%\xe2\xe3\xcf\xd3\n"),
        documents.pdf(b"x", end=b"\r\n\0\0 "),
        documents.pdf(*[b"page"] * 5000),
        documents.pdf(zlib.compress(b"twice")),
        documents.pdf(b"a", b"b") + b"5 0 obj\n<<>>\nendobj\nstartxref\n99\n%%EOF",
        documents.pdf(b"x", trailer=b"/EncryptMetadata false /Encryption#201 5 0 R"),
    ],
    ids=["empty", "large", "2.0", "white end", "5000 streams", "deflated twice", "updated", "words like Encrypt"],
)
def test_a_pdf_is_taken(tmp_path: Path, content: bytes):
    assert inspected(tmp_path, content) == {"width": None, "height": None, "frames": None}


@pytest.mark.parametrize(
    "content",
    [
        documents.pdf(b"x", end=b"<html><script>alert(1)</script>"),
        documents.pdf(b"x", end=b"%PDF-1.7 once more"),
        documents.pdf(b"x", end=documents.zipped({"a.exe": b"MZ"})),
        documents.pdf(b"x", end=b"PK\x05\x06" + bytes(16) + b"\x19\0startxref\n99999999\n%%EOF\n"),
        documents.pdf(b"x", head=b"%PDF-1.7\n<html><body>"),
        documents.pdf(b"x", head=b"%PDF-1.7\n<?php system(1); ?>"),
        documents.pdf(b"x", head=b"%PDF-x\n"),
        documents.pdf(b"x" * 9000)[:-40],
        b"%PDF-1.7",
    ],
    ids=[
        "html at its end",
        "another",
        "zip",
        "zip whose comment ends it",
        "html",
        "php",
        "no version",
        "cut off",
        "bare",
    ],
)
def test_what_is_another_thing_as_well_or_has_no_end_is_refused(tmp_path: Path, content: bytes):
    assert refused(tmp_path, content) == "FILE_DAMAGED"


@pytest.mark.parametrize(
    "content",
    [
        documents.pdf(bytes(105 * MIB)),
        documents.pdf(*[bytes(30 * MIB)] * 7),
        documents.pdf(zlib.compress(bytes(105 * MIB), 9)),
        documents.pdf(zlib.compress(zlib.compress(b"thrice"))),
        documents.pdf(documents.nested(5, b"attached")),
        documents.pdf(documents.zipped({"a": bytes(105 * MIB)})),
    ],
    ids=["105 MB", "210 MB in seven", "105 MB deflated twice", "deflated thrice", "attached levels", "attached bomb"],
)
def test_streams_beyond_the_bounds_are_refused(tmp_path: Path, content: bytes):
    assert refused(tmp_path, content) == "ARCHIVE_LIMITS"


@pytest.mark.parametrize(
    "word",
    [b"/Encrypt 5 0 R", b"/Encrypt<<>>", b"/Encr#79pt 5 0 R", b"/#45#6e#63#72#79#70#74 5 0 R", b"/#45#6Ecrypt 5 0 R",
     b"/Encrypt%\n 5 0 R", b"/Encrypt\0005 0 R", b"/Encrypt\r5 0 R", b"/Encrypt/Size 6"],
)  # fmt: skip
def test_an_encrypted_pdf_is_refused_however_its_trailer_spells_it(tmp_path: Path, word: bytes):
    assert refused(tmp_path, documents.pdf(b"x", trailer=word)) == "FILE_NOT_ALLOWED"
