"""Pictures made anew: every preset, never enlarged, upright, in sRGB, with nothing of the original but its looks."""

import base64
import hashlib
import io
import itertools
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from bilten.scanning.errors import Refused
from bilten.scanning.inspect import render_file
from bilten.scanning.limits import Limits
from PIL import Image, ImageChops, ImageCms, ImageOps
from support import pictures
from support.pictures import BLUE, RED

NAMES = {"thumbnail", "small", "medium", "large", "profile", "event", "gallery"}
Rendered = dict[str, Any]


def rendered(folder: Path, content: bytes) -> Rendered:
    (folder / "upload").write_bytes(content)
    (folder / "out").mkdir(exist_ok=True)
    return render_file(str(folder / "upload"), str(folder / "out"), Limits())


def sizes(told: Rendered, media_type: str = "image/webp") -> dict[str, tuple[int, int]]:
    return {
        each["name"]: (each["width"], each["height"]) for each in told["variants"] if each["media_type"] == media_type
    }


def opened(told: Rendered, name: str, media_type: str) -> Image.Image:
    (path,) = [each["path"] for each in told["variants"] if (each["name"], each["media_type"]) == (name, media_type)]
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def near(colour: Any, other: tuple[int, ...], by: int = 12) -> bool:
    return all(abs(one - two) <= by for one, two in zip(colour[:3], other, strict=True))


def test_a_large_picture_has_every_preset_as_webp_and_jpeg(tmp_path: Path):
    told = rendered(tmp_path, pictures.jpeg((1600, 1200)))
    assert (told["width"], told["height"]) == (1600, 1200)
    wanted = {
        "thumbnail": (150, 150), "small": (300, 225), "medium": (600, 450), "large": (1200, 900),
        "profile": (300, 300), "event": (800, 600), "gallery": (600, 600),
    }  # fmt: skip
    assert sizes(told) == sizes(told, "image/jpeg") == wanted


def test_what_is_told_of_a_variant_is_what_was_written(tmp_path: Path):
    told = rendered(tmp_path, pictures.jpeg((1300, 900)))
    for each in told["variants"]:
        content = Path(each["path"]).read_bytes()
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
        assert each["size_bytes"] == len(content)
        with Image.open(io.BytesIO(content)) as image:
            assert image.get_format_mimetype() == each["media_type"]
            assert image.size == (each["width"], each["height"])


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((100, 50), {"thumbnail": (50, 50), "small": (100, 50), "large": (100, 50), "event": (67, 50)}),
        ((500, 400), {"thumbnail": (150, 150), "small": (300, 240), "large": (500, 400), "event": (500, 375)}),
        ((1, 1), dict.fromkeys(NAMES, (1, 1))),
        ((3000, 2), {"large": (1200, 1), "thumbnail": (2, 2), "small": (300, 1)}),
        ((2, 3000), {"large": (1, 1200), "event": (2, 2)}),
    ],
)
def test_no_picture_is_enlarged(tmp_path: Path, size: tuple[int, int], expected: dict[str, tuple[int, int]]):
    told = rendered(tmp_path, pictures.encoded(pictures.picture(size), "PNG"))
    assert sizes(told).keys() == NAMES
    assert expected.items() <= sizes(told).items()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(64, 48), (2400, 1800)])
def test_the_orientation_is_applied(tmp_path: Path, orientation: int, size: tuple[int, int]):
    content = pictures.camera(size, orientation)
    told = rendered(tmp_path, content)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    assert (told["width"], told["height"]) == upright.size
    image = opened(told, "large", "image/jpeg").convert("RGB").resize(upright.size)
    for at in itertools.product((3, upright.width - 4), (3, upright.height - 4)):
        assert near(image.getpixel(at), upright.getpixel(at))


