"""Pictures as they come: taken with their size, or refused before anything large is decoded."""

import io
import struct
import tracemalloc
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.headers import read_header
from bilten.scanning.inspect import inspect_file
from bilten.scanning.limits import Limits
from bilten.scanning.types import AllowedTypes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support import pictures

FORMATS = {"jpeg": "jpg", "png": "png", "webp": "webp", "gif": "gif"}


def inspected(folder: Path, content: bytes, kind: str) -> dict[str, Any]:
    path = folder / "upload"
    path.write_bytes(content)
    return inspect_file(str(path), f"a.{FORMATS[kind]}", kind, AllowedTypes(), Limits())


def refused(folder: Path, content: bytes, kind: str) -> Refused:
    with pytest.raises(Refused) as refusal:
        inspected(folder, content, kind)
    return refusal.value


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_of_picture_is_taken_with_its_size(tmp_path: Path, kind: str):
    content = pictures.encoded(pictures.picture((64, 48)), kind.upper())
    assert inspected(tmp_path, content, kind) == {"width": 64, "height": 48, "frames": 1}


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "jpeg"), ("CMYK", "jpeg"), ("1", "png"), ("L", "png"), ("LA", "png"), ("P", "png"), ("RGBA", "png"),
     ("I;16", "png"), ("RGBA", "webp"), ("P", "gif"), ("L", "gif")],
)  # fmt: skip
def test_pictures_of_every_mode_are_taken(tmp_path: Path, mode: str, kind: str):
    content = pictures.encoded(Image.new(mode, (30, 20)), kind.upper())
    assert inspected(tmp_path, content, kind) == {"width": 30, "height": 20, "frames": 1}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_picture_as_it_is_seen(tmp_path: Path, orientation: int):
    told = inspected(tmp_path, pictures.camera((64, 48), orientation), "jpeg")
    assert (told["width"], told["height"]) == ((48, 64) if orientation > 4 else (64, 48))


@pytest.mark.parametrize(
    ("content", "kind", "frames"),
    [(pictures.gif_frames(1), "gif", 1), (pictures.gif_frames(1000), "gif", 1000),
     (pictures.webp_frames(7, (5, 6)), "webp", 7)],
)  # fmt: skip
def test_frames_are_counted(tmp_path: Path, content: bytes, kind: str, frames: int):
    assert inspected(tmp_path, content, kind)["frames"] == frames


def test_an_animated_png_is_taken_with_its_frames(tmp_path: Path):
    frames = [pictures.picture((10, 10), colour=(each, each, each)) for each in range(4)]
    content = pictures.encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert inspected(tmp_path, content, "png")["frames"] == 4


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pictures.empty_png(20_000, 20_000), "png"),
        (pictures.empty_png(9000, 9000), "png"),
        (pictures.png(pictures.png_header(1, 2**31), pictures.chunk(b"IDAT", zlib.compress(b"")),
                      pictures.chunk(b"IEND", b"")), "png"),
        (pictures.png(pictures.png_header(2**32 - 1, 2**32 - 1), pictures.chunk(b"IDAT", b"x"),
                      pictures.chunk(b"IEND", b"")), "png"),
        (pictures.jpeg((40, 40)).replace(b"\0\x28\0\x28", b"\xff\xff\xff\xff", 1), "jpeg"),
        (pictures.gif_frames(1, (65535, 65535)), "gif"),
        (pictures.gif_frames(10_000), "gif"),
        (pictures.gif_frames(600, (300, 300)), "gif"),
        (pictures.webp_frames(10_000), "webp"),
        (pictures.webp_frames(600, (300, 300)), "webp"),
        (pictures.riff((b"VP8X", bytes(4) + b"\xff" * 6), (b"VP8L", b"\x2f\0\0\0\0\0")), "webp"),
    ],
    ids=["20000x20000", "9 kB of 81 MP", "1x2^31", "2^32", "jpeg 65535", "gif 65535", "gif 10000 frames",
         "gif 54 MP in frames", "webp 10000 frames", "webp 54 MP in frames", "webp 2^24"],
)  # fmt: skip
def test_too_many_pixels_are_refused_from_the_header(tmp_path: Path, content: bytes, kind: str):
    tracemalloc.start()
    refusal = refused(tmp_path, content, kind)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.code == "IMAGE_TOO_LARGE"
    assert peak < 30_000_000


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
def test_a_picture_that_is_cut_off_is_refused(tmp_path: Path, kind: str, part: float):
    noise = Image.effect_noise((200, 200), 60).convert("RGB")
    content = pictures.encoded(noise, kind.upper())
    refusal = refused(tmp_path, content[: int(len(content) * part)], kind)
    assert refusal.code == "FILE_DAMAGED"


