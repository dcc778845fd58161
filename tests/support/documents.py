"""Documents for tests: whole ones, and archives whose headers lie. All made here; none is longer than it must be."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

_OOXML = "application/vnd.openxmlformats-officedocument"
MAIN = {
    "docx": f"{_OOXML}.wordprocessingml.document.main+xml",
    "xlsx": f"{_OOXML}.spreadsheetml.sheet.main+xml",
    "docm": "application/vnd.ms-word.document.macroEnabled.main+xml",
}
ODT = b"application/vnd.oasis.opendocument.text"
#: Streams shorter than this lie elsewhere in an OLE file, in a way that these need not write.
_OLE_STREAM_BYTES = 4096
_SECTOR = 512

Parts = Mapping[str, bytes]


def content_types(kind: str) -> bytes:
    override = f'<Override PartName="/word/document.xml" ContentType="{MAIN[kind]}"/>'
    return f'<?xml version="1.0"?><Types xmlns="urn:types">{override}</Types>'.encode()


def zipped(parts: Parts | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items() if isinstance(parts, Mapping) else parts:
            archive.writestr(name, content)
    return out.getvalue()


def office(kind: str = "docx", more: Parts | None = None) -> bytes:
    """A DOCX or XLSX, or a DOCM, with these parts as well."""
    whole = {"[Content_Types].xml": content_types(kind), "word/document.xml": b"<w:document/>"}
    return zipped({**whole, **(more or {})})


def odt(more: Parts | None = None, *, mimetype: bytes = ODT) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", mimetype, zipfile.ZIP_STORED)
        for name, content in {"content.xml": b"<office/>", **(more or {})}.items():
            archive.writestr(name, content)
    return out.getvalue()


def streamed(parts: Parts) -> bytes:
    """Written to what cannot be sought, as servers do: sizes come after each member."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    out = Pipe()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def nested(levels: int, innermost: bytes) -> bytes:
    """An archive within an archive, so many times, as a part of a DOCX, which is the first level."""
    content = innermost
    for level in range(levels - 1):
        content = zipped({f"{level}.zip": content})
    return office(more={"word/embeddings/a.zip": content})


@dataclass(frozen=True)
class Entry:
    """One member, with what its two headers say; None where they say the truth."""

    name: bytes
    content: bytes = b"x"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    packed: bytes | None = None
    listed_name: bytes | None = None
    listed_size: int | None = None
    local_size: int | None = None
    listed_header: int | None = None
    gap: bytes = b""


def raw_zip(entries: list[Entry], *, before: bytes = b"", end: bytes = b"", count: int | None = None) -> bytes:
    """An archive byte by byte."""
    out, directory = bytearray(before), bytearray()
    for entry in entries:
        at = len(out)
        packed = entry.packed
        if packed is None:
            packed = _deflated(entry.content) if entry.method == zipfile.ZIP_DEFLATED else entry.content
        crc, size = zlib.crc32(entry.content), len(entry.content)
        common = (entry.flags, entry.method, 0, 0, crc, len(packed))
        local_size = size if entry.local_size is None else entry.local_size
        out += struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, *common, local_size, len(entry.name), 0)
        out += entry.name + packed + entry.gap
        listed = entry.name if entry.listed_name is None else entry.listed_name
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 3 << 8 | 20, 20, *common,
            size if entry.listed_size is None else entry.listed_size, len(listed), 0, 0, 0, 0, entry.mode << 16,
            at if entry.listed_header is None else entry.listed_header,
        ) + listed  # fmt: skip
    number = len(entries) if count is None else count
    return bytes(
        out
        + directory
        + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, number, number, len(directory), len(out), 0)
        + end
    )


def raw_office(*entries: Entry, **how: bytes) -> bytes:
    """A DOCX that has these members as well."""
    return raw_zip(
        [Entry(b"[Content_Types].xml", content_types("docx")), Entry(b"word/document.xml", b"<w/>"), *entries],
        before=how.get("before", b""),
        end=how.get("end", b""),
    )


def overlapping() -> bytes:
    """Two members of one and the same bytes, as the flattest of zip bombs has them."""
    first = Entry(b"word/a.xml", bytes(1000))
    header = raw_office(first).index(b"word/a.xml") - 30
    return raw_office(first, replace(first, listed_header=header))


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE file ([MS-CFB], version 3) with these streams; `a/b` is stream b of storage a."""
    names: list[tuple[str, bytes | None]] = []
    for path, content in streams.items():
        *storages, name = path.split("/")
        names += [(each, None) for each in storages if (each, None) not in names]
        names.append((name, content + bytes(max(0, _OLE_STREAM_BYTES - len(content)))))
    sectors: list[bytes] = []
    chain: list[int] = []

    def add(content: bytes) -> int:
        first = len(sectors)
        pieces = [content[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(content), _SECTOR)]
        sectors.extend(pieces)
        chain.extend([*range(first + 1, first + len(pieces)), 0xFFFFFFFE])
        return first

    entries = [_ole_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1 if names else 0xFFFFFFFF)]
    paths = list(streams)
    for number, (name, content) in enumerate(names, 1):
        # A list is a tree too: each entry's right sibling is the next, a storage's child likewise.
        if content is None:
            entries.append(_ole_entry(name, 1, 0, 0, child=number + 1))
        else:
            following = number + 1 if number < len(names) else 0xFFFFFFFF
            entries.append(_ole_entry(name, 2, add(content), len(content), right=following))
    assert len(entries) == len(names) + 1, paths
    directory = b"".join(entries)
    first_directory = add(directory + b"".join([_ole_entry("", 0, 0, 0)] * (-len(entries) % 4)))
    tables = (len(chain) // 127) + 1
    first_table = len(sectors)
    chain += [0xFFFFFFFD] * tables
    packed = struct.pack(f"<{len(chain)}I", *chain).ljust(tables * _SECTOR, b"\xff")
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6), 0,
        tables, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    )  # fmt: skip
    difat = [*range(first_table, first_table + tables)]
    return header + struct.pack("<109I", *difat, *[0xFFFFFFFF] * (109 - tables)) + b"".join(sectors) + packed


def _ole_entry(
    name: str, kind: int, start: int, size: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF
) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", text, len(text) + 2 if name else 0, kind, 1, 0xFFFFFFFF, right, child, bytes(16), 0, 0, 0,
        start, size,
    )  # fmt: skip


def word(flags: int = 0, more: Parts | None = None, magic: int = 0xA5EC) -> bytes:
    """A DOC: as much of it as tells that it is one."""
    return ole({"WordDocument": struct.pack("<HHHHHH", magic, 0xC1, 0, 0, 0, flags), **(more or {})})


def pdf(*streams: bytes, trailer: bytes = b"", head: bytes = b"%PDF-1.7\n", end: bytes = b"") -> bytes:
    """A PDF of these streams, deflated once."""
    out = bytearray(head + b"1 0 obj\n<< /Type /Catalog >>\nendobj\n")
    for number, content in enumerate(streams, 2):
        packed = zlib.compress(content, 9)
        out += f"{number} 0 obj\n<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        out += packed + b"\nendstream\nendobj\n"
    at = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R " + trailer + b" >>\n"
    return bytes(out + f"startxref\n{at}\n%%EOF\n".encode() + end)
