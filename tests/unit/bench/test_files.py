"""What the benchmarks of files send: as long as it says, and never the same twice."""

import hashlib

from bench.files_client import form
from bench.files_stage import unlike


async def test_a_form_is_as_long_as_its_header_says_and_ends_with_the_file():
    content = bytes(range(256)) * 3000
    headers, body = form({"key": "a/b", "policy": "c"}, content, "a.pdf", "application/pdf")
    sent = b"".join([bytes(piece) async for piece in body])
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()
    assert len(sent) == int(headers["Content-Length"])
    assert sent.startswith(b"--" + boundary + b'\r\nContent-Disposition: form-data; name="key"\r\n\r\na/b\r\n')
    assert sent.endswith(content + b"\r\n--" + boundary + b"--\r\n")


def test_of_one_content_as_many_are_made_as_are_asked_for():
    content = bytes(100)
    made = [unlike(content, 40) for _ in range(3)]
    assert {(len(each), each[:40], each[56:]) for each in made} == {(100, content[:40], content[56:])}
    assert len({hashlib.sha256(each).digest() for each in made}) == 3