def test_a_progressive_jpeg_that_a_decoder_keeps_whole_may_have_fewer_pixels_of_full_colours(tmp_path: Path):
    side, claimed = struct.pack(">HH", 400, 400), struct.pack(">HH", 6200, 6200)
    full, halved = (
        pictures.jpeg((400, 400), progressive=True, subsampling=each).replace(side, claimed, 1)
        for each in ("4:4:4", "4:2:0")
    )
    assert refused(tmp_path, full, "jpeg").code == "IMAGE_TOO_LARGE"
    assert read_header(halved, "jpeg", Limits()).width == 6200
    baseline = pictures.jpeg((400, 400), subsampling="4:4:4").replace(side, claimed, 1)
    assert read_header(baseline, "jpeg", Limits()).width == 6200


def scanned_again(times: int, between: bytes = b"") -> bytes:
    """A progressive JPEG whose last scan comes so many times more: each costs the decoder as much as the picture."""
    whole = pictures.encoded(pictures.picture((64, 48)), "JPEG", progressive=True)
    last = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + (between + last) * times + whole[-2:]


def test_a_jpeg_of_some_scans_is_taken_and_one_of_many_refused(tmp_path: Path):
    assert inspected(tmp_path, scanned_again(20), "jpeg")["width"] == 64
    within = b"\xff\xfe\0\x06\xff\xd9\xff\xda"
    assert inspected(tmp_path, scanned_again(20, within * 9), "jpeg")["width"] == 64
    assert inspected(tmp_path, scanned_again(0) + scanned_again(90), "jpeg")["width"] == 64
    for many in (scanned_again(90), scanned_again(90, within), scanned_again(90, b"\xff\xd0junk\xff\0\xff")):
        refusal = refused(tmp_path, many, "jpeg")
        assert refusal.code == "FILE_DAMAGED"
        assert "64 scans" in refusal.message


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff", "jpeg"),
        (b"\xff\xd8\xff\xe0\0\0", "jpeg"),
        (b"\xff\xd8\xff\xff\xff", "jpeg"),
        (b"\xff\xd8\xff\xda\0\x08" + bytes(90), "jpeg"),
        (pictures.jpeg((40, 40)).replace(b"\0\x28\0\x28", b"\0\0\0\0", 1), "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (pictures.png(pictures.chunk(b"IDAT", b""), pictures.png_header(1, 1)), "png"),
        (pictures.png(pictures.png_header(1, 1), pictures.chunk(b"IEND", b"")), "png"),
        (pictures.png(pictures.png_header(1, 1), pictures.chunk(b"IDAT", b"no deflate"),
                      pictures.chunk(b"IEND", b"")), "png"),
        (pictures.encoded(pictures.picture((9, 9)), "PNG").replace(b"IDAT", b"IDAU"), "png"),
        (b"GIF89a\1\0\1\0\0\0\0;", "gif"),
        (b"GIF89a\1\0\1\0\0\0\0\x21\xfe" + b"\x01x" * 100, "gif"),
        (pictures.riff(), "webp"),
        (pictures.riff((b"VP8 ", bytes(20))), "webp"),
        (pictures.riff((b"VP8X", bytes(10))), "webp"),
    ],
)  # fmt: skip
def test_a_picture_whose_records_do_not_fit_is_refused(tmp_path: Path, content: bytes, kind: str):
    assert refused(tmp_path, content, kind).code == "FILE_DAMAGED"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pictures.with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9)), "png"),
        (pictures.with_chunk(b"iTXt", b"Comment\0\1\0en\0c\0" + zlib.compress(bytes(20_000_000), 9)), "png"),
        (pictures.with_chunk(b"iTXt", b"Comment\0\0\0en\0c\0" + b"x" * 5_000_000), "png"),
        (pictures.with_chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(20_000_000), 9)), "png"),
        (pictures.with_chunk(b"tEXt", b"Comment\0" + b"x" * 5_000_000), "png"),
        (pictures.jpeg(icc_profile=bytes(5_000_000)), "jpeg"),
        (pictures.encoded(pictures.picture(), "WEBP", icc_profile=bytes(5_000_000)), "webp"),
    ],
    ids=["zTXt", "iTXt packed", "iTXt", "iCCP", "tEXt", "JPEG profile", "WebP profile"],
)
def test_huge_profiles_and_texts_are_refused_and_not_unpacked(tmp_path: Path, content: bytes, kind: str):
    refusal = refused(tmp_path, content, kind)
    assert refusal.code == "FILE_DAMAGED"
    assert "4 MiB" in refusal.message