@pytest.mark.parametrize("profile", [True, False], ids=["with a profile", "without"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_the_original_goes_along(tmp_path: Path, kind: str, profile: bool):
    exif = Image.open(io.BytesIO(pictures.camera())).getexif().tobytes()
    how: dict[str, Any] = {"comment": b"<script>"} if kind == "JPEG" else {}
    if profile:
        how["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = pictures.encoded(pictures.picture((100, 80)), kind, exif=exif, xmp=b"<x:xmpmeta>", **how)
    assert b"Cairo Cameras" in content
    told = rendered(tmp_path, content)
    for each in told["variants"]:
        made = Path(each["path"]).read_bytes()
        for trace in (b"Exif", b"EXIF", b"Cairo", b"GPS", b"<script>", b"ICC", b"iCCP", b"xmpmeta", b"tEXt", b"eXIf"):
            assert trace not in made
        with Image.open(io.BytesIO(made)) as image:
            assert not image.getexif()
            assert not {"exif", "icc_profile", "comment", "xmp"} & image.info.keys()


def test_bytes_hidden_after_the_end_do_not_go_along(tmp_path: Path):
    told = rendered(tmp_path, pictures.jpeg() + b"PK\x03\x04 hidden <script>")
    assert not any(b"hidden" in Path(each["path"]).read_bytes() for each in told["variants"])


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_is_not_opaque_becomes_webp_and_png_and_stays_so(tmp_path: Path, kind: str):
    image = Image.new("RGBA", (400, 300), (*RED, 255))
    image.paste((0, 0, 0, 0), (0, 0, 200, 300))
    told = rendered(tmp_path, pictures.encoded(image, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert {each["media_type"] for each in told["variants"]} == {"image/webp", "image/png"}
    for media_type in ("image/webp", "image/png"):
        made = opened(told, "small", media_type).convert("RGBA")
        assert made.getpixel((10, 10))[3] == 0  # type: ignore[index]
        assert near(made.getpixel((250, 100)), RED)


def test_a_png_with_transparency_everywhere_opaque_becomes_jpeg(tmp_path: Path):
    told = rendered(tmp_path, pictures.encoded(Image.new("RGBA", (40, 30), (*RED, 255)), "PNG"))
    assert {each["media_type"] for each in told["variants"]} == {"image/webp", "image/jpeg"}


def test_of_an_animation_the_first_frame_is_shown(tmp_path: Path):
    for kind in ("GIF", "WEBP"):
        frames = [Image.new("RGB", (60, 40), colour) for colour in (RED, BLUE, (0, 200, 0))]
        content = pictures.encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
        made = opened(rendered(tmp_path, content), "large", "image/webp")
        assert getattr(made, "n_frames", 1) == 1
        assert near(made.convert("RGB").getpixel((30, 20)), RED)


@pytest.mark.parametrize(
    ("mode", "colour", "kind", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), "JPEG", (255, 0, 0)),
        ("I;16", 32768, "PNG", (128, 128, 128)),
        ("L", 77, "PNG", (77, 77, 77)),
        ("1", 1, "PNG", (255, 255, 255)),
        ("LA", (90, 255), "PNG", (90, 90, 90)),
    ],
)
def test_every_mode_comes_out_in_its_colours(
    tmp_path: Path, mode: str, colour: Any, kind: str, expected: tuple[int, int, int]
):
    told = rendered(tmp_path, pictures.encoded(Image.new(mode, (50, 50), colour), kind))
    assert near(opened(told, "large", "image/jpeg").convert("RGB").getpixel((25, 25)), expected)


def test_a_palette_with_a_transparent_colour_is_kept_transparent(tmp_path: Path):
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 20, 40))
    told = rendered(tmp_path, pictures.encoded(image, "GIF", transparency=0))
    made = opened(told, "large", "image/png").convert("RGBA")
    assert made.getpixel((5, 5))[3] == 0  # type: ignore[index]
    assert near(made.getpixel((30, 30)), RED)


PEAK = """
import sys
from bilten.scanning.inspect import render_file
from bilten.scanning.limits import Limits
render_file(sys.argv[1], sys.argv[2], Limits())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's peak this way")
@pytest.mark.parametrize(
    ("depth", "colours", "samples"), [(8, 2, 3), (16, 0, 2)], ids=["a clear colour", "16-bit grey"]
)
def test_the_largest_pictures_are_rendered_within_a_quarter_of_a_gigabyte(
    tmp_path: Path, depth: int, colours: int, samples: int
):
    side = 7071
    rows = zlib.compress((b"\0" + b"\x55" * side * samples) * side, 1)
    clear = pictures.chunk(b"tRNS", b"\0\1" * (3 if colours else 1))
    header = pictures.png_header(side, side, depth, colours)
    content = pictures.png(header, clear, pictures.chunk(b"IDAT", rows), pictures.chunk(b"IEND", b""))
    (tmp_path / "upload").write_bytes(content)
    told = subprocess.run(
        [sys.executable, "-c", PEAK, tmp_path / "upload", tmp_path], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 256


@pytest.mark.parametrize("size", [(2500, 1901), (6007, 3001), (30_000, 700)])
def test_a_large_picture_made_smaller_strip_by_strip_has_no_seams(tmp_path: Path, size: tuple[int, int]):
    image = Image.linear_gradient("L").resize(size)
    made = opened(rendered(tmp_path, pictures.encoded(image, "PNG", compress_level=1)), "large", "image/webp")
    expected = image.resize(made.size, Image.Resampling.LANCZOS)
    _, most = ImageChops.difference(made.convert("L"), expected).getextrema()
    assert most <= 8  # type: ignore[operator]


def swapped_profile() -> bytes:
    """A profile that says of red that it is green: the order of two of its tags' entries changed."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def test_colours_are_brought_from_their_profile_to_srgb(tmp_path: Path):
    content = pictures.encoded(Image.new("RGB", (50, 50), (250, 0, 0)), "PNG", icc_profile=swapped_profile())
    red, green, _ = opened(rendered(tmp_path, content), "large", "image/jpeg").convert("RGB").getpixel((25, 25))  # type: ignore[misc]
    assert green > 200 > red


@pytest.mark.parametrize("profile", [b"no profile", bytes(500), swapped_profile()[:300]])
def test_a_broken_profile_is_ignored(tmp_path: Path, profile: bytes):
    content = pictures.encoded(Image.new("RGB", (50, 50), RED), "PNG", icc_profile=profile)
    assert near(opened(rendered(tmp_path, content), "large", "image/jpeg").convert("RGB").getpixel((25, 25)), RED)


def test_a_grey_picture_with_a_profile_of_colours_is_still_shown(tmp_path: Path):
    content = pictures.encoded(Image.new("L", (50, 50), 100), "PNG", icc_profile=swapped_profile())
    assert near(
        opened(rendered(tmp_path, content), "large", "image/jpeg").convert("RGB").getpixel((25, 25)), (100,) * 3
    )


def test_the_placeholder_is_tiny_and_the_mean_colour_is_the_mean(tmp_path: Path):
    told = rendered(tmp_path, pictures.encoded(Image.new("RGB", (900, 600), (0xA1, 0xB2, 0xC3)), "PNG"))
    kind, _, data = told["placeholder"].partition(",")
    assert kind == "data:image/webp;base64"
    assert len(told["placeholder"]) < 1000
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (24, 16)
    assert told["mean_color"] == "#a1b2c3"
    clear = rendered(tmp_path, pictures.encoded(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG"))
    assert clear["mean_color"] == "#ffffff"


def test_what_is_no_picture_is_not_rendered(tmp_path: Path):
    with pytest.raises(Refused) as refusal:
        rendered(tmp_path, b"%PDF-1.7")
    assert refusal.value.code == "CONTENT_MISMATCH"
