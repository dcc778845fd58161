"""The workshop as routes and jobs use it: in children, within memory, and no byte of a bypass gets past it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bilten.local.clamd import eicar
from bilten.scanning import choice
from bilten.scanning.choice import NoScanner, scanner_of
from bilten.scanning.clamd import ClamdScanner
from bilten.scanning.errors import InspectionFailed, Refused, ScanUnavailable
from bilten.scanning.workshop import Workshop, allowed_types
from bilten.scanning.yara import YaraScanner
from bilten.settings import Settings
from fixtures.api import make_settings
from PIL import Image
from support import documents, pictures
from support.scanned import MIB, chunks

NO_DATABASE = "postgresql://nobody:nothing@127.0.0.1:1/none"


def settings_with(**values: object) -> Settings:
    return make_settings(NO_DATABASE, **values)


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    # As long as the machine may be busy with other tests.
    made = Workshop(settings_with(inspection_timeout_s=300))
    await made.open()
    yield made
    await made.close()


def written(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


async def test_a_picture_is_inspected_and_rendered(workshop: Workshop, tmp_path: Path):
    path = written(tmp_path, pictures.camera((1600, 1200), 6))
    seen = await workshop.inspect(path, name="../Müll\u202e.JPG ", declared="image/jpeg; charset=binary")
    assert (seen.name, seen.media_type, seen.kind) == ("Müll.JPG", "image/jpeg", "image")
    assert (seen.width, seen.height, seen.frames) == (1200, 1600, 1)
    made = await workshop.render(path, tmp_path)
    assert (made.width, made.height) == (1200, 1600)
    assert len(made.variants) == 14
    assert all(each.path.stat().st_size == each.size_bytes for each in made.variants)


async def test_a_document_is_inspected_and_not_rendered(workshop: Workshop, tmp_path: Path):
    path = written(tmp_path, documents.office())
    seen = await workshop.inspect(path, name="a.docx", declared=allowed_types(settings_with()).types[6].media_type)
    assert (seen.kind, seen.width, seen.height, seen.frames) == ("document", None, None, None)
    with pytest.raises(Refused):
        await workshop.render(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "name", "declared", "code"),
    [
        (b"<html><script>", "a.jpg", "image/jpeg", "CONTENT_MISMATCH"),
        (b"MZ" + bytes(99), "a.jpg", "image/jpeg", "CONTENT_MISMATCH"),
        (b"<svg/>", "a.svg", "image/svg+xml", "UNSUPPORTED_MEDIA_TYPE"),
        (b"", "a.jpg", "image/jpeg", "EMPTY_FILE"),
        (pictures.jpeg(), "a\0.jpg", "image/jpeg", "INVALID_NAME"),
        (pictures.jpeg(), "a", "image/jpeg", "CONTENT_MISMATCH"),
        (pictures.jpeg() + bytes(10 * MIB), "a.jpg", "image/jpeg", "FILE_TOO_LARGE"),
        (pictures.empty_png(20_000, 20_000), "a.png", "image/png", "IMAGE_TOO_LARGE"),
        (pictures.jpeg()[:-900], "a.jpg", "image/jpeg", "FILE_DAMAGED"),
    ],
)
async def test_each_refusal_comes_out_of_the_child_with_its_code(
    workshop: Workshop, tmp_path: Path, content: bytes, name: str, declared: str, code: str
):
    with pytest.raises(Refused) as refusal:
        await workshop.inspect(written(tmp_path, content), name=name, declared=declared)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "bypass",
    [
        documents.nested(20, eicar()),
        documents.zipped(
            [("[Content_Types].xml", documents.content_types("docx")), *((f"{n}", b"") for n in range(10_050)),
             ("last", eicar())]
        ),
        documents.office(more={"word/media/a.bin": bytes(105 * MIB) + eicar()}),
    ],
    ids=["20 levels", "10051 members", "105 MB before it in one member"],
)  # fmt: skip
async def test_what_clamd_does_not_look_at_never_gets_to_it(workshop: Workshop, tmp_path: Path, bypass: bytes):
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    with pytest.raises(Refused) as refusal:
        await workshop.inspect(written(tmp_path, bypass), name="a.docx", declared=docx)
    assert refusal.value.code == "ARCHIVE_LIMITS"


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("P", "GIF")])
async def test_the_largest_pictures_that_are_taken_fit_into_the_memory_of_a_child(
    workshop: Workshop, tmp_path: Path, mode: str, kind: str
):
    path = written(tmp_path, pictures.encoded(Image.new(mode, (7071, 7071)), kind))
    declared = f"image/{kind.lower()}"
    seen = await workshop.inspect(path, name=f"a.{kind.lower()}", declared=declared)
    assert seen.width == 7071
    assert (await workshop.render(path, tmp_path)).width == 7071


async def test_what_takes_too_long_or_too_much_is_told_apart_from_a_refusal(tmp_path: Path):
    path = written(tmp_path, pictures.encoded(Image.effect_noise((3000, 3000), 90), "PNG"))
    hasty = Workshop(settings_with(inspection_timeout_s=0.05, max_image_bytes=50 * MIB))
    with pytest.raises(InspectionFailed) as failed:
        await hasty.render(path, tmp_path)
    assert failed.value.reason == "time"
    await hasty.close()


async def test_more_files_than_cores_wait_for_each_other_and_the_loop_runs_on(tmp_path: Path):
    workshop = Workshop(settings_with(inspection_processes=2))
    await workshop.open()
    path = written(tmp_path, pictures.jpeg((2000, 1500)))
    longest, last = 0.0, time.monotonic()
    tasks = [asyncio.create_task(workshop.inspect(path, name="a.jpg", declared="image/jpeg")) for _ in range(8)]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0.005)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    assert {(await task).width for task in tasks} == {2000}
    assert longest < 2
    await workshop.close()


async def test_an_installation_takes_the_types_and_sizes_that_it_names(tmp_path: Path):
    workshop = Workshop(settings_with(upload_types="png,pdf", max_image_bytes=100_000, max_image_pixels=5000))
    path = written(tmp_path, pictures.encoded(pictures.picture((100, 60)), "PNG"))
    with pytest.raises(Refused) as refusal:
        await workshop.inspect(path, name="a.png", declared="image/png")
    assert refusal.value.code == "IMAGE_TOO_LARGE"
    with pytest.raises(Refused, match="Taken are: PNG, PDF"):
        await workshop.inspect(path, name="a.jpg", declared="image/jpeg")
    await workshop.close()


async def test_the_scanner_is_the_one_that_the_settings_name(monkeypatch: pytest.MonkeyPatch):
    assert isinstance(scanner_of(settings_with(clamd_socket="/run/clamd.sock")), ClamdScanner)
    assert isinstance(scanner_of(settings_with(clamd_host="clamd")), ClamdScanner)
    yara = scanner_of(settings_with())
    assert isinstance(yara, YaraScanner)
    await yara.close()
    assert isinstance(scanner_of(settings_with(environment="production", password_min_length=8)), NoScanner)
    monkeypatch.setattr(choice.yara, "installed", lambda: False)
    none = scanner_of(settings_with())
    with pytest.raises(ScanUnavailable, match="BILTEN_CLAMD_SOCKET"):
        await none.scan(chunks(b"x"))
    with pytest.raises(ScanUnavailable):
        await none.version()
    await none.close()
