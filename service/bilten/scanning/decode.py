"""A picture's pixels, decoded with Pillow after its structure was found to be within bounds. Only for children."""

import math
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from bilten.scanning.headers import read_header
from bilten.scanning.limits import Limits
from bilten.scanning.pictures import Header, damaged

PLUGINS = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)

Scale = Callable[[Header], float]

_ORIENTATION = 0x0112
_SHORT = 3
_TURNED = frozenset(range(5, 9))


def _whole(_header: Header) -> float:
    return 1


@dataclass(frozen=True)
class Decoded:
    """The first frame, maybe at a fraction of its size, and how it has to be turned (EXIF's 1 to 8)."""

    image: Image.Image
    header: Header
    orientation: int

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height of the whole picture as it is to be seen."""
        width, height = self.header.width, self.header.height
        return (height, width) if self.orientation in _TURNED else (width, height)


def decode(path: Path, family: str, limits: Limits, scale: Scale = _whole) -> Decoded:
    """Read a `jpeg`, `png`, `gif` or `webp`, maybe smaller, but no less than the fraction that `scale` asks for.

    Raises `Refused` for what is damaged or beyond the limits.
    """
    header = read_header(path.read_bytes(), family, limits)
    # A second wall, should Pillow see other sizes than we did: it raises at twice this.
    Image.MAX_IMAGE_PIXELS = limits.image_pixels // 2
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=[family.upper()]) as image:
            larger = image.width > header.width or image.height > header.height
            if not larger:
                # A JPEG comes at 1/2, 1/4 or 1/8 then, in a fraction of the time and memory; others come whole.
                enough = scale(header)
                image.draft(None, (math.ceil(header.width * enough), math.ceil(header.height * enough)))
                image.load()
    except MemoryError:
        raise
    except Exception as error:
        # Decoders raise whatever comes to them: OSError, SyntaxError, ValueError, struct.error, EOFError ...
        raise damaged("it cannot be decoded to its end") from error
    if larger:
        raise damaged("its sizes contradict each other")
    return Decoded(image, header, orientation(image.info.get("exif", b"")))


def orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 where there is none. Only the first directory is read, so no loop can be built."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == _ORIENTATION and kind == _SHORT:
                return value if 1 <= value <= max(_TURNED) else 1
    except struct.error:
        pass
    return 1
