"""Sizes of pictures from their structure alone: nothing is decoded, so nothing can blow up.

Each walker goes through the whole file record by record and raises `Refused` where the file ends too early or its
records do not fit. Bytes after a picture's end are let be: only pictures made anew are ever shown.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from bilten.scanning import animated
from bilten.scanning.errors import Refused
from bilten.scanning.limits import Limits
from bilten.scanning.pictures import MAX_RECORDS, Header, Metadata, damaged

_MARKER = 0xFF
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_END_OF_IMAGE = 0xD9
#: Within the pixels a marker is what is neither a stuffed byte nor a restart.
_AMID_PIXELS = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")
#: A progressive picture has a dozen; each takes the decoder as long as all of its pixels, however short it is.
_MAX_SCANS = 64
_PROFILE_OR_COMMENT = frozenset({0xE2, 0xFE})


def read_header(data: bytes, family: str, limits: Limits) -> Header:
    """The header of a `jpeg`, `png`, `gif` or `webp`. Raises `Refused` for a damaged one, and one beyond the limits."""
    try:
        header = _WALKERS[family](data, limits)
    except (struct.error, IndexError):
        raise damaged("it ends too early") from None
    _check(header, limits)
    return header


def _check(header: Header, limits: Limits) -> None:
    width, height, frames = header.width, header.height, header.frames
    if width < 1 or height < 1:
        raise damaged("it has no size")
    if max(width, height) > limits.image_side:
        raise _too_large(f"{width} x {height} pixels; a side may have {limits.image_side}")
    if frames > limits.image_frames:
        raise _too_large(f"more than {limits.image_frames} frames")
    if width * height * frames > limits.image_pixels:
        times = f" in {frames} frames" if frames > 1 else ""
        raise _too_large(f"{width} x {height} pixels{times}; all may have {limits.image_pixels // 1_000_000} million")


def _too_large(why: str) -> Refused:
    return Refused("IMAGE_TOO_LARGE", f"The picture is too large: it has {why}.")


def _jpeg(data: bytes, limits: Limits) -> Header:
    metadata = Metadata(limits)
    header: Header | None = None
    components, in_scans, stored = 0, False, 0
    for marker, start, end in _jpeg_segments(data):
        if marker in _START_OF_FRAME:
            if header is not None:
                raise damaged("it has two frame headers")
            height, width = struct.unpack_from(">HH", data, start + 1)
            header = Header(width, height)
            components, in_scans = data[start + 5], marker in _PROGRESSIVE
            stored = _coefficient_bytes(header, data[start + 6 : end], components)
        elif marker in _PROFILE_OR_COMMENT:
            metadata.add(end - start)
        elif marker == _START_OF_SCAN:
            if header is None:
                raise damaged("its pixels come before its header")
            if (in_scans or data[start] < components) and stored > limits.image_coefficient_bytes:
                raise _too_large("too many pixels for a progressive one: save it as a baseline JPEG")
            _check_scans(data, end)
            return header
    raise damaged("it has no pixels")


def _coefficient_bytes(header: Header, sampling: bytes, components: int) -> int:
    """What a decoder keeps of a picture that comes in several scans: two bytes for each sample, at its full size."""
    samples = [((each >> 4) or 1, (each & 15) or 1) for each in sampling[1 : 3 * components : 3]]
    across, down = max((each[0] for each in samples), default=1), max((each[1] for each in samples), default=1)
    return 2 * header.width * header.height * sum(wide * high for wide, high in samples) // (across * down)


def _check_scans(data: bytes, at: int) -> None:
    """Count the scans after the first as the decoder would find them; where it finds no more, it says what is wrong."""
    scans = 1
    for _ in range(MAX_RECORDS):
        found = _AMID_PIXELS.search(data, at)
        if found is None or data[found.end() - 1] == _END_OF_IMAGE:
            return
        marker, at = data[found.end() - 1], found.end()
        if marker in _NO_LENGTH:
            continue
        scans += marker == _START_OF_SCAN
        if scans > _MAX_SCANS:
            raise damaged(f"it has more than {_MAX_SCANS} scans")
        at += int.from_bytes(data[at : at + 2], "big")
    raise damaged("it has too many segments")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment's content, up to the end of the file."""
    at = 2
    for _ in range(MAX_RECORDS):
        while data[at] == data[at + 1] == _MARKER:
            at += 1
        if data[at] != _MARKER:
            raise damaged("its segments do not fit")
        marker = data[at + 1]
        at += 2
        if marker in _NO_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        # The length counts its own two bytes.
        if length <= 1 or at + length > len(data):
            raise damaged("a segment is longer than the file")
        yield marker, at + 2, at + length
        at += length
    raise damaged("it has too many segments")


def _png(data: bytes, limits: Limits) -> Header:
    metadata = Metadata(limits)
    header: Header | None = None
    frames = pixels = 0
    for kind, start, end in _png_chunks(data):
        if (header is None) != (kind == b"IHDR"):
            raise damaged("its header is not where it must be")
        if kind == b"IHDR":
            header = Header(*struct.unpack_from(">II", data, start))
        elif kind == b"IDAT":
            pixels += end - start
        elif kind == b"fcTL":
            frames += 1
        elif kind in {b"tEXt", b"eXIf"}:
            metadata.add(end - start)
        elif kind in {b"zTXt", b"iCCP"}:
            metadata.unpack(data[data.index(b"\0", start, end) + 2 : end] if b"\0" in data[start:end] else b"")
        elif kind == b"iTXt":
            _international_text(data[start:end], metadata)
        elif kind == b"IEND" and header is not None and pixels:
            return Header(header.width, header.height, max(1, frames))
    raise damaged("it ends too early")


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    at = 8
    for _ in range(MAX_RECORDS):
        (length,) = struct.unpack_from(">I", data, at)
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data):
            raise damaged("a chunk is longer than the file")
        if zlib.crc32(memoryview(data)[at + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise damaged("a checksum is wrong")
        yield data[at + 4 : start], start, end
        at = end + 4
    raise damaged("it has too many chunks")


def _international_text(chunk: bytes, metadata: Metadata) -> None:
    _, _, rest = chunk.partition(b"\0")
    packed, content = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
    if packed:
        metadata.unpack(content)
    else:
        metadata.add(len(content))


_WALKERS: dict[str, Callable[[bytes, Limits], Header]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": animated.gif,
    "webp": animated.webp,
}
