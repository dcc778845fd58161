"""Everything that lies within a container, and within the containers in it, within one budget. Only for children."""

import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import olefile

from bilten.scanning import pdf, zips
from bilten.scanning.budget import Budget
from bilten.scanning.errors import Refused

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_GZIP = b"\x1f\x8b\x08"
_PDF = b"%PDF-"
#: Archives that nothing here can look into: what is in them is unknown, so they are not taken.
_OPAQUE = re.compile(
    rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\xfd7zXZ\0|BZh[1-9]1AY&SY|MSCF\0\0\0\0|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|LZIP"
    rb"|..-lh[0-9d]-|\x60\xea|xar!|ITSF|SZDD",
    re.DOTALL,
)
_TAR = slice(257, 262)
_WITHIN = re.compile(rb"PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c")


@dataclass(frozen=True)
class Part:
    """One thing within: its path through the containers, its name in the innermost, and how deep that lies."""

    path: str
    inner: str
    depth: int
    content: bytes


def unpack(data: bytes, budget: Budget, *, path: str = "", depth: int = 1) -> Iterator[Part]:
    """All parts of a zip, OLE file, gzip or PDF, depth first. Raises `Refused` beyond the budget or for what is broken.

    What is none of these has no parts.
    """
    for inner, content in _contents(data, budget, depth):
        where = f"{path}/{inner}" if path else inner
        yield Part(where, inner, depth, content)
        yield from unpack(content, budget, path=where, depth=depth + 1)


def _contents(data: bytes, budget: Budget, depth: int) -> Iterator[tuple[str, bytes]]:
    if data.startswith(_ZIP):
        budget.depth(depth)
        for member in zips.members(data, budget):
            yield member.name, zips.contents(data, member, budget)
    elif data.startswith(_OLE):
        budget.depth(depth)
        yield from _ole(data, budget)
    elif data.startswith(_GZIP):
        budget.depth(depth)
        yield "gzip", _gzip(data, budget)
    elif data.startswith(_PDF):
        budget.depth(depth)
        yield from pdf.streams(data, budget)
    elif _OPAQUE.match(data) or data[_TAR] == b"ustar":
        raise Refused("ARCHIVE_LIMITS", "The document holds an archive of a kind that cannot be checked.")


def _gzip(data: bytes, budget: Budget) -> bytes:
    """As in the EMZ pictures of office documents."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        content = unpacker.decompress(data, budget.limits.archive_member_bytes + 1)
    except zlib.error:
        content = b""
    budget.member()
    budget.will_unpack("gzip", packed=len(data), unpacked=len(content))
    if not unpacker.eof or unpacker.unused_data:
        raise zips.damaged("a packed picture in it is not whole")
    return content


def _ole(data: bytes, budget: Budget) -> Iterator[tuple[str, bytes]]:
    with _opened(data) as ole:
        for path in ole.listdir():
            name = "/".join(path)
            budget.member()
            content = _stream(ole, path, len(data))
            budget.will_unpack(name, packed=len(content), unpacked=len(content))
            if "ole10native" in name.lower() and _WITHIN.search(content):
                raise Refused("ARCHIVE_LIMITS", "The document holds an archive of a kind that cannot be checked.")
            yield name, content


def _opened(data: bytes) -> olefile.OleFileIO:
    try:
        return olefile.OleFileIO(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception as error:
        # olefile raises OSError, IndexError, struct.error ... for what is broken, here and below.
        raise zips.damaged("its streams cannot be found") from error


def _stream(ole: olefile.OleFileIO, path: list[str], at_most: int) -> bytes:
    """A stream cannot be longer than the file, unless its chain runs in circles."""
    try:
        content = bytes(ole.openstream(path).read()) if ole.get_size(path) <= at_most else None
    except MemoryError:
        raise
    except Exception as error:
        raise zips.damaged("a stream of it cannot be read") from error
    if content is None:
        raise zips.damaged("a stream of it is longer than the file")
    return content
