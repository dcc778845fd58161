"""What is asked of addresses: only what is theirs is served, as what it is, and nothing of it outlives its file."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode
from uuid import UUID

import aiohttp
import pytest
from bilten.local import ports
from bilten.local.clamd import Clamd
from bilten.local.family import Family
from fixtures import machine
from fixtures.api import Reply
from fixtures.cache import TOKEN, varnish_before
from pydantic import SecretStr
from support.forms import BOUNDARY, Part, form
from support.house import House, OpenHouse, letter
from support.jobs import until
from support.pictures import camera
from support.raw import exchange
from support.scanned import impostor, taken
from yarl import URL

BASE = "http://bilten.example.test"
PDF = {"name": "letter.pdf", "media_type": "application/pdf"}
MANY = {"anonymous_requests_per_minute": 10_000, "user_requests_per_minute": 10_000}

CLIMBS = [
    "../", "..%2f", "%2e%2e/", "%2e%2e%2f", "%252e%252e%252f", "..%5c", "..%255c", "..\\", "....//", ".%00./",
    "%c0%ae%c0%ae/", "%e2%80%a5/", "%ef%bc%8e%ef%bc%8e/", "%u002e%u002e/", "%2e%2e;/",
]  # fmt: skip
GOALS = ["etc/passwd", "originals/{version}", "{version}", "health"]
ABSOLUTE = [
    "/etc/passwd", "%2fetc%2fpasswd", "C:%5cwindows%5cwin.ini", "C:/windows/win.ini", "%5c%5chost%5cshare", "a%00.jpg",
    "{key}%00", "{key}/", "{key}/.", "{key}%2f..", "./{key}x", "{key}.jpg", "%20{key}", "{upper}", "{key}%20",
    "originals%2f{version}", "..;/{key}", "file:%2f%2f%2fetc%2fpasswd", "x" * 5000,
]  # fmt: skip


@pytest.fixture
async def house(open_house: OpenHouse, clamd_server: Clamd, tmp_path: Path) -> AsyncIterator[House]:
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **MANY)
    async with house.working():
        yield house


async def test_no_spelling_of_a_path_leads_out_of_what_is_served(house: House):
    token = await house.api.as_user()
    file = await house.clean(token, camera(), visibility="public")
    secret = await house.clean(token, letter(b"nobody else's"), **PDF)
    key = file["url"].rpartition("/")[2]
    private = next(each for each in (await house.keys())["media"] if each.endswith(".pdf"))
    names = {"key": key, "upper": key.upper(), "version": key[:32]}
    wanted = [climb * 3 + goal for climb in CLIMBS for goal in GOALS] + [*ABSOLUTE, private]
    told: dict[str, int] = {}
    for root in ("/uploads/files/", "/api/v1/uploads/files/", "/uploads/", "/api/v1/files/", "/api/v1/files/signed/"):
        for each in wanted:
            path = root + each.format(**names)
            (answer,) = await exchange(house.api.url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if answer.status not in (400, 401, 403, 404):
                told[path] = answer.status
            assert "root:" not in answer.text
            assert "Traceback" not in answer.text
    # A path that a client has made shorter is another path, and may be a page of the service.
    assert not {path: status for path, status in told.items() if status != 200 or "health" not in path}
    assert (await house.file(token, secret["id"]))["status"] == "clean"


async def named(house: House, token: str, name: str, content: bytes, *more: Part) -> Reply:
    """Upload under exactly this name, as no client library would."""
    file = Part(f"name=\"file\"; filename*=UTF-8''{quote(name, safe='')}", content, ["Content-Type: application/pdf"])
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await house.api.post("/files", token=token, data=form(file, *more), headers=headers)


async def test_names_folders_and_tags_are_words_and_never_places(house: House):
    token, content = await house.api.as_user(), letter()
    for name in ("../../etc/a.pdf", "..\\..\\a.pdf", "C:\\x\\a.pdf", "/etc/a.pdf", "\\\\host\\share\\a.pdf", "‥/a.pdf"):
        reply = await named(house, token, name, content)
        assert (reply.status, reply.data["file"]["name"]) == (201, "a.pdf"), name
    for field, value in (
        ("folder", "../etc"), ("folder", "/a/../b"), ("folder", "/a/./b"), ("folder", "\\\\host\\share"),
        ("folder", "C:\\x"), ("folder", "/a//b"), ("folder", "/a\nb"), ("tags", "a\r\nX: y"), ("alt_text", "a\r\nb"),
    ):  # fmt: skip
        reply = await house.upload(token, io.BytesIO(content), **PDF, **{field: value})
        assert (reply.status, reply.json["code"]) == (400, "VALIDATION_ERROR"), (field, value)
    kept = await house.upload(token, io.BytesIO(content), **PDF, tags="../../etc/passwd", folder="/%2e%2e/x")
    assert (kept.data["file"]["tags"], kept.data["file"]["folder"]) == (["../../etc/passwd"], "/%2e%2e/x")
    await house.idle()
    keys = await house.keys()
    assert all(set(key) <= set("0123456789abcdef-.pdf") for of in keys.values() for key in of)


async def test_a_name_never_becomes_a_header_or_a_type(house: House):
    token, stored = await house.api.as_user(), []
    for name in ('a"; filename="b.html".pdf', "a\r\nX-Evil: 1\r\n\r\n<script>.pdf", "ü\u202egpj.pdf", "a;b=c,d.pdf"):
        reply = await named(house, token, name, letter(), Part('name="visibility"', b"public"))
        assert reply.status == 201, reply.text
        file = await house.ended(token, reply.data["file"]["id"])
        stored.append(file["name"])
        answer, _ = await house.fetch(file["url"].removeprefix(BASE))
        said = answer.headers["Content-Disposition"]
        assert said.startswith('attachment; filename="'), said
        assert "X-Evil" not in answer.headers
        assert (answer.content_type, answer.headers["X-Content-Type-Options"]) == ("application/pdf", "nosniff")
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert said.isascii()
        assert answer.content_disposition is not None
        assert answer.content_disposition.filename in (file["name"], file["name"].replace('"', "_"))
    assert not [name for name in stored if set(name) & set('"\r\n\u202e<>')]


async def test_a_public_address_is_asked_as_http_says(house: House):
    token = await house.api.as_user()
    file = await house.clean(token, letter(b"of some length"), **PDF, visibility="public")
    path = file["url"].removeprefix(BASE)
    whole, content = await house.fetch(path)
    tag, size = whole.headers["ETag"], len(content)
    for headers, status, part in (
        ({"If-None-Match": f'"x", W/{tag}'}, 304, b""), ({"If-None-Match": "*"}, 304, b""),
        ({"If-None-Match": '"x"'}, 200, content), ({"Range": "bytes=-5"}, 206, content[-5:]),
        ({"Range": "bytes=2-4"}, 206, content[2:5]), ({"Range": "bytes=0-1,5-6"}, 200, content),
        ({"Range": "bytes=2-4", "If-Range": tag}, 206, content[2:5]),
        ({"Range": "bytes=2-4", "If-Range": '"x"'}, 200, content),
        ({"Range": f"bytes={size}-"}, 416, None), ({"Range": "bytes=4-2"}, 200, content),
    ):  # fmt: skip
        answer, came = await house.fetch(path, **headers)
        assert (answer.status, came if part is not None else None) == (status, part), headers
        if status == 416:
            assert answer.headers["Content-Range"] == f"bytes */{size}"
    async with aiohttp.ClientSession() as session, session.head(house.api.url + path) as head:
        apart = {"Date", "X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}
        assert {name: head.headers.get(name) for name in whole.headers.keys() - apart} == {
            name: whole.headers[name] for name in whole.headers.keys() - apart
        }


async def test_a_link_is_good_for_what_it_was_given_for_and_until_then(house: House):
    token = await house.api.as_user()
    file = await house.clean(token, camera())
    given = (await house.api.get(f"/files/{file['id']}/url?variant=thumbnail", token=token)).data["url"]
    path, _, query = given.removeprefix(BASE).partition("?")
    signer, row = house.api.services.links, file["id"]
    seconds_ago = signer.sign(UUID(row), path, expires_at=int(time.time()) - 1, epoch=0)
    download = query.replace("variant=thumbnail&", "")
    for method, asked, status in (
        ("GET", f"{path}?{query}", 200), ("HEAD", f"{path}?{query}", 200),
        ("GET", path.replace("/api/v1", "/api") + f"?{query}", 200),
        ("GET", f"{path}?{query}&variant=large", 403), ("GET", f"{path}?variant=large&{query}", 403),
        ("GET", f"{path}?{query}&w=100&w=9999", 403), ("GET", f"{path}?{query}&", 200),
        ("GET", f"{path}?signature=x&{query}", 403), ("GET", f"{path}?{query}&{query}", 403),
        ("GET", f"{path}?{download}", 403), ("GET", f"{path}?{query[:-1]}", 403),
        ("GET", f"{path}?{query.replace('signature=', 'Signature=')}", 403), ("GET", f"{path}?{query}%00", 400),
        ("GET", f"{path}?{query.replace('&', ';')}", 403), ("GET", path, 403),
        ("GET", f"{path}?{urlencode(seconds_ago)}", 403),
        ("PUT", f"{path}?{query}", 405), ("POST", f"{path}?{query}", 405), ("DELETE", f"{path}?{query}", 405),
        # A link to read opens nothing else of the file.
        ("GET", f"/api/v1/files/{row}/content?{query}", 401), ("DELETE", f"/api/v1/files/{row}?{query}", 401),
    ):  # fmt: skip
        url = URL(house.api.url + asked, encoded=True)
        async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
            assert answer.status == status, (method, asked)
    # The form of an upload, signed by the store, is no link, and a link is no form.
    declared = {"name": "a.pdf", "media_type": "application/pdf", "size_bytes": 9, "sha256": "0" * 64}
    upload = (await house.api.post("/files/uploads", token=token, json=declared)).data["upload"]
    assert (await house.api.get(f"/{path}?{urlencode(upload['fields'])}")).status == 403
    async with aiohttp.ClientSession() as session, session.post(upload["url"], data=dict(parse_qsl(query))) as answer:
        assert answer.status >= 400


async def test_keys_of_links_are_renewed_and_then_old_links_end(open_house: OpenHouse, house: House):
    token, settings = await house.api.as_user(), house.api.settings
    file = await house.clean(token, camera())
    old, new = f"old:{'o' * 40}", f"new:{'n' * 40}"
    places = {name: getattr(settings, name) for name in ("s3_quarantine_bucket", "s3_media_bucket")}
    before, during, after = [
        await open_house(link_keys=SecretStr(keys), **places) for keys in (old, f"{new},{old}", new)
    ]
    url = (await before.api.get(f"/files/{file['id']}/url", token=token)).data["url"].removeprefix(BASE)
    assert "key=old" in url
    assert [(await each.fetch(url))[0].status for each in (before, during, after)] == [200, 200, 403]
    fresh = (await during.api.get(f"/files/{file['id']}/url", token=token)).data["url"].removeprefix(BASE)
    assert "key=new" in fresh
    assert [(await each.fetch(fresh))[0].status for each in (before, during, after)] == [403, 200, 200]


async def test_a_file_that_is_deleted_while_it_is_read_is_read_whole_or_broken_off(house: House):
    token, content = await house.api.as_user(), letter(bytes(range(1, 250)) * 60_000)
    file = await house.clean(token, io.BytesIO(content), **PDF, visibility="public")
    path = file["url"].removeprefix(BASE)
    reader, writer = await asyncio.open_connection(*house.api.url.removeprefix("http://").split(":"), limit=2**16)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    first = await reader.read(1000)
    assert (await house.api.delete(f"/files/{file['id']}", token=token)).status == 200
    assert (await house.fetch(path))[0].status == 404
    await house.idle()
    assert await house.keys() == {"quarantine": [], "media": []}
    rest = b""
    try:
        async with asyncio.timeout(60):
            rest = await reader.read()
    except ConnectionResetError:
        pass
    assert content.startswith(first + rest)
    writer.transport.abort()


async def test_what_is_made_private_deleted_replaced_or_infected_is_gone_from_a_real_cache_too(
    open_house: OpenHouse, clamd_server: Clamd, family: Family, tmp_path: Path
):
    machine.require("varnish")
    (port,) = ports.pick(1)
    cdn = {"cdn_base_url": f"http://127.0.0.1:{port}", "cdn_purge": "urls", "cdn_purge_token": SecretStr(TOKEN)}
    house = await open_house(clamd_socket=clamd_server.socket, spool_dir=tmp_path / "spool", **cdn, **MANY)
    token, origin = await house.api.as_user(), URL(house.api.url).port

    async def ask(url: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.read()
            return answer.status, answer.headers["X-Cache"]

    async def found(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken(_)
        writer.write(b"stream: Worm.Of.Tomorrow FOUND\0")
        await writer.drain()

    assert origin is not None
    async with varnish_before(origin, family, tmp_path, port=port):
        async with house.working():
            files = [await house.clean(token, camera((300, 200 + n)), visibility="public") for n in range(4)]
            hidden, deleted, replaced, infected = files
            urls = [url for each in files for url in (each["url"], each["variants"][0]["url"])]
            for url in urls:
                assert [await ask(url), await ask(url)] == [(200, "MISS"), (200, "HIT")], url
            await house.api.request("PATCH", f"/files/{hidden['id']}", token=token, json={"visibility": "private"})
            await house.api.delete(f"/files/{deleted['id']}", token=token)
            other = aiohttp.FormData()
            other.add_field("file", io.BytesIO(camera((99, 99))), filename="b.jpg", content_type="image/jpeg")
            assert (await house.api.post(f"/files/{replaced['id']}/versions", token=token, data=other)).status == 201
            await house.idle()
        assert [(await ask(url))[0] for url in urls] == [404] * 6 + [200] * 2
        async with impostor(tmp_path / "clamd", found) as socket, house.working(clamd_socket=socket):
            await until(lambda: is_infected(house, token, infected["id"]))
            await house.idle()
        assert [(await ask(url))[0] for url in urls] == [404] * 8


async def is_infected(house: House, token: str, file_id: str) -> bool:
    return bool((await house.file(token, file_id))["status"] == "infected")
