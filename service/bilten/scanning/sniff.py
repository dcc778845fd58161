"""What a file is by its first bytes, whatever it is called."""

import re
from dataclasses import dataclass

from bilten.scanning.errors import Refused
from bilten.scanning.names import extension
from bilten.scanning.types import AllowedTypes, FileType

#: How much of a file `sniff` wants to see, in bytes.
HEAD_BYTES = 4096

#: Types that are containers: what lies within says which it is.
ZIP, OLE = "zip", "ole"

#: A DOCX or XLSX with a password is an OLE file; `office` then says that this is why.
_FAMILIES = {"docx": (ZIP, OLE), "xlsx": (ZIP, OLE), "odt": (ZIP,), "doc": (OLE,)}

_OURS = (
    (re.compile(rb"\xff\xd8\xff"), "jpeg", "a JPEG picture"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png", "a PNG picture"),
    (re.compile(rb"GIF8[79]a"), "gif", "a GIF picture"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp", "a WebP picture"),
    (re.compile(rb"%PDF-"), "pdf", "a PDF"),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), ZIP, "a zip archive"),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), OLE, "an OLE file (old Office, or encrypted)"),
)

_TEXT = re.compile(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*(<[^>]{0,200})", re.IGNORECASE)
_SVG = re.compile(rb"<(?:[a-z0-9_-]+:)?svg[\s>:]", re.IGNORECASE)
_PHP = re.compile(rb"\A\s*<\?(php|=)", re.IGNORECASE)

#: Only for the sentence that refuses: what people most often rename.
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a program"),
    (0, b"\xca\xfe\xba\xbe", "a program"),
    (0, b"\xcf\xfa\xed\xfe", "a program"),
    (0, b"#!", "a script"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%!PS", "PostScript"),
    (0, b"{\\rtf", "an RTF text"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"ID3", "sound"),
    (0, b"OggS", "sound or video"),
    (4, b"ftyp", "video, or a picture of the HEIF family"),
    (257, b"ustar", "a tar archive"),
)


@dataclass(frozen=True)
class Sniffed:
    """`family` is a type's name, `zip`, `ole`, or empty; `said` names it in a sentence."""

    family: str
    said: str


def sniff(head: bytes) -> Sniffed:
    """What these first bytes begin. Only files that could be what the table lists have a family."""
    for pattern, family, said in _OURS:
        if pattern.match(head):
            return Sniffed(family, said)
    return Sniffed("", _other(head))


def _other(head: bytes) -> str:
    if _PHP.match(head):
        return "a PHP script"
    if _SVG.search(head):
        return "an SVG picture, and those can carry scripts: export it as PNG or WebP"
    if _TEXT.match(head):
        return "HTML or XML"
    for offset, magic, said in _OTHERS:
        if head[offset : offset + len(magic)] == magic:
            return said
    return "something else"


def check_extension(name: str, declared: FileType) -> None:
    """Raises `Refused` unless a safe name ends as those of its declared type do."""
    ending, said = extension(name), declared.name.upper()
    if not ending:
        raise Refused("CONTENT_MISMATCH", f"The file's name has no extension; {said} has .{declared.extension}.")
    if ending not in declared.extensions:
        raise Refused("CONTENT_MISMATCH", f"The file is declared as {said}, but its name ends in .{ending}.")


def agree(head: bytes, *, name: str, declared: FileType, allowed: AllowedTypes) -> None:
    """Raises `Refused` unless first bytes, extension and declared type say the same, as far as first bytes can tell.

    `name` is a safe one. Whether a zip is that document, and not another, `office` says.
    """
    check_extension(name, declared)
    said, found = declared.name.upper(), sniff(head)
    if found.family not in _FAMILIES.get(declared.name, (declared.name,)):
        raise Refused(
            "CONTENT_MISMATCH", f"The file is declared as {said}, but it is {found.said}. Taken are: {allowed.listed}."
        )
