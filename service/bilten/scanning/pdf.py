"""A PDF's frame, and what its streams unpack to. What it draws is nobody's business here."""

import re
import zlib
from collections.abc import Iterator

from bilten.scanning.budget import Budget
from bilten.scanning.errors import Refused

_VERSION = re.compile(rb"%PDF-[12]\.\d")
_END = re.compile(rb"startxref\s+\d+\s+%%EOF[\s\0]*\Z")
_END_BYTES = 2048
#: The name wherever it is, each letter as itself or as `#` and its number: what follows it may be hidden too.
_ENCRYPTED = re.compile(
    rb"/(?:E|#45)(?:n|#6[eE])(?:c|#63)(?:r|#72)(?:y|#79)(?:p|#70)(?:t|#74)(?![A-Za-z0-9])",
)
#: What a browser that guesses would take a file with these first bytes for.
_GUESSED = re.compile(rb"<\s*(?:!doctype|html|head|body|script|svg|iframe)\b|<\?php", re.IGNORECASE)
_GUESS_BYTES = 1024
#: As lenient readers find it: blanks before the line's end, and any kind of end.
_STREAM = re.compile(rb"(?<!end)stream[ \t]{0,8}(?:\r\n?|\n)")
_STREAM_END = b"endstream"
_ZIP_END = b"PK\x05\x06"
#: Streams deflated twice are odd, three times hostile.
_MAX_DEFLATED = 2
#: A stream is inflated so many packed bytes at a time, and counts as so many at least: what is tried in vain costs too.
_STEP_BYTES = 64 * 1024
_LEAST_BYTES = 512


def streams(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    """Name and content of each stream that is deflated, after the frame was checked. Raises `Refused`."""
    _check_frame(data)
    end = 0
    for match in _STREAM.finditer(data):
        start = match.end()
        # Words that lie between a stream and its end share that end: it is not looked for again.
        if end < start:
            end = data.find(_STREAM_END, start)
        if end < 0:
            raise _damaged("a stream of it has no end")
        content: bytes | memoryview = memoryview(data)[start:end]
        name = f"stream at {start}"
        for _ in range(_MAX_DEFLATED):
            inflated = _inflated(name, content, budget)
            if inflated is None:
                break
            content = inflated
            yield name, content
        else:
            if _looks_deflated(content):
                raise Refused("ARCHIVE_LIMITS", "The PDF holds streams that are packed more than twice.")


def _check_frame(data: bytes) -> None:
    if not _VERSION.match(data):
        raise _damaged("it has no version")
    if _GUESSED.search(data, 0, _GUESS_BYTES):
        raise _damaged("it is a web page as well")
    # Whatever length of comment it says: readers of zips differ in how much they mind.
    if data.rfind(_ZIP_END) > data.rfind(_STREAM_END):
        raise _damaged("it is a zip archive as well")
    if not _END.search(data, max(0, len(data) - _END_BYTES)):
        raise _damaged("it is cut off, or bytes follow its end")
    if _ENCRYPTED.search(data):
        raise Refused("FILE_NOT_ALLOWED", "The PDF is encrypted, so it cannot be checked: take off its password.")


def _damaged(why: str) -> Refused:
    return Refused("FILE_DAMAGED", f"The PDF is damaged: {why}.")


def _looks_deflated(content: bytes | memoryview) -> bool:
    return len(content) > 1 and content[0] & 0x0F == zlib.DEFLATED and int.from_bytes(content[:2], "big") % 31 == 0


def _inflated(name: str, content: bytes | memoryview, budget: Budget) -> bytes | None:
    """What a stream unpacks to, as far as it can be unpacked, as readers show it; None when it is not deflated."""
    if not _looks_deflated(content):
        return None
    unpacker = zlib.decompressobj()
    left = budget.limits.archive_member_bytes + 1
    pieces: list[bytes] = []
    tried = 0
    try:
        while left > 0 and tried < len(content) and not unpacker.eof:
            step = content[tried : tried + _STEP_BYTES]
            tried += len(step)
            pieces.append(unpacker.decompress(step, left))
            left -= len(pieces[-1])
    except zlib.error:
        pass
    unpacked = b"".join(pieces)
    # Neither counted as members nor held to a ratio: a blank page that was scanned has any, a book many of them. But
    # streams within streams may have one tail to be inflated, so what goes in counts as well.
    cost = max(len(unpacked), tried, _LEAST_BYTES)
    budget.will_unpack(name, packed=cost, unpacked=cost)
    return unpacked or None
