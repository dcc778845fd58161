"""Pictures for tests: of a camera, broken ones, and such as look small and are not."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

RED, BLUE, GREEN = (200, 30, 30), (20, 40, 220), (20, 200, 40)


def picture(size: tuple[int, int] = (640, 480), mode: str = "RGB", colour: Any = RED) -> Image.Image:
    """One colour, other ones in its right half and lower left quarter where there are any, so that turning it shows."""
    image = Image.new(mode, size, colour)
    if mode == "RGB":
        image.paste(GREEN, (0, size[1] // 2, size[0] // 2, size[1]))
        image.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return image


def encoded(image: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def jpeg(size: tuple[int, int] = (640, 480), **how: Any) -> bytes:
    return encoded(picture(size), "JPEG", **how)


def camera(size: tuple[int, int] = (640, 480), orientation: int = 1) -> bytes:
    """A JPEG with what a telephone writes: maker, orientation, a place, and a script in a comment."""
    exif = Image.Exif()
    exif[0x010F] = "Cairo Cameras"
    exif[0x0112] = orientation
    exif[0x010E] = "<script>alert(1)</script>"
    exif[0x8825] = {1: "N", 2: (30.0, 2.0, 40.0), 3: "E", 4: (31.0, 14.0, 8.0)}
    return jpeg(size, exif=exif.tobytes(), comment=b"<script>alert(2)</script>")


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of PNG, its checksum right."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_header(width: int, height: int, depth: int = 1, colours: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))


def empty_png(width: int, height: int) -> bytes:
    """Black, one bit a pixel: some kilobytes, whatever its size."""
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    return png(png_header(width, height), chunk(b"IDAT", rows), chunk(b"IEND", b""))


def with_chunk(kind: bytes, content: bytes) -> bytes:
    """A small PNG that has this chunk as well."""
    whole = encoded(picture((8, 8)), "PNG")
    return whole[:33] + chunk(kind, content) + whole[33:]


def gif_frames(count: int, size: tuple[int, int] = (1, 1)) -> bytes:
    """A GIF of so many frames, made by hand: an encoder would join like ones."""
    frame = b"\x2c\0\0\0\0" + struct.pack("<HH", *size) + b"\0\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<HH", *size) + b"\x80\0\0\0\0\0\xff\xff\xff" + frame * count + b";"


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP file of these chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1) for kind, content in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_frames(count: int, size: tuple[int, int] = (1, 1)) -> bytes:
    """An animated WebP of so many frames."""
    still = encoded(Image.new("RGB", size), "WEBP", lossless=True)
    (length,) = struct.unpack_from("<I", still, 16)
    pixels = still[12 : 20 + length + (length & 1)]
    side = b"".join((each - 1).to_bytes(3, "little") for each in size)
    frame = b"ANMF", bytes(6) + side + b"\x0a\0\0\0" + pixels
    return riff((b"VP8X", b"\x02\0\0\0" + side), (b"ANIM", bytes(6)), *([frame] * count))