def test_texts_of_common_length_are_taken(tmp_path: Path):
    content = pictures.with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000)))
    assert inspected(tmp_path, content, "png")["width"] == 8


def ifd(entries: list[tuple[int, int, int, int]], following: int) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", len(entries)) + packed + struct.pack("<I", following)


@pytest.mark.parametrize(
    "tiff",
    [
        b"II*\0\x08\0\0\0" + ifd([(0x0112, 3, 1, 6), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8)], 8),
        b"II*\0\x08\0\0\0" + ifd([(0x0112, 3, 1, 6)], 8),
        b"II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 0x0112, 3, 1, 6),
    ],
    ids=["directory within itself", "directory after itself", "65535 entries announced"],
)
def test_exif_directories_that_run_in_circles_are_read_once(tmp_path: Path, tiff: bytes):
    told = inspected(tmp_path, pictures.jpeg((64, 48), exif=b"Exif\0\0" + tiff), "jpeg")
    assert (told["width"], told["height"]) == (48, 64)


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"garbage" * 9, b"MM\0*\0\0\0\x08\0\1\1\x12\0\3"]
)
def test_broken_exif_turns_nothing(tmp_path: Path, exif: bytes):
    assert inspected(tmp_path, pictures.jpeg((64, 48), exif=b"Exif\0\0" + exif), "jpeg")["width"] == 64


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pictures.gif_frames(1) + b"/*<script>alert(1)</script>*/", "gif"),
        (pictures.jpeg() + b"PK\x03\x04 and more of a zip", "jpeg"),
        (pictures.encoded(pictures.picture(), "PNG") + b"<?php system($_GET[1]); ?>", "png"),
        (b"GIF89a" + pictures.gif_frames(1)[6:], "gif"),
    ],
)
def test_bytes_after_a_pictures_end_are_let_be_as_only_new_pictures_are_shown(
    tmp_path: Path, content: bytes, kind: str
):
    assert inspected(tmp_path, content, kind)["frames"] == 1


def test_a_picture_over_its_size_is_refused_before_it_is_read(tmp_path: Path):
    assert refused(tmp_path, pictures.jpeg() + bytes(10 * 1024 * 1024), "jpeg").code == "FILE_TOO_LARGE"


def test_an_empty_file_is_refused(tmp_path: Path):
    assert refused(tmp_path, b"", "jpeg").code == "EMPTY_FILE"


@pytest.mark.parametrize("kind", FORMATS)
def test_whatever_is_changed_in_a_picture_it_is_taken_or_refused(tmp_path: Path, kind: str):
    """No change of bytes makes the guards or the decoders raise anything else."""
    whole = pictures.encoded(pictures.picture((32, 24)), kind.upper())

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(st.integers(3, len(whole) - 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6)
    )
    def changed(changes: list[tuple[int, bytes]]) -> None:
        content = io.BytesIO(whole)
        for at, replacement in changes:
            content.seek(at)
            content.write(replacement)
        with suppress(Refused):
            assert inspected(tmp_path, content.getvalue(), kind)["width"]

    changed()
