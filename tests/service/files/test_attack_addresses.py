"""Addresses that strangers name: none is ever fetched or looked up, and none makes the service work for it."""

import asyncio
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from contract.world import NEW_EVENT
from support.house import OpenHouse
from support.pictures import camera

MANY = {"anonymous_requests_per_minute": 10_000, "user_requests_per_minute": 10_000}


class Watched:
    """What this process connects to and looks up. Hooks of the interpreter stay for ever, so this one only listens
    while it is told to."""

    def __init__(self) -> None:
        #: Host and port; of a look-up, the host alone.
        self.connected: list[tuple[str, int]] = []
        self.looked_up: list[str] = []
        self.listening = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event == "socket.connect" and isinstance(arguments[1], tuple):
            self.connected.append(arguments[1][:2])
        elif self.listening and event in ("socket.getaddrinfo", "socket.gethostbyname"):
            self.looked_up.append(str(arguments[0]))


WATCH: list[Watched] = []


@pytest.fixture
def watched() -> Watched:
    if not WATCH:
        WATCH.append(Watched())
    WATCH[0].connected.clear()
    WATCH[0].looked_up.clear()
    return WATCH[0]


@asynccontextmanager
async def trap() -> AsyncIterator[tuple[int, list[bytes]]]:
    """Something on every address of this machine that would answer: with a way on to another of its own."""
    came: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read(1000))
        writer.write(
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 6\r\n\r\nsecret"
        )
        await writer.drain()
        writer.close()

    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    listening = socket.create_server(("", 0), family=family, dualstack_ipv6=both)
    server = await asyncio.start_server(answer, sock=listening)
    try:
        yield listening.getsockname()[1], came
    finally:
        server.close()


def addresses(port: int, store: str) -> list[str]:
    """The ways in which an address within may be said; `port` is that of what must not be asked."""
    hosts = [
        "127.0.0.1", "localhost", "LOCALHOST.", "0.0", "127.1", "2130706433", "017700000001", "0x7f000001",
        "0x7f.0.0.1", "0177.0.0.1", "127.0.0.1.nip.example", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
        "[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[2001:0:7f00:1::]", "[fe80::1%25lo]", "169.254.169.254",
        "[fd00:ec2::254]", "100.64.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "metadata.google.internal",
        "bilten.example.test", "user@127.0.0.1", "bilten.example.test@127.0.0.1", "127.0.0.1#@bilten.example.test",
        "bilten.example.test%00.evil.example", "bilten.example.test.evil.example", "①②⑦.⓪.⓪.①", socket.gethostname(),
    ]  # fmt: skip
    schemes = [
        "file:///etc/passwd", f"gopher://127.0.0.1:{port}/_x", f"ftp://127.0.0.1:{port}/a", f"dict://127.0.0.1:{port}/",
        f"ldap://127.0.0.1:{port}/", "data:text/html,<script>alert(1)</script>", "javascript:alert(1)",
        f"jar:http://127.0.0.1:{port}!/a", f"//127.0.0.1:{port}/uploads/files/a.jpg", f"\\\\127.0.0.1@{port}\\a",
        f"http:127.0.0.1:{port}", f"HTTP://127.0.0.1:{port}", f" http://127.0.0.1:{port}/", "unix:///var/run/clamd.sock",
        f"{store}/", f"{store}/bucket/key", "http://127.0.0.1:3310/",
    ]  # fmt: skip
    return [f"http://{host}:{port}/uploads/files/a.jpg" for host in hosts] + schemes


async def test_no_address_that_is_asked_about_is_fetched_or_looked_up(
    open_house: OpenHouse, watched: Watched, tmp_path: Path
):
    house = await open_house(spool_dir=tmp_path, **MANY)
    store = str(house.api.settings.s3_endpoint).rstrip("/")
    token, organizer = await house.api.as_user(), await house.api.as_organizer()
    event = (await house.api.post("/events", token=organizer, json=NEW_EVENT)).data["event"]["id"]
    # The connections to our own database and of this test are open before anybody listens.
    async with trap() as (port, came):
        asked = addresses(port, store)
        for turn in range(2):
            watched.listening = bool(turn)
            for url in asked if turn else asked[:3]:
                query = {"url": url, "width": 150, "height": 150}
                reply = await house.api.get("/uploads/optimize", params=query)
                assert (reply.status, reply.data["optimized_url"], reply.data["original_url"]) == (200, url, url)
                assert "secret" not in reply.text
                named = await house.api.delete("/uploads/delete", token=token, json={"fileUrl": url})
                assert named.status == 404, url
                # Where a page shows the picture of an address, it is the reader who fetches it.
                shown = await house.api.put(f"/events/{event}", token=organizer, json={"cover_image_url": url})
                assert shown.status in (200, 400), (url, shown.text)
        watched.listening = False
        assert came == []
    own = urlsplit(house.api.settings.database_url.get_secret_value())
    client = urlsplit(house.api.url)
    assert {each for each in watched.connected if each[1] not in (own.port or 5432, client.port)} == set()
    assert set(watched.looked_up) <= {own.hostname}


