"""What a developer sees of files under `make up`: pictures shown, what is not wanted refused, nothing left behind."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from bilten.local.clamd import eicar
from fixtures.machine import require
from minio import Minio
from PIL import Image
from support import documents
from support.dev import Dev, running, wait_until
from support.forms import BOUNDARY, Part, form
from support.pictures import camera, empty_png

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MIB = 1024 * 1024


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Dev]:
    require("clamd")
    with running(tmp_path / "home") as dev:
        yield dev


def send(dev: Dev, token: str, content: bytes, name: str, media_type: str) -> tuple[int, Any]:
    """`POST /files`, waiting for the verdict: status and JSON."""
    body = form(
        Part('name="visibility"', b"public"),
        Part(f'name="file"; filename="{name}"', content, [f"Content-Type: {media_type}"]),
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return ask(dev, "POST", "/api/v1/files?wait=8", body, headers)


def ask(dev: Dev, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(dev.url + path, body, headers, method=method)  # noqa: S310 - http, of this test
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310
        return bytes(answer.read())


def objects(dev: Dev) -> list[str]:
    """All that lies in both buckets."""
    endpoint = dev.shown("S3")
    lines = [line.split() for line in dev.output.splitlines()]
    access = next(words[-1] for words in lines if words[:2] == ["access", "key"])
    secret = next(words[-1] for words in lines if words[:2] == ["secret", "key"])
    store = Minio(urlsplit(endpoint).netloc, access_key=access, secret_key=secret, secure=False)
    return [
        f"{bucket.name}/{found.object_name}"
        for bucket in store.list_buckets()
        for found in store.list_objects(bucket.name, recursive=True)
    ]


def test_pictures_are_shown_and_what_is_not_wanted_is_refused_also_after_clamd_was_killed(dev: Dev):
    account = {"email": "organizer@bilten.com", "password": "organizer123"}
    token = dev.post("/api/v1/auth/login", account)["data"]["token"]

    status, answer = send(dev, token, camera((1600, 1200), orientation=6), "camera.jpg", "image/jpeg")
    assert status == 201, answer
    file = answer["data"]["file"]
    assert file["status"] == "clean"
    assert {each["name"] for each in file["variants"]} >= {"thumbnail", "small", "medium", "large"}
    for variant in file["variants"]:
        assert variant["url"].startswith(f"{dev.url}/uploads/files/")
        content = fetched(variant["url"])
        shown = Image.open(io.BytesIO(content))
        assert (shown.width, shown.height) == (variant["width"], variant["height"])
        assert not shown.getexif()
        assert not any(trace in content for trace in (b"Cairo", b"GPS", b"script", b"Exif"))

    unwanted = {
        "EICAR in a PDF": (documents.pdf(eicar()), "letter.pdf", "application/pdf", 422, "FILE_INFECTED"),
        "EICAR in a DOCX": (
            documents.office(more={"word/embeddings/a.bin": eicar()}), "letter.docx", DOCX, 422, "FILE_INFECTED",
        ),
        "a bomb of pixels": (empty_png(20_000, 20_000), "bomb.png", "image/png", 422, "IMAGE_TOO_LARGE"),
        "HTML": (b"<html><script>alert(1)</script></html>", "picture.jpg", "image/jpeg", 422, "CONTENT_MISMATCH"),
        "a member of 105 MB": (
            documents.office(more={"word/media/a.bin": bytes(105 * MIB) + eicar()}), "a.docx", DOCX, 422,
            "ARCHIVE_LIMITS",
        ),
        "10,051 members": (
            documents.office(more={f"word/media/{number}": b"x" for number in range(10_050)} | {"word/z": eicar()}),
            "a.docx", DOCX, 422, "ARCHIVE_LIMITS",
        ),
        "20 levels": (
            documents.office(more={"word/embeddings/a.zip": documents.nested(20, eicar())}), "a.docx", DOCX, 422,
            "ARCHIVE_LIMITS",
        ),
    }  # fmt: skip
    for what, (content, name, media_type, refused, code) in unwanted.items():
        status, answer = send(dev, token, content, name, media_type)
        assert (status, answer["code"]) == (refused, code), (what, answer)

    psutil.Process(dev.pid_of("clamd")).kill()
    status, answer = send(dev, token, documents.pdf(eicar()), "again.pdf", "application/pdf")
    assert (status, answer["code"]) == (422, "FILE_INFECTED"), "known by its hash, whoever scans"
    status, answer = send(dev, token, documents.pdf(b"after the fall"), "after.pdf", "application/pdf")
    assert status == 201, answer
    headers = {"Authorization": f"Bearer {token}"}
    after = answer["data"]["file"]["id"]

    def clean() -> bool:
        found = ask(dev, "GET", f"/api/v1/files/{after}", None, headers)[1]
        return bool(found["data"]["file"]["status"] == "clean")

    wait_until(clean, 60)

    assert len(objects(dev)) > len(file["variants"])
    for file_id in (file["id"], after):
        assert ask(dev, "DELETE", f"/api/v1/files/{file_id}", None, headers)[0] == 200
    wait_until(lambda: objects(dev) == [], 60)
    for variant in file["variants"]:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            fetched(variant["url"])
