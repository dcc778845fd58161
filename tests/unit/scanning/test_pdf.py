"""PDFs: whole ones are taken; what is another thing as well, or unpacks to too much, is not."""

import os
import time
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


def framed(content: bytes) -> bytes:
    return b"%PDF-1.7\n" + content + b"\nstartxref\n9\n%%EOF\n"


#: A deflated block of nine bytes as they are, which are the start of the next stream: each is the head of all others.
_LINK = b"\0\x09\0\xf6\xffstream\n\x78\x01"
CHAINS = {
    "no end": (framed(b"stream\n" * 300_000), "FILE_DAMAGED"),
    "one end": (framed(b"stream\n" * 300_000 + b"endstream"), None),
    "one tail": (framed(b"stream\n\x78\x01" + _LINK * 20_000 + b"\0\0\0\xff\xff" * 800_000 + b"endstream"),
                 "ARCHIVE_LIMITS"),
    "no deflate": (framed(b"stream\n\x78\x9c\xff" * 300_000 + b"endstream"), "ARCHIVE_LIMITS"),
}  # fmt: skip


@pytest.mark.parametrize("chain", CHAINS)
def test_streams_that_lie_in_one_another_are_looked_at_soon(tmp_path: Path, chain: str):
    content, code = CHAINS[chain]
    began = time.process_time()
    if code:
        assert refused(tmp_path, content) == code
    else:
        inspected(tmp_path, content)
    assert time.process_time() - began < 5


def test_a_stream_is_looked_into_wherever_one_before_it_seems_to_start(tmp_path: Path):
    bomb = documents.pdf(zlib.compress(zlib.compress(b"thrice")))
    for word in (b"% stream\n", b"% stream\n\x78\x9c", b"(stream \r\n)"):
        assert refused(tmp_path, bomb.replace(b"2 0 obj", word + b" 2 0 obj")) == "ARCHIVE_LIMITS"
    for line in (b"stream\r", b"stream \n"):
        assert refused(tmp_path, bomb.replace(b"\nstream\n", b"\n" + line)) == "ARCHIVE_LIMITS"


def test_what_a_torn_stream_unpacks_to_before_it_tears_is_looked_into(tmp_path: Path):
    torn = zlib.compress(b"Rar!\x1a\x07\0" + os.urandom(90_000))[:-9000] + bytes(5000)
    assert refused(tmp_path, framed(b"stream\n" + torn + b"\nendstream")) == "ARCHIVE_LIMITS"
