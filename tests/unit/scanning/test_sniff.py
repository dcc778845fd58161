"""First bytes, extension and declared type have to say the same."""

import re

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.sniff import agree, sniff
from bilten.scanning.types import BY_NAME, AllowedTypes

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
HEADS = {
    "jpeg": JPEG,
    "png": PNG,
    "gif": b"GIF89a\x01\0\x01\0",
    "webp": b"RIFF\x10\0\0\0WEBPVP8 ",
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04\x14\0",
    "ole": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0",
}
SVG = b'<?xml version="1.0"?>\n<!-- drawn by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'


def refused_as(head: bytes, name: str, declared: str) -> Refused:
    with pytest.raises(Refused) as refused:
        agree(head, name=name, declared=BY_NAME[declared], allowed=AllowedTypes())
    assert refused.value.code == "CONTENT_MISMATCH"
    return refused.value


@pytest.mark.parametrize(("family", "head"), HEADS.items())
def test_the_first_bytes_name_the_family(family: str, head: bytes):
    assert sniff(head).family == family


@pytest.mark.parametrize(
    ("head", "name", "declared"),
    [
        (HEADS["jpeg"], "a.jpg", "jpeg"),
        (HEADS["jpeg"], "A.JPEG", "jpeg"),
        (HEADS["png"], "a.b.png", "png"),
        (HEADS["pdf"], "a.pdf", "pdf"),
        (HEADS["zip"], "a.docx", "docx"),
        (HEADS["zip"], "a.odt", "odt"),
        (HEADS["ole"], "a.doc", "doc"),
    ],
)
def test_a_file_that_is_what_it_is_called_is_taken(head: bytes, name: str, declared: str):
    agree(head, name=name, declared=BY_NAME[declared], allowed=AllowedTypes())


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf  <html>", "HTML"),
        (b"<script>alert(1)</script>", "HTML"),
        (b"alert(document.cookie)", "something else"),
        (b"MZ\x90\0", "Windows program"),
        (b"<?php system($_GET[1]); ?>", "PHP"),
        (SVG, "SVG.*export it as PNG"),
        (b"<svg onload=alert(1)>", "SVG"),
        (HEADS["pdf"], "PDF"),
        (HEADS["zip"], "zip archive"),
        (b"\0\0\0\x18ftypmp42", "video"),
        (b"\0\0\0\x18ftypheic", "HEIF"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"a.txt" + bytes(252) + b"ustar\x0000", "tar archive"),
        (b"\xff\xd8", "something else"),
        (b"", "something else"),
        (PNG, "PNG"),
    ],
)
def test_whatever_is_not_a_jpeg_is_refused_as_one_and_named(head: bytes, said: str):
    assert re.search(said, refused_as(head, "a.jpg", "jpeg").message)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a", "no extension"),
        (".jpg", "no extension"),
        ("a.png", r"\.png"),
        ("a.jpg.exe", r"\.exe"),
        ("a.svg", r"\.svg"),
    ],
)
def test_a_name_with_another_extension_or_none_is_refused(name: str, said: str):
    assert re.search(said, refused_as(JPEG, name, "jpeg").message)
