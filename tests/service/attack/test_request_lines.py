"""What is no request, or hardly one: an answer in the error shape, and the next connection works."""

import pytest
from fixtures.api import Api
from support.raw import exchange
from support.shape import assert_error

ORIGIN = b"Origin: http://localhost:3000\r\n"
HEADERS = b"Host: bilten\r\n" + ORIGIN + b"\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GARBAGE\r\n\r\n", id="one word"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="a TLS greeting"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="an HTTP/2 preface"),
        pytest.param(b"GET / HTTP/9.9\r\n" + HEADERS, id="a version that is not"),
        pytest.param(b"GET /livez HTTP/1.1\r\n\r\n", id="no Host"),
        pytest.param(b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", id="two Hosts"),
        pytest.param(b"get /livez HTTP/1.1\r\n" + HEADERS, id="a method in lower case"),
        pytest.param(b"BREW /api/v1/events HTTP/1.1\r\n" + HEADERS, id="an unknown method"),
        pytest.param(b"GET livez HTTP/1.1\r\n" + HEADERS, id="a path without its slash"),
        pytest.param(b"GET http://[::1/livez HTTP/1.1\r\n" + HEADERS, id="half an IPv6 address"),
        pytest.param(b"GET http://a:99999999/livez HTTP/1.1\r\n" + HEADERS, id="a port beyond all ports"),
        pytest.param(b"GET /livez HTTP/1.1\nHost: x\n\n", id="bare line feeds"),
        pytest.param(b"GET /livez HTTP/1.1\r\nX-A: 1\r\n  folded\r\n" + HEADERS, id="a folded header"),
        pytest.param(b"GET /livez HTTP/1.1\r\nX-A : 1\r\n" + HEADERS, id="a blank before the colon"),
        pytest.param(b"GET /livez HTTP/1.1\r\nX-A: a\0b\r\n" + HEADERS, id="NUL in a header"),
        pytest.param(b"GET /livez HTTP/1.1\r\nX-A: a\rb\r\n" + HEADERS, id="a carriage return in a header"),
        pytest.param(b"GET /livez HTTP/1.1\r\nno colon\r\n" + HEADERS, id="a header without a colon"),
        pytest.param(b"GET /livez HTTP/1.1\r\nX-A: " + b"a" * 20_000 + b"\r\n" + HEADERS, id="a header of 20 kB"),
        pytest.param(b"GET /livez HTTP/1.1\r\n" + b"X-A: 1\r\n" * 2000 + HEADERS, id="2000 headers"),
        pytest.param(b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HEADERS, id="a path of 20 kB"),
        pytest.param(b"GET /api/v1/events/\xff HTTP/1.1\r\n" + HEADERS, id="a bare byte in the path"),
        pytest.param(b"GET /api/v1/events/\0 HTTP/1.1\r\n" + HEADERS, id="NUL in the path"),
        pytest.param(b"GET /api/v1/events?a=\xff HTTP/1.1\r\n" + HEADERS, id="a bare byte in the query"),
    ],
)
async def test_what_cannot_be_read_is_answered_in_the_error_shape(api: Api, request_bytes: bytes):
    answers = await exchange(api.url, request_bytes, answers=5)
    assert len(answers) == 1
    assert_error(answers[0], 400, "BAD_REQUEST")
    assert (await api.get("//livez")).status == 200


async def test_a_browser_may_read_the_refusal_where_its_origin_could_be_read(api: Api):
    for request in (b"GET / HTTP/9.9\r\n", b"GET /livez HTTP/1.1\r\n" + b"X-A: 1\r\n" * 200):
        (answer,) = await exchange(api.url, request + HEADERS)
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
        assert answer.headers["Vary"] == "Origin"
        (answer,) = await exchange(api.url, request + HEADERS.replace(b":3000", b":3999"))
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_the_first_version_of_http_is_still_answered(api: Api):
    (answer,) = await exchange(api.url, b"GET /livez HTTP/1.0\r\n\r\n")
    assert answer.status == 200
    (answer,) = await exchange(api.url, b"GET /no/such/path HTTP/1.0\r\n\r\n")
    assert_error(answer, 404, "NOT_FOUND")


async def test_empty_lines_before_a_request_are_overlooked(api: Api):
    (answer,) = await exchange(api.url, b"\r\n\r\nGET /livez HTTP/1.1\r\n" + HEADERS)
    assert answer.status == 200


async def test_requests_sent_in_one_go_are_answered_in_order(api: Api):
    one = b"GET /livez HTTP/1.1\r\nX-Request-ID: %s\r\n" + HEADERS
    answers = await exchange(api.url, b"".join(one % name for name in (b"a", b"b", b"c")), answers=3)
    assert [answer.headers["X-Request-ID"] for answer in answers] == ["a", "b", "c"]


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PATCH", "DELETE", "PROPFIND"])
async def test_a_method_that_an_address_does_not_take_is_405_with_those_it_takes(api: Api, method: str):
    reply = await api.request(method, "/auth/login")
    assert_error(reply, 405, "METHOD_NOT_ALLOWED")
    assert reply.headers["Allow"] == "POST"


@pytest.mark.parametrize("target", ["*", "evil.example:443", "//livez", "//evil.example/%2f.."])
async def test_odd_targets_are_not_found(api: Api, target: str):
    method = {"*": "OPTIONS", "evil.example:443": "CONNECT"}.get(target, "GET")
    (answer,) = await exchange(api.url, f"{method} {target} HTTP/1.1\r\n".encode() + HEADERS)
    assert_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.0"])
async def test_an_upgrade_that_is_not_offered_is_overlooked(api: Api, upgrade: bytes):
    request = b"GET /livez HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n" + HEADERS
    (answer,) = await exchange(api.url, request)
    assert answer.status == 200
