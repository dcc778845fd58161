"""What a document is, from what lies within, and what may not lie within: macros, passwords, entities."""

import re
from collections.abc import Iterator

from bilten.scanning import zips
from bilten.scanning.budget import Budget
from bilten.scanning.errors import Refused
from bilten.scanning.unpack import Part, unpack
from bilten.scanning.xmlparts import Attributes, each_element, is_local

_CONTENT_TYPES = "[Content_Types].xml"
_MAIN_PART = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
}
_ODT = b"application/vnd.oasis.opendocument.text"

#: Visual Basic, its data, Excel 4 macros, ActiveX controls, and Basic or scripts of OpenDocument.
_MACRO_PART = re.compile(
    r"(^|/)(vbaproject[^/]*\.bin|vbadata\.xml)$|(^|/)(macrosheets|activex)/|^(basic|scripts)/.*[^/]$", re.IGNORECASE
)
_MACRO_TYPE = re.compile(r"macroEnabled|vnd\.ms-office\.vba|macrosheet\+xml|activeX\+xml", re.IGNORECASE)
_XML = re.compile(r"\.(xml|rels)$", re.IGNORECASE)
#: A template that is fetched when the document is opened brings macros along.
_TEMPLATE = "attachedtemplate"

#: The end of a zip, with the longest comment it may have.
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22 + 65535

_WITH_MACROS = "The document holds macros or controls, and those are not taken. Save it without them, as {}."


def check_zip(data: bytes, name: str, budget: Budget) -> Iterator[Part]:
    """Check a `docx`, `xlsx` or `odt`, and yield all that lies within it. Raises `Refused`."""
    listed = [member.name for member in zips.members(data, Budget(budget.limits))]
    if name == "odt":
        _check_odt(data, budget)
    elif _CONTENT_TYPES not in listed:
        raise _other(name)
    for part in unpack(data, budget):
        _check_part(part, name)
        yield part


def _check_odt(data: bytes, budget: Budget) -> None:
    """The standard wants the type as the first member, not packed: so any reader knows it by its first bytes."""
    found = zips.members(data, Budget(budget.limits))
    if not found or found[0].name != "mimetype" or found[0].method != 0:
        raise _other("odt")
    if zips.contents(data, found[0], budget).strip() != _ODT:
        raise _other("odt")


def _check_part(part: Part, name: str) -> None:
    if _MACRO_PART.search(part.inner):
        raise _macros(name)
    if not _XML.search(part.inner):
        return
    # In UTF-16 every other byte is zero; what is asked for here is ASCII in either.
    text = part.content.replace(b"\0", b"")
    if b"<!ENTITY" in text.upper():
        raise Refused("FILE_NOT_ALLOWED", "The document defines XML entities, which no office program writes.")
    # Names of parts are one, however they are written.
    if part.inner.lower() == _CONTENT_TYPES.lower():
        _check_types(part, name)
    if part.inner == "META-INF/manifest.xml" and b"encryption-data" in text:
        raise Refused("FILE_NOT_ALLOWED", "The document is encrypted, so it cannot be checked: take off its password.")
    if part.inner.lower().endswith(".rels"):
        each_element(part.inner, part.content, _check_relation)


def _check_types(part: Part, name: str) -> None:
    found = set()

    def check(attributes: Attributes) -> None:
        kind = attributes.get("contenttype", "")
        if _MACRO_TYPE.search(kind):
            raise _macros(name)
        found.add(kind)

    each_element(part.inner, part.content, check)
    if part.depth == 1 and name in _MAIN_PART and _MAIN_PART[name] not in found:
        raise _other(name)


def _check_relation(attributes: Attributes) -> None:
    if _TEMPLATE in attributes.get("type", "").lower() and not is_local(attributes.get("target", "")):
        raise Refused("FILE_NOT_ALLOWED", "The document fetches its template from elsewhere. Attach a local one.")


def _macros(name: str) -> Refused:
    return Refused("FILE_NOT_ALLOWED", _WITH_MACROS.format(name.upper()))


def _other(name: str) -> Refused:
    return Refused("CONTENT_MISMATCH", f"The file is declared as {name.upper()}, but it is an archive of another kind.")


def check_ole(data: bytes, name: str, budget: Budget) -> Iterator[Part]:
    """Check a `doc`, or say why an encrypted file of a newer type cannot be taken. Raises `Refused`."""
    _check_tail(data)
    parts = []
    for part in unpack(data, budget):
        parts.append(part)
        yield part
    names = {part.inner.lower() for part in parts if part.depth == 1}
    if {"encryptedpackage", "encryptioninfo"} & names:
        raise Refused("FILE_NOT_ALLOWED", "The document is encrypted, so it cannot be checked: take off its password.")
    if name != "doc" or "worddocument" not in names:
        raise Refused("CONTENT_MISMATCH", f"The file is declared as {name.upper()}, but it is an old Office file.")
    if any("macros/" in each or "_vba_project" in each for each in (part.inner.lower() for part in parts)):
        raise _macros(name)
    _check_word(next(part.content for part in parts if part.depth == 1 and part.inner.lower() == "worddocument"))


def _check_tail(data: bytes) -> None:
    """An archive that ends where the file ends is what unpackers would see of it."""
    at = data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_BYTES))
    if at >= 0 and at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") >= len(data):
        raise Refused("FILE_DAMAGED", "The document is damaged: it is a zip archive as well.")


_WORD_MAGIC = 0xA5EC
_WORD_ENCRYPTED = 0x0100


def _check_word(stream: bytes) -> None:
    """The first words of Word's own stream: [MS-DOC] 2.5.2, FibBase."""
    magic, flags = int.from_bytes(stream[:2], "little"), int.from_bytes(stream[10:12], "little")
    if magic != _WORD_MAGIC:
        raise Refused("FILE_DAMAGED", "The document is damaged, or older than Word 97: save it as DOCX.")
    if flags & _WORD_ENCRYPTED:
        raise Refused("FILE_NOT_ALLOWED", "The document is encrypted, so it cannot be checked: take off its password.")
