"""Bodies that claim to be forms: each bound holds, what can be understood in two ways is refused, nothing stays."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.byte_routes import LIMIT, ByteServer, byte_server
from support.forms import BOUNDARY, FILE, Part, form, head, request
from support.raw import exchange
from support.shape import assert_error

BODY = form(FILE)
CHUNKED = head(headers=["Transfer-Encoding: chunked"])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ByteServer]:
    async with byte_server(tmp_path) as running:
        yield running
        await running.has_nothing_left()
        assert (await running.get("/ping")).status == 200


def with_headers(*headers: str) -> bytes:
    return request(form(Part('name="file"; filename="a.png"', b"the bytes", headers)))


UNREADABLE = {
    "no body": request(b""),
    "another boundary": request(form(FILE, boundary="another")),
    "a boundary that goes on": request(form(FILE, boundary=BOUNDARY + "x")),
    "bytes before the first boundary": request(b"This is a multi-part message.\r\n" + BODY),
    "a line before the first boundary": request(b"\r\n" + BODY),
    "no final boundary": request(BODY[: -len(f"\r\n--{BOUNDARY}--\r\n")]),
    "half of the final boundary": request(BODY[:-6]),
    "a final boundary with one dash": request(form(FILE, end=b"-\r\n")),
    "nothing but the boundary": request(f"--{BOUNDARY}\r\n".encode()),
    "line feeds alone": request(BODY.replace(b"\r\n", b"\n")),
    "headers without an end": request(f"--{BOUNDARY}\r\nContent-Disposition: form-data".encode()),
    "no disposition": request(f"--{BOUNDARY}\r\nX: y\r\n\r\nz\r\n--{BOUNDARY}--\r\n".encode()),
    "no name": request(form(Part('filename="a.png"', b"x"))),
    "another disposition": request(BODY.replace(b"form-data;", b"attachment;")),
    "two dispositions": with_headers('Content-Disposition: form-data; name="other"'),
    "two types": with_headers("Content-Type: image/png", "Content-Type: text/html"),
    "17 headers": with_headers(*(f"X-{n}: y" for n in range(16))),
    "10,000 headers": with_headers(*(f"X-{n}: y" for n in range(10_000))),
    "a header of 5 kB": with_headers("X: " + "y" * 5000),
    "a header of 1 MB": request(form(Part(f'name="file"; filename="{"x" * 240_000}"', b"x"))),
    "headers of 12 kB": with_headers(*(f"X-{n}: {'y' * 3000}" for n in range(4))),
    "a header without a colon": with_headers("nonsense"),
    "a folded header": with_headers("X: a", " b", "\tc" * 5, "\t\t"),
    "a header that is not UTF-8": request(form(Part('name="file"; filename="\udcff.png"', b"x"))),
    "a form in a form": with_headers("Content-Type: multipart/mixed; boundary=inner"),
    "a shorter length than its part has": with_headers("Content-Length: 3"),
    "a longer length than its part has": with_headers("Content-Length: 300"),
    "a length that is no number": with_headers("Content-Length: +9"),
    "5,000 parts": request(form(*[Part('name="t"')] * 5000)),
    "1,000 parts": request(form(*[Part('name="t"')] * 1000)),
    "a long end": request(BODY + b"x" * 100_000),
    "text that is not UTF-8": request(form(FILE, Part('name="folder"', b"\xff"))),
    "text with NUL": request(form(FILE, Part('name="folder"', b"a\0b"))),
    "text in another charset": request(form(FILE, Part('name="t"', b"a", ["Content-Type: text/plain; charset=utf-7"]))),
}  # fmt: skip


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_body_that_is_no_form_is_400(server: ByteServer, sent: bytes):
    (answer,) = await exchange(server.url, sent)
    (detail,) = assert_error(answer, 400, "VALIDATION_ERROR")["details"]
    assert detail["code"] in ("invalid_multipart", "invalid_text", "unexpected_file")


@pytest.mark.parametrize(
    "boundary", ["", "x" * 71, "x" * 5000, "a b ", "a\tb", "ä", '"a', "a\\", "a;b", "a@b"], ids=lambda text: text[:8]
)  # fmt: skip
async def test_a_boundary_that_cannot_be_one_is_400(server: ByteServer, boundary: str):
    (answer,) = await exchange(server.url, head(boundary=f'"{boundary}"', headers=["Content-Length: 5"]) + b"hello")
    (detail,) = assert_error(answer, 400, "VALIDATION_ERROR")["details"]
    assert detail["code"] in ("invalid_boundary", "invalid_multipart")


@pytest.mark.parametrize("boundary", ["x" * 70, "a'()+_,-./:=?b", "a b", "-" * 69])
async def test_a_boundary_that_is_quoted_and_odd_is_understood(server: ByteServer, boundary: str):
    (answer,) = await exchange(
        server.url, request(form(FILE, boundary=boundary), boundary=f'"{boundary}"; charset=utf-8')
    )
    assert answer.status == 201, answer.text


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/mixed; boundary=a-boundary", "multipart/form-data-x; boundary=a-boundary",
     "application/x-www-form-urlencoded", "text/plain"],
)  # fmt: skip
async def test_a_body_of_another_type_is_415_and_not_waited_for(server: ByteServer, content_type: str):
    lines = ["POST /api/v1/one HTTP/1.1", "Host: bilten", "Content-Length: 1000", f"Content-Type: {content_type}"]
    (answer,) = await exchange(server.url, "\r\n".join(lines).encode() + b"\r\n\r\n")
    assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_a_body_without_a_type_is_415(server: ByteServer):
    (answer,) = await exchange(server.url, b"POST /api/v1/one HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
    assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


ENCODED = {
    "the body, by gzip": request(gzip.compress(bytes(50_000_000)), headers=["Content-Encoding: gzip"]),
    "the body, by nothing": request(BODY, headers=["Content-Encoding: identity"]),
    "a part, by gzip": with_headers("Content-Encoding: gzip"),
    "a part, by base64": with_headers("Content-Transfer-Encoding: base64"),
    "a part, by quoted-printable": with_headers("content-transfer-encoding: Quoted-Printable"),
}


@pytest.mark.parametrize("sent", ENCODED.values(), ids=ENCODED)
async def test_what_is_encoded_once_more_is_415(server: ByteServer, sent: bytes):
    (answer,) = await exchange(server.url, sent)
    assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "Binary"])
async def test_a_part_that_says_it_is_not_encoded_is_taken(server: ByteServer, encoding: str):
    (answer,) = await exchange(server.url, with_headers(f"Content-Transfer-Encoding: {encoding}"))
    assert answer.status == 201, answer.text


async def test_a_length_beyond_the_limit_is_413_before_the_body_is_sent(server: ByteServer):
    (answer,) = await exchange(server.url, head(headers=["Content-Length: 500000"]))
    refused = assert_error(answer, 413, "FILE_TOO_LARGE")
    assert str(LIMIT) in refused["message"]


async def test_a_file_with_one_byte_too_many_is_413(server: ByteServer):
    (answer,) = await exchange(server.url, request(form(Part('name="file"; filename="a"', bytes(LIMIT + 1)))))
    assert_error(answer, 413, "FILE_TOO_LARGE")


async def test_text_beyond_its_limit_is_413(server: ByteServer):
    parts = [Part('name="folder"', b"x" * 40_000)] * 2
    (answer,) = await exchange(server.url, request(form(*parts, FILE)))
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


def chunks(*pieces: bytes) -> Iterator[bytes]:
    for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


ENDLESS = {
    "before the first boundary": (b"", 400),
    "in a header": (f"--{BOUNDARY}\r\nX: ".encode(), 400),
    "in a file": (BODY.split(b"the bytes")[0], 413),
    "in a text": (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="t"\r\n\r\n'.encode(), 413),
    "after the last boundary": (BODY, 400),
}  # fmt: skip


@pytest.mark.parametrize(("begin", "status"), ENDLESS.values(), ids=ENDLESS)
async def test_a_body_that_does_not_end_is_refused_soon(server: ByteServer, begin: bytes, status: int):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield CHUNKED
        yield from chunks(begin) if begin else ()
        while True:
            yield from chunks(b"x" * 65536)
            sent += 65536

    (answer,) = await exchange(server.url, endless())
    assert_error(answer, status)
    assert sent < 16 * 2**20


async def test_new_parts_without_end_are_refused_soon(server: ByteServer):
    def endless() -> Iterator[bytes]:
        yield CHUNKED
        while True:
            yield from chunks(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="t"\r\n\r\nx\r\n'.encode())

    (answer,) = await exchange(server.url, endless())
    assert_error(answer, 400)


async def test_a_form_byte_by_byte_is_the_form(server: ByteServer):
    (answer,) = await exchange(
        server.url, iter([CHUNKED, *chunks(*(BODY[n : n + 1] for n in range(len(BODY)))), b"0\r\n\r\n"])
    )
    assert answer.status == 201, answer.text


async def test_a_body_shorter_than_its_length_is_400(server: ByteServer):
    reader, writer = await asyncio.open_connection(*server.url.removeprefix("http://").split(":"))
    writer.write(head(headers=[f"Content-Length: {len(BODY) + 100}"]) + BODY)
    writer.write_eof()
    await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_a_body_longer_than_its_length_is_cut_there(server: ByteServer):
    first, *_ = await exchange(server.url, head(headers=[f"Content-Length: {len(BODY) - 10}"]) + BODY, answers=2)
    assert_error(first, 400)
