"""Forms with files as browsers and libraries send them, and what an endpoint gets of them."""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.byte_routes import LIMIT, ByteServer, byte_server
from support.forms import FILE, Part, form, head, request
from support.raw import exchange
from support.shape import assert_error


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ByteServer]:
    async with byte_server(tmp_path) as running:
        yield running
        await running.has_nothing_left()


def file_form(data: bytes, name: str = "a.png", **texts: str) -> aiohttp.FormData:
    fields = aiohttp.FormData(quote_fields=False)
    fields.add_field("file", data, filename=name, content_type="image/png")
    for key, value in texts.items():
        fields.add_field(key, value)
    return fields


@pytest.mark.parametrize("size", [1, 1000, 65536, LIMIT])
async def test_a_file_arrives_whole_beside_its_text_fields(server: ByteServer, size: int):
    data = os.urandom(size)
    reply = await server.post("/one", data=file_form(data, folder="/posters", altText="A poster", visibility="public"))
    assert reply.status == 201, reply.text
    digest = hashlib.sha256(data).hexdigest()
    assert reply.json["files"] == {
        "file": [{"name": "a.png", "media_type": "image/png", "size": size, "sha256": digest}]
    }
    assert reply.json["stored"] == [digest]
    assert reply.json["texts"] == {"folder": "/posters", "alt_text": "A poster", "tags": [], "visibility": "public"}


async def test_of_a_list_every_value_arrives_and_of_another_field_the_last(server: ByteServer):
    texts = [("tags", "a"), ("folder", "/first"), ("tags", "b, c"), ("folder", "/last"), ("unknown", "ignored")]
    parts = [Part(f'name="{name}"', value.encode()) for name, value in texts]
    (answer,) = await exchange(server.url, request(form(*parts, FILE)))
    assert answer.status == 201, answer.text
    assert '"tags":["a","b, c"]' in answer.text
    assert '"folder":"/last"' in answer.text


async def test_a_text_field_that_does_not_fit_is_named(server: ByteServer):
    reply = await server.post("/one", data=file_form(b"x", visibility="secret"))
    (detail,) = assert_error(reply, 400, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "visibility"


async def test_a_wrong_query_is_refused_before_the_file_is_read(server: ByteServer):
    (answer,) = await exchange(server.url, head("/api/v1/one?wait=soon", headers=["Content-Length: 1000"]))
    (detail,) = assert_error(answer, 400, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "wait"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="file"; filename="plain.png"', "plain.png"),
        ('name="file"; filename="Füße 東京.png"', "Füße 東京.png"),
        ('name="file"; filename="a%22b%0D%0A.png"', 'a"b\r\n.png'),
        ('name="file"; filename="C:\\fakepath\\me.png"', "me.png"),
        ("name=file; filename=token.png", "token.png"),
        ('name="file"; filename="x.png"; filename*=UTF-8\'\'F%C3%BC%C3%9Fe.png', "Füße.png"),
        ("name=\"file\"; filename*=iso-8859-1'de'F%FC.png", "Fü.png"),
        ("name=\"file\"; FILENAME* = utf-8''a.png", "a.png"),
        ('name="file"', ""),
    ],
)
async def test_names_arrive_as_their_sender_wrote_them(server: ByteServer, disposition: str, name: str):
    (answer,) = await exchange(server.url, request(form(Part(disposition, b"x"))))
    assert answer.status == 201, answer.text
    assert json.loads(answer.text)["files"]["file"][0]["name"] == name


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "idna", "rot13", "hex", "", "utf-8\0", "x" * 200])
async def test_a_name_in_a_charset_that_nobody_needs_is_refused(server: ByteServer, charset: str):
    part = Part(f"name=\"file\"; filename*={charset}''%FF%FE.png", b"x")
    (answer,) = await exchange(server.url, request(form(part)))
    assert_error(answer, 400, "VALIDATION_ERROR")


async def test_a_name_that_is_not_in_its_charset_is_refused(server: ByteServer):
    (answer,) = await exchange(server.url, request(form(Part("name=\"file\"; filename*=utf-8''%FF.png", b"x"))))
    (detail,) = assert_error(answer, 400, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("file", "invalid_filename")


async def test_several_files_arrive_in_their_order(server: ByteServer):
    parts = [Part(f'name="images"; filename="{n}.png"', f"{n}".encode() * n) for n in (1, 2, 3)]
    (answer,) = await exchange(server.url, request(form(*parts), path="/api/v1/pictures"))
    assert answer.status == 200, answer.text
    files = json.loads(answer.text)["files"]["images"]
    assert [(file["name"], file["size"]) for file in files] == [("1.png", 1), ("2.png", 2), ("3.png", 3)]


PICTURE = Part('name="images"; filename="1.png"', b"x")
NO_CHOICE = Part('name="images"; filename=""', b"", ["Content-Type: application/octet-stream"])


@pytest.mark.parametrize(
    ("path", "parts", "status", "code", "detail"),
    [
        ("/one", [], 400, "VALIDATION_ERROR", ("file", "missing")),
        ("/one", [Part('name="folder"', b"/")], 400, "VALIDATION_ERROR", ("file", "missing")),
        ("/one", [Part('name="file"; filename=""', b"")], 400, "VALIDATION_ERROR", ("file", "missing")),
        ("/one", [Part('name="file"; filename="a.png"', b"")], 400, "VALIDATION_ERROR", ("file", "empty_file")),
        ("/one", [FILE, FILE], 400, "VALIDATION_ERROR", ("file", "too_many_files")),
        ("/one", [FILE, Part('name="file"', b"no name")], 400, "VALIDATION_ERROR", ("file", "too_many_files")),
        ("/one", [Part('name="other"; filename="a"', b"x")], 400, "VALIDATION_ERROR", ("other", "unexpected_file")),
        ("/one", [Part('name="folder"; filename="a"', b"x")], 400, "VALIDATION_ERROR", ("folder", "unexpected_file")),
        ("/pictures", [], 400, "NO_FILE", None),
        ("/pictures", [NO_CHOICE], 400, "NO_FILE", None),
        ("/pictures", [PICTURE] * 4, 400, "TOO_MANY_FILES", None),
        ("/pictures", [Part('name="images"; filename="1"', bytes(LIMIT + 1))], 400, "FILE_TOO_LARGE", None),
    ],
)  # fmt: skip
async def test_the_wrong_files_are_refused_in_the_words_of_the_endpoint(
    server: ByteServer, path: str, parts: list[Part], status: int, code: str, detail: Any
):
    (answer,) = await exchange(server.url, request(form(*parts), path=f"/api/v1{path}"))
    details = assert_error(answer, status, code)["details"]
    assert [(found["field"], found["code"]) for found in details] == ([detail] if detail else [])


async def test_an_input_where_no_file_was_chosen_counts_as_none(server: ByteServer):
    (answer,) = await exchange(server.url, request(form(PICTURE, NO_CHOICE, NO_CHOICE), path="/api/v1/pictures"))
    assert answer.status == 200, answer.text
