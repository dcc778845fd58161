"""Pictures made anew of an uploaded one: the only bytes of it that are ever shown. Only for children.

Of animated pictures, the first frame. Orientation is applied; EXIF, GPS, texts and profile stay behind, the colours
having been brought to sRGB. No picture is enlarged: of a small one, variants are smaller than they could be, or alike.
"""

import base64
import hashlib
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from bilten.scanning.colours import mean_colour, shrunk, to_srgb
from bilten.scanning.decode import decode
from bilten.scanning.limits import Limits
from bilten.scanning.pictures import Header

Size = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Preset:
    """A box in pixels. Covered, the picture is cut to the box's shape around its middle; else it is all within."""

    name: str
    width: int
    height: int
    quality: int
    cover: bool

    def crop(self, whole: Size) -> Box:
        """Which part of a picture of this size is shown."""
        width, height = whole
        if not self.cover:
            return (0, 0, width, height)
        scale = min(width / self.width, height / self.height)
        wide, high = self.width * scale, self.height * scale
        left, top = (width - wide) / 2, (height - high) / 2
        return (left, top, left + wide, top + high)

    def scale(self, whole: Size) -> float:
        """How much smaller the picture becomes; 1 where it stays as it is."""
        each = (self.width / whole[0], self.height / whole[1])
        return min(1, max(each) if self.cover else min(each))

    def size(self, whole: Size) -> Size:
        """What becomes of a picture of this size."""
        left, top, right, bottom = self.crop(whole)
        scale = self.scale(whole)
        wide, high = round((right - left) * scale), round((bottom - top) * scale)
        return max(1, min(self.width, wide)), max(1, min(self.height, high))


#: The frontend's, with its qualities: the large ones first, as the small ones are made of them.
PRESETS = (
    Preset("large", 1200, 1200, 95, cover=False),
    Preset("event", 800, 600, 90, cover=True),
    Preset("medium", 600, 600, 90, cover=False),
    Preset("gallery", 600, 600, 85, cover=True),
    Preset("small", 300, 300, 85, cover=False),
    Preset("profile", 300, 300, 85, cover=True),
    Preset("thumbnail", 150, 150, 80, cover=True),
)

_PLACEHOLDER = Preset("placeholder", 24, 24, 30, cover=False)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: In half the time of Lanczos, which hardly anybody can tell from it in a picture that gets smaller.
_FILTER = Image.Resampling.HAMMING

#: Effort of the WebP encoder, of 6: 2 takes a third more time for 3 % less bytes, and beyond it twice the time.
_WEBP_EFFORT = 0
#: Above it a WebP takes twice the time and a third more bytes for what no eye sees: 42 dB and more lie below.
_WEBP_MOST = 90


@dataclass(frozen=True)
class _Encoded:
    name: str
    media_type: str
    width: int
    height: int
    path: str
    size_bytes: int
    sha256: str


def render(path: str, family: str, out_dir: str, limits: Limits) -> dict[str, Any]:
    """Write every preset into `out_dir` as WebP and as JPEG, or PNG if not opaque. Returns `Rendering`'s fields.

    Raises `Refused` for what is damaged or beyond the limits.
    """
    whole, base = _base(Path(path), family, limits)
    levels = [base]
    variants = []
    for preset in PRESETS:
        image = _derived(preset, whole, levels)
        if not preset.cover and image.size < levels[-1].size:
            levels.append(image)
        variants += [_written(preset, image, kind, Path(out_dir)) for kind in _formats(image)]
    placeholder = io.BytesIO()
    tiny = _derived(_PLACEHOLDER, whole, levels)
    tiny.save(placeholder, "WEBP", quality=_PLACEHOLDER.quality, method=6)
    return {
        "width": whole[0],
        "height": whole[1],
        "placeholder": f"data:image/webp;base64,{base64.b64encode(placeholder.getvalue()).decode()}",
        "mean_color": mean_colour(tiny),
        "variants": [asdict(variant) for variant in variants],
    }


def _base(path: Path, family: str, limits: Limits) -> tuple[Size, Image.Image]:
    """Size of the whole picture as it is seen, and the picture no larger than any preset needs it."""
    decoded = decode(path, family, limits, _enough)
    header, profile = decoded.header, decoded.image.info.get("icc_profile")
    enough = _enough(header)
    size = max(1, round(header.width * enough)), max(1, round(header.height * enough))
    image = shrunk(decoded.image, size)
    if size < image.size:
        image = image.resize(size, _FILTER, reducing_gap=2)
    image = to_srgb(image, profile)
    turn = _TURNS.get(decoded.orientation)
    if turn is not None:
        image = image.transpose(turn)
    return decoded.shown, image


def _enough(header: Header) -> float:
    """At what fraction of its size the picture still suffices every preset, lying or standing."""
    either_way = (header.width, header.height), (header.height, header.width)
    return max(preset.scale(whole) for preset in PRESETS for whole in either_way)


def _derived(preset: Preset, whole: Size, levels: list[Image.Image]) -> Image.Image:
    """The preset, from the smallest level that has no fewer pixels than it."""
    size = preset.size(whole)
    scale = preset.scale(whole)
    for level in reversed(levels):
        if level.width >= whole[0] * scale - 1 and level.height >= whole[1] * scale - 1:
            break
    box = preset.crop(level.size)
    if size == level.size and box == (0, 0, *size):
        return level
    return level.resize(size, _FILTER, box=box, reducing_gap=2)


def _formats(image: Image.Image) -> tuple[str, str]:
    return ("WEBP", "PNG") if image.mode == "RGBA" else ("WEBP", "JPEG")


def _written(preset: Preset, image: Image.Image, kind: str, out_dir: Path) -> _Encoded:
    how: dict[str, Any] = {
        "WEBP": {"quality": min(preset.quality, _WEBP_MOST), "method": _WEBP_EFFORT},
        # Optimized, it takes three times as long for 5 % less bytes, progressive seven times for 10 %; most take WebP.
        "JPEG": {"quality": preset.quality},
        "PNG": {},
    }[kind]
    encoded = io.BytesIO()
    image.save(encoded, kind, **how)
    content = encoded.getvalue()
    path = out_dir / f"{preset.name}.{kind.lower()}"
    path.write_bytes(content)
    return _Encoded(
        name=preset.name,
        media_type=f"image/{kind.lower()}",
        width=image.width,
        height=image.height,
        path=str(path),
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
