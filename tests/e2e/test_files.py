"""Files of the first instance, whose scanner is beside the worker: through the ingress, in MinIO, and gone again."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from bilten.local.clamd import eicar
from fixtures.page import serving
from playwright.async_api import Page
from support.documents import office, pdf
from support.e2e_cluster import until
from support.e2e_files import (
    DOCX,
    Visitor,
    container_status,
    failed_scans,
    laborious,
    let_clamd_die,
    metrics,
    objects,
    photo,
    says_where,
    wait_objects,
    worker_pod,
)
from support.e2e_ingress import Answer
from support.e2e_instance import Instance
from support.e2e_names import FILES
from support.pictures import camera

#: What a frontend does to upload a file past the API.
UPLOAD = """
async ([api, token, declared, content]) => {
  const call = async (path, body) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const answer = await fetch(api + path, { method: "POST", headers, body: JSON.stringify(body) });
    return { status: answer.status, ...(await answer.json()) };
  };
  const { data: { upload } } = await call("/files/uploads", declared);
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  form.append("file", new Blob([bytes], { type: declared.media_type }), declared.name);
  const sent = await fetch(upload.url, { method: upload.method, body: form });
  const done = await call(`/files/uploads/${upload.id}/complete`, {});
  return { url: upload.url, key: upload.fields.key, sent: sent.status, done };
}
"""


@pytest.fixture
def visitor(bilten: Instance) -> Visitor:
    return Visitor.new(bilten)


@pytest.fixture
async def page(browser_page: Page, tmp_path: Path, page_port: int) -> AsyncIterator[Page]:
    """A page of another origin than the API's and the store's."""
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Upload</title>")
    async with serving(folder, page_port) as origin:
        await browser_page.goto(f"{origin}/index.html")
        yield browser_page


def addresses(file: dict[str, Any]) -> list[str]:
    return [file["url"], *(each["url"] for each in file["variants"])]


def key_of(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def test_a_photo_becomes_clean_beside_the_worker_and_its_variants_lie_in_minio(bilten: Instance, visitor: Visitor):
    content = photo()
    assert len(content) > 3 * 2**20
    assert says_where(content)
    file = visitor.ended(visitor.upload(content, visibility="public")["id"])
    assert (file["status"], file["width"], file["sha256"]) == ("clean", 2000, hashlib.sha256(content).hexdigest())
    assert {each["name"] for each in file["variants"]} >= {"thumbnail", "small", "medium", "large"}

    wait_objects(bilten, "nothing is in quarantine", lambda found: not found["quarantine"])
    media = objects(bilten)["media"]
    for url in addresses(file):
        answer = visitor.fetch(url)
        assert answer.status == 200, url
        assert media[key_of(url)] == len(answer.content)
        assert hashlib.sha256(answer.content).hexdigest() in key_of(url)
        assert not says_where(answer.content), url
        assert "immutable" in answer.headers["cache-control"]


def test_the_frontends_upload_answers_with_pictures_that_can_be_shown(visitor: Visitor):
    answer = visitor.send("/uploads/event-image", camera((1600, 1200)), field="image")
    assert answer.status == 200, answer.text
    told = answer.json["data"]
    for name in ("url", "thumbnail_url", "optimized_url"):
        shown = visitor.fetch(told[name])
        assert shown.status == 200, name
        assert not says_where(shown.content)


@pytest.mark.parametrize(
    ("name", "media_type", "content"),
    [
        ("letter.pdf", "application/pdf", lambda: pdf(eicar())),
        ("letter.docx", DOCX, lambda: office(more={"word/embeddings/a.bin": eicar()})),
    ],
    ids=["pdf", "docx"],
)
def test_what_is_infected_is_refused_and_left_nowhere(
    bilten: Instance, visitor: Visitor, name: str, media_type: str, content: Any
):
    # Made when the tests run: what holds it is found by the scanners of those who keep this file.
    before, document = objects(bilten)["media"], content()
    file = visitor.upload(document, name=name, media_type=media_type, visibility="public")
    ended = visitor.ended(file["id"])
    assert (ended["status"], ended["url"], ended["variants"]) == ("infected", None, [])
    content_of = visitor.ask(f"/files/{file['id']}/content")
    assert (content_of.status, content_of.json["code"]) == (409, "FILE_NOT_AVAILABLE")
    again = visitor.send("/files", document, name=name, media_type=media_type)
    assert (again.status, again.json["code"]) == (422, "FILE_INFECTED")
    wait_objects(bilten, "its bytes are gone", lambda found: not found["quarantine"])
    assert objects(bilten)["media"] == before


def test_a_file_waits_for_a_scanner_that_was_killed_while_it_looked_at_it(bilten: Instance, visitor: Visitor):
    restarts, failed = container_status(bilten, "clamd")["restartCount"], failed_scans(bilten)
    pod = worker_pod(bilten)["metadata"]["name"]
    let_clamd_die(bilten)
    file = visitor.upload(laborious(), name="slow.docx", media_type=DOCX, visibility="public")
    (key,) = objects(bilten)["quarantine"]
    bucket = bilten.resource()["status"]["buckets"]["quarantine"]

    def healed() -> bool:
        answers: list[Answer] = [
            visitor.ask(f"/files/{file['id']}/content"),
            bilten.ingress.ask(FILES, f"/{bucket}/{key}"),
        ]
        now = visitor.file(file["id"])
        if now["status"] in ("pending", "scanning"):
            # Asked before: it was not clean then either.
            assert [answer.status for answer in answers] == [409, 403]
            assert now["url"] is None
            return False
        assert now["status"] == "clean", now
        return True

    until("the file is clean after all", healed)
    clamd = container_status(bilten, "clamd")
    assert clamd["restartCount"] == restarts + 1
    assert clamd["lastState"]["terminated"]["exitCode"] == 137, "it was killed"
    assert worker_pod(bilten)["metadata"]["name"] == pod
    assert failed_scans(bilten) > failed
    assert visitor.fetch(visitor.file(file["id"])["url"]).status == 200


@pytest.mark.usefixtures("bilten")
async def test_a_browser_uploads_past_the_api_to_the_public_endpoint(page: Page, visitor: Visitor):
    content = camera((800, 600))
    declared = {
        "name": "poster.jpg", "media_type": "image/jpeg", "size_bytes": len(content), "visibility": "public",
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    api, told = f"http://{visitor.bilten.host}/api/v1", base64.b64encode(content).decode()
    seen = await page.evaluate(UPLOAD, [api, visitor.token, declared, told])
    bucket = visitor.bilten.resource()["status"]["buckets"]["quarantine"]
    assert seen["url"] == f"http://{FILES}/{bucket}"
    assert seen["sent"] in (200, 204)
    assert seen["done"]["status"] == 200, seen
    file = visitor.ended(seen["done"]["data"]["file"]["id"])
    assert (file["status"], file["width"]) == ("clean", 800)
    shown = await page.evaluate("async (url) => (await fetch(url)).status", file["url"])
    assert shown == 200
    assert visitor.bilten.ingress.ask(FILES, f"/{bucket}/{seen['key']}").status == 403
    wait_objects(visitor.bilten, "nothing is in quarantine", lambda found: not found["quarantine"])


def test_a_deleted_file_is_gone_from_both_buckets(bilten: Instance, visitor: Visitor):
    before = objects(bilten)
    file = visitor.ended(visitor.upload(camera(), visibility="public")["id"])
    assert objects(bilten)["media"].keys() - before["media"].keys() >= set(map(key_of, addresses(file)))
    assert visitor.ask(f"/files/{file['id']}", method="DELETE").status == 200
    assert [visitor.fetch(url).status for url in addresses(file)] == [404] * len(addresses(file))
    wait_objects(bilten, "its objects are gone", lambda found: found == {"quarantine": {}, "media": before["media"]})


def test_signatures_and_their_age_are_told_in_status_and_metrics(bilten: Instance, visitor: Visitor):
    def agreed() -> dict[str, str] | None:
        status, counted = bilten.resource()["status"].get("scanner"), metrics(bilten)
        [(labels, _)] = counted.get("bilten_scanner_signatures_info", [({}, 0)])
        same = status and labels == {name: status[name] for name in ("engine", "signatures")}
        return status if same else None

    told = until("status and metrics tell the same", agreed)
    assert told["engine"].startswith("clamav ")
    [(_, age_s)] = metrics(bilten)["bilten_scanner_signatures_age_seconds"]
    age = datetime.now(UTC) - datetime.fromisoformat(told["signaturesMadeAt"])
    assert abs(age.total_seconds() - age_s) < 60
    verdict = visitor.ended(visitor.upload(camera())["id"])["verdict"]
    assert (verdict["engine"], verdict["signatures"]) == (told["engine"], told["signatures"])
