"""The reader of forms on anything: cut anywhere it reads the same, and whatever it is sent it refuses in our words."""

import asyncio
import contextlib
import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bilten.web.errors import PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from bilten.web.form_reader import FormReader
from bilten.web.forms import FileField, FormSpec
from bilten.web.spelling import Form
from bilten.web.spool import Spool
from fixtures.api import make_settings
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.forms import BOUNDARY, Part, form


class Texts(Form):
    """Two fields."""

    folder: str = "/"
    tags: list[str] | None = None


SPEC = FormSpec(Texts, (FileField("file", lambda _: 4000, least=0, most=3),))
SETTINGS = make_settings("postgresql://nobody@127.0.0.1:1/none")
#: What looks like the boundary, and is not.
NEARLY = [b"\r\n--a-boundar", b"\r\n--a-boundary", b"--a-boundary", b"\r\n--", b"\r\n", b"\r", b"\n", b"-"]
payloads = st.lists(st.binary(max_size=30) | st.sampled_from(NEARLY[:1] + NEARLY[3:]), max_size=8).map(b"".join)


async def read(folder: Path, chunks: Sequence[bytes]) -> tuple[dict[str, list[str]], list[tuple[str, int, str]]]:
    """The texts and the files of a form that comes in these pieces."""
    spool = Spool(folder, 10 * 2**20)
    await spool.open()
    try:
        async with spool.room() as room:
            reader = FormReader(SPEC, BOUNDARY, room, SETTINGS)
            for chunk in filter(None, chunks):
                await reader.read(chunk)
            reader.end()
            files = reader.form.files["file"]
            return dict(reader.form.texts), [(file.name, file.size, file.sha256) for file in files]
    finally:
        assert spool.reserved == 0
        await spool.close()


def cut(body: bytes, places: Sequence[int]) -> list[bytes]:
    """The body in pieces."""
    edges = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(payloads.filter(bool), max_size=3),
    st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20), max_size=3),
    st.lists(st.integers(0, 2000), max_size=12),
)
def test_a_form_is_read_the_same_wherever_it_is_cut(
    tmp_path: Path, files: list[bytes], texts: list[str], places: list[int]
):
    parts = [Part(f'name="file"; filename="{n}"', data) for n, data in enumerate(files)]
    parts += [Part('name="tags"', text.encode()) for text in texts]
    read_texts, read_files = asyncio.run(read(tmp_path, cut(form(*parts), places)))
    assert read_files == [(str(n), len(data), hashlib.sha256(data).hexdigest()) for n, data in enumerate(files)]
    assert read_texts == ({"tags": texts} if texts else {})


def _changed(body: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, data in changes:
        start = place % (len(body) + 1)
        body = body[:start] + data + body[start + length :]
    return body


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 30), st.binary(max_size=20) | st.sampled_from(NEARLY)), max_size=4
    ),
    st.lists(st.integers(0, 500), max_size=4),
)
@example([(0, 0, b"\r\n")], [])
@example([(60, 0, b"\0\xff")], [])
def test_whatever_comes_is_read_or_refused_and_never_a_fault_of_ours(
    tmp_path: Path, changes: list[tuple[int, int, bytes]], places: list[int]
):
    body = form(
        Part('name="file"; filename="a.png"', b"bytes", ["Content-Type: image/png; charset=x", "Content-Length: 5"]),
        Part("name=\"file\"; filename*=utf-8''%41", b"bytes"),
        Part('name="folder"', b"/x", ["Content-Type: text/plain; charset=utf-8"]),
    )
    with contextlib.suppress(ValidationFailed, PayloadTooLarge, UnsupportedMediaType):
        asyncio.run(read(tmp_path, cut(_changed(body, changes), places)))


@pytest.mark.parametrize("name", ["folder", "tags", "Tags", "unknown"])
def test_only_lists_take_a_field_more_than_once(name: str):
    assert SPEC.takes_many(name) == (name == "tags")


def test_a_list_is_found_under_either_spelling():
    class Camel(Form):
        alt_texts: list[str] | None = None

    spec: Any = FormSpec(Camel, ())
    assert spec.takes_many("alt_texts")
    assert spec.takes_many("altTexts")
