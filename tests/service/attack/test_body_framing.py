"""How long a body is and how it arrives: limits hold before memory does, and no two readers can disagree."""

import asyncio
import io
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fixtures.api import Api
from support.raw import exchange
from support.shape import assert_error

LIMIT = 1024 * 1024
LOGIN = json.dumps({"email": "user@bilten.com", "password": "user123"}).encode()
HEAD = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: bilten\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
JSON = {"Content-Type": "application/json"}


async def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not(api: Api):
    padded = LOGIN + b" " * (LIMIT - len(LOGIN))
    assert (await api.post("/auth/login", data=io.BytesIO(padded), headers=JSON)).status == 200
    refused = assert_error(
        await api.post("/auth/login", data=io.BytesIO(padded + b" "), headers=JSON), 413, "PAYLOAD_TOO_LARGE"
    )
    assert str(LIMIT) in refused["message"]


async def test_a_length_beyond_the_limit_is_refused_before_the_body_is_sent(api: Api):
    (answer,) = await exchange(api.url, HEAD + b"Content-Length: 2000000\r\n\r\n")
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_a_body_without_a_length_is_refused_when_it_passes_the_limit(api: Api):
    def endless() -> Iterator[bytes]:
        yield CHUNKED
        for _ in range(4000):
            yield b"10000\r\n" + b" " * 0x10000 + b"\r\n"

    (answer,) = await exchange(api.url, endless())
    assert_error(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_whoever_sends_all_of_a_large_body_before_reading_gets_the_answer_too(api: Api):
    address = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(HEAD + b"Content-Length: 4000000\r\n\r\n" + b" " * 4_000_000)
    async with asyncio.timeout(10):
        await writer.drain()
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
    writer.transport.abort()


async def test_who_may_not_call_is_told_before_anything_of_the_body_is_read(api: Api):
    guarded = HEAD.replace(b"POST /api/v1/auth/login", b"PUT /api/v1/users/profile")
    for wrong in (b"Content-Length: 2000000", b"Content-Encoding: gzip\r\nContent-Length: 9", b"Content-Length: 9"):
        (answer,) = await exchange(api.url, guarded.replace(b"application/json", b"text/x") + wrong + b"\r\n\r\n")
        assert_error(answer, 401, "UNAUTHORIZED")


async def test_a_body_shorter_than_it_says_is_waited_for_and_costs_nobody_else(api: Api):
    address = urlsplit(api.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(HEAD + b"Content-Length: 100\r\n\r\n" + LOGIN[:10])
    await writer.drain()
    assert (await api.post("/auth/login", data=LOGIN, headers=JSON)).status == 200
    writer.transport.abort()
    assert (await api.get("//livez")).status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", id="a chunk's length is no number"),
        pytest.param(CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", id="a chunk's length is negative"),
        pytest.param(CHUNKED + b"2\r\n{}XX\r\n0\r\n\r\n", id="a chunk is longer than it says"),
        pytest.param(CHUNKED + b"fffffffffffffffff\r\n{}", id="a chunk's length overflows"),
        pytest.param(HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both framings"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", id="both, reversed"),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="an unknown coding"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", id="chunked is not the last"),
        pytest.param(HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", id="a blank before the colon"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: -2\r\n\r\n{}", id="a negative length"),
        pytest.param(HEAD + b"Content-Length: +2\r\n\r\n{}", id="a length with a sign"),
        pytest.param(HEAD + b"Content-Length: 0x2\r\n\r\n{}", id="a hexadecimal length"),
        pytest.param(HEAD + b"Content-Length: 2, 2\r\n\r\n{}", id="a list of lengths"),
        pytest.param(HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}", id="a length beyond all numbers"),
        pytest.param(HEAD + b"Content-Length: 2\r\n\r\n{}SMUGGLED / HTTP/1.1\r\n\r\n", id="more than the length"),
    ],
)
async def test_framing_that_two_readers_could_take_differently_is_refused(api: Api, request_bytes: bytes):
    answers = await exchange(api.url, request_bytes, answers=5)
    assert len(answers) == 1, "the connection ends with the refusal: nothing after it is taken for a request"
    assert_error(answers[0], 400, "BAD_REQUEST")


async def test_a_chunk_that_breaks_after_the_request_has_begun_is_refused(api: Api):
    def in_two_pieces() -> Iterator[bytes]:
        yield CHUNKED + b"2\r\n{}\r\n"
        yield b"not a length\r\n\r\n"

    (answer,) = await exchange(api.url, in_two_pieces())
    assert_error(answer, 400, "BAD_REQUEST")


async def test_chunks_their_extensions_and_trailers_are_understood_and_trailers_are_no_headers(api: Api):
    body = b"%x;name=value\r\n%s\r\n0\r\nAuthorization: Bearer x\r\nX-Request-ID: trailer\r\n\r\n" % (len(LOGIN), LOGIN)
    (answer,) = await exchange(api.url, CHUNKED + body)
    assert answer.status == 200
    assert answer.headers["X-Request-ID"] != "trailer"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity", "no-such-coding", "gzip, gzip"])
async def test_an_encoded_body_is_refused_unread(api: Api, coding: str):
    request = HEAD + f"Content-Encoding: {coding}\r\nContent-Length: {len(LOGIN)}\r\n\r\n".encode() + LOGIN
    (answer,) = await exchange(api.url, request)
    assert_error(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_expectation_that_is_not_understood_is_refused_in_the_same_shape(api: Api):
    expecting = HEAD + b"Origin: http://localhost:3000\r\nExpect: magic\r\nContent-Length: 2\r\n\r\n{}"
    (answer,) = await exchange(api.url, expecting)
    assert_error(answer, 417, "EXPECTATION_FAILED")
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on(api: Api):
    asking = HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(LOGIN)
    go_on, answer = await exchange(api.url, [asking, LOGIN], answers=2)
    assert (go_on.status, answer.status) == (100, 200)


async def test_a_client_whose_call_is_refused_is_not_told_to_send_its_body(api: Api):
    guarded = HEAD.replace(b"POST /api/v1/auth/login", b"PUT /api/v1/users/profile")
    (answer,) = await exchange(api.url, guarded + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
    assert_error(answer, 401, "UNAUTHORIZED")