async def test_pictures_are_given_out_by_the_sizes_there_are_and_no_others(open_house: OpenHouse, tmp_path: Path):
    house = await open_house(spool_dir=tmp_path / "spool", **MANY)
    async with house.working():
        file = await house.clean(await house.api.as_user(), camera((1600, 1200)), visibility="public")
        await house.idle()
    url, before = file["url"], await house.keys()
    for query, status, code in (
        ({"width": "777"}, 400, "UNKNOWN_PRESET"), ({"width": "151", "height": "150"}, 400, "UNKNOWN_PRESET"),
        ({"width": "150", "height": "150", "quality": "3"}, 400, "UNKNOWN_PRESET"),
        ({"width": "9999"}, 400, "UNKNOWN_PRESET"), ({"width": "10001"}, 400, "VALIDATION_ERROR"),
        ({"width": "0"}, 400, "VALIDATION_ERROR"), ({"width": "-1"}, 400, "VALIDATION_ERROR"),
        ({"height": "-150"}, 400, "VALIDATION_ERROR"), ({"width": "1e3"}, 400, "VALIDATION_ERROR"),
        ({"width": "NaN"}, 400, "VALIDATION_ERROR"), ({"width": "Infinity"}, 400, "VALIDATION_ERROR"),
        ({"width": "9" * 5000}, 400, "VALIDATION_ERROR"), ({"width": "150.5"}, 400, "VALIDATION_ERROR"),
        ({"width": "0x96"}, 400, "VALIDATION_ERROR"), ({"width": "\u0661\u0665\u0660"}, 400, "VALIDATION_ERROR"),
        ({"quality": "0"}, 400, "VALIDATION_ERROR"), ({"quality": "101"}, 400, "VALIDATION_ERROR"),
        ({"quality": "-1"}, 400, "VALIDATION_ERROR"), ({"format": "html"}, 400, "VALIDATION_ERROR"),
        ({"format": "svg"}, 400, "VALIDATION_ERROR"), ({"fit": "evil"}, 400, "VALIDATION_ERROR"),
        ({"url": "x" * 2001}, 400, "VALIDATION_ERROR"), ({"url": "a\0b"}, 400, "VALIDATION_ERROR"),
    ):  # fmt: skip
        reply = await house.api.get("/uploads/optimize", params={"url": url, **query})
        assert (reply.status, reply.json["code"]) == (status, code), (query, reply.text[:300])
    assert await house.keys() == before


async def test_a_thousand_addresses_that_differ_make_nothing_and_are_bounded(open_house: OpenHouse, tmp_path: Path):
    house = await open_house(spool_dir=tmp_path / "spool", anonymous_requests_per_minute=100)
    async with house.working():
        file = await house.clean(await house.api.as_user(), camera(), visibility="public")
        await house.idle()
    before, jobs = await house.keys(), await house.api.db.fetchval("select count(*) from jobs")

    def query(number: int) -> dict[str, Any]:
        url = f"{file['url']}?{number}" if number % 3 else file["url"]
        return {"url": url, "width": 1 + number % 997, "height": 1 + number % 991}

    told: Counter[int] = Counter()
    began = time.monotonic()
    for start in range(0, 1000, 50):
        replies = await asyncio.gather(
            *(house.api.get("/uploads/optimize", params=query(number)) for number in range(start, start + 50))
        )
        told.update(reply.status for reply in replies)
        assert all(reply.headers["Retry-After"] for reply in replies if reply.status == 429)
    minutes = (time.monotonic() - began) // 60 + 2
    assert told.keys() <= {200, 400, 429}
    assert told[200] + told[400] <= 100 * minutes
    assert await house.keys() == before
    assert await house.api.db.fetchval("select count(*) from jobs") == jobs
