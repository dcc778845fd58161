"""The XML parts that say what a document is and what it fetches, read as office programs read them.

Looked at as text they could say one thing to us and another to a program: letters as references, brackets within
attributes, another encoding. Types of documents and entities are refused, as no office program writes them here.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote
from xml.parsers import expat

from bilten.scanning.errors import Refused

#: Some ten thousand relationships: more than a document of fifty megabytes has.
MAX_BYTES = 4 * 1024 * 1024
_MAX_ELEMENTS = 100_000
_ENCODINGS = frozenset({"utf-8", "utf-16", "us-ascii"})
#: A path of this machine, or one beside the document; anything else that a program might fetch is elsewhere.
_LOCAL = re.compile(r"(?:file:///(?![\\/]))?(?:[a-z]:)?(?![\\/]{2})[^:]*", re.IGNORECASE)
_BLANK = re.compile(r"[\0-\x20]")

Attributes = Mapping[str, str]


def each_element(name: str, content: bytes, seen: Callable[[Attributes], None]) -> None:
    """Call `seen` with the attributes of each element, names in lower case and without prefix. Raises `Refused`."""
    if len(content) > MAX_BYTES:
        raise Refused("ARCHIVE_LIMITS", f"The document holds more than can be checked: {name!r} in it is too large.")
    elements = 0

    def start(_: str, attributes: list[str]) -> None:
        nonlocal elements
        elements += 1
        if elements > _MAX_ELEMENTS:
            raise Refused("ARCHIVE_LIMITS", f"The document holds more than can be checked: {name!r} is too long.")
        names = (each.rpartition(":")[2].lower() for each in attributes[::2])
        seen(dict(zip(names, attributes[1::2], strict=True)))

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding and encoding.lower() not in _ENCODINGS:
            raise Refused("FILE_NOT_ALLOWED", "The document is written in an encoding that no office program writes.")

    def defined(*_: object) -> None:
        raise Refused("FILE_NOT_ALLOWED", "The document defines XML entities, which no office program writes.")

    parser = expat.ParserCreate()
    parser.ordered_attributes = True
    parser.StartElementHandler = start
    parser.XmlDeclHandler = declared
    parser.StartDoctypeDeclHandler = defined
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Refused("FILE_DAMAGED", f"The document is damaged: {name!r} in it is no XML.") from None


def is_local(target: str) -> bool:
    """Whether a relationship's target can be had without a network."""
    return _LOCAL.fullmatch(_BLANK.sub("", unquote(target))) is not None
