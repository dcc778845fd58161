"""GIF and WebP, block by block: their frames are counted without decoding one."""

import struct
from collections.abc import Iterator

from bilten.scanning.limits import Limits
from bilten.scanning.pictures import MAX_RECORDS, Header, Metadata, damaged

_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B
_LOSSLESS_SIGNATURE = 0x2F


def gif(data: bytes, limits: Limits) -> Header:
    """The header of a GIF; where it has too many frames, the rest is not looked at."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + _palette(flags)
    frames = 0
    for _ in range(MAX_RECORDS):
        introducer = data[at]
        if introducer == _TRAILER:
            if frames:
                return Header(width, height, frames)
            raise damaged("it has no frame")
        if introducer == _EXTENSION:
            at = _gif_blocks(data, at + 2)
        elif introducer == _FRAME:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            if frames > limits.image_frames:
                return Header(width, height, frames)
            at = _gif_blocks(data, at + 11 + _palette(flags))
        else:
            raise damaged("its blocks do not fit")
    raise damaged("it has too many blocks")


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: bytes, at: int) -> int:
    while length := data[at]:
        at += 1 + length
    return at + 1


def webp(data: bytes, limits: Limits) -> Header:
    """The header of a WebP."""
    metadata = Metadata(limits)
    header: Header | None = None
    frames = pixels = 0
    for kind, start, end in _webp_chunks(data):
        if kind == b"VP8X" and header is None:
            header = Header(_three(data, start + 4) + 1, _three(data, start + 7) + 1)
        elif kind == b"ANMF":
            frames += 1
        elif kind in {b"VP8 ", b"VP8L"}:
            pixels += 1
            header = _larger(header, _vp8(data, start) if kind == b"VP8 " else _vp8l(data, start))
        elif kind in {b"ICCP", b"EXIF", b"XMP "}:
            metadata.add(end - start)
    if header is None or not (frames or pixels):
        raise damaged("it has no pixels")
    return Header(header.width, header.height, max(1, frames))


def _larger(one: Header | None, other: Header) -> Header:
    return other if one is None else Header(max(one.width, other.width), max(one.height, other.height))


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    (length,) = struct.unpack_from("<I", data, 4)
    at, stop = 12, 8 + length
    if stop > len(data):
        raise damaged("it ends too early")
    while at + 8 <= stop:
        (length,) = struct.unpack_from("<I", data, at + 4)
        start, end = at + 8, at + 8 + length
        if end > stop:
            raise damaged("a chunk is longer than the file")
        yield data[at : at + 4], start, end
        at = end + (length & 1)


def _three(data: bytes, at: int) -> int:
    if at + 3 > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + 3], "little")


def _vp8(data: bytes, at: int) -> Header:
    if data[at + 3 : at + 6] != b"\x9d\x01\x2a":
        raise damaged("its first frame is no key frame")
    width, height = struct.unpack_from("<HH", data, at + 6)
    return Header(width & 0x3FFF, height & 0x3FFF)


def _vp8l(data: bytes, at: int) -> Header:
    if data[at] != _LOSSLESS_SIGNATURE:
        raise damaged("its pixels have no signature")
    (bits,) = struct.unpack_from("<I", data, at + 1)
    return Header((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
