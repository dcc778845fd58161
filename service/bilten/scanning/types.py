"""The table of what may be uploaded. A type that is not in it is refused, whatever its bytes are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bilten.scanning.errors import Refused

Kind = Literal["image", "document"]

_OOXML = "application/vnd.openxmlformats-officedocument"


@dataclass(frozen=True)
class FileType:
    """One type. `media_type` is what is stored and served; `aliases` are what clients also call it."""

    name: str
    media_type: str
    extensions: tuple[str, ...]
    kind: Kind
    aliases: frozenset[str] = frozenset()

    @property
    def extension(self) -> str:
        """What its objects' keys end in."""
        return self.extensions[0]


TYPES = (
    FileType("jpeg", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), "image", frozenset({"image/jpg", "image/pjpeg"})),
    FileType("png", "image/png", ("png",), "image", frozenset({"image/x-png"})),
    FileType("webp", "image/webp", ("webp",), "image"),
    FileType("gif", "image/gif", ("gif",), "image"),
    FileType("pdf", "application/pdf", ("pdf",), "document", frozenset({"application/x-pdf"})),
    FileType("doc", "application/msword", ("doc",), "document"),
    FileType("docx", f"{_OOXML}.wordprocessingml.document", ("docx",), "document"),
    FileType("xlsx", f"{_OOXML}.spreadsheetml.sheet", ("xlsx",), "document"),
    FileType("odt", "application/vnd.oasis.opendocument.text", ("odt",), "document"),
)

NAMES = tuple(kind.name for kind in TYPES)
BY_NAME = {kind.name: kind for kind in TYPES}
#: By what is stored and served; no alias is.
BY_MEDIA_TYPE = {kind.media_type: kind for kind in TYPES}

_SVG = (
    "SVG pictures are not taken, harmless ones neither: they can carry scripts, foreign objects and references to "
    "other sites, and no filter tells these apart for certain. Export the picture as PNG or WebP."
)


@dataclass(frozen=True)
class AllowedTypes:
    """The part of the table that this installation takes, with the largest size of each kind in bytes."""

    types: tuple[FileType, ...] = TYPES
    max_image_bytes: int = 10 * 1024 * 1024
    max_document_bytes: int = 50 * 1024 * 1024

    @classmethod
    def named(cls, names: Sequence[str], *, max_image_bytes: int, max_document_bytes: int) -> "AllowedTypes":
        """Those of these names. Raises `KeyError` for one that is not in the table."""
        return cls(tuple(BY_NAME[name] for name in names), max_image_bytes, max_document_bytes)

    def max_bytes(self, wanted: FileType) -> int:
        """The largest file of this type."""
        return self.max_image_bytes if wanted.kind == "image" else self.max_document_bytes

    @property
    def largest(self) -> int:
        """The largest file of any type: more need not be read of a body."""
        return max(self.max_bytes(each) for each in self.types)

    def declared(self, content_type: str) -> FileType:
        """The type that a client names, parameters aside. Raises `Refused`, also where it names none."""
        essence = content_type.partition(";")[0].strip().lower()
        for each in self.types:
            if essence == each.media_type or essence in each.aliases:
                return each
        if essence in {"image/svg+xml", "image/svg"}:
            raise Refused("UNSUPPORTED_MEDIA_TYPE", _SVG)
        raise Refused("UNSUPPORTED_MEDIA_TYPE", f"Files of this type are not taken. Taken are: {self.listed}.")

    def check_size(self, wanted: FileType, size_bytes: int) -> None:
        """Raises `Refused` for an empty file and for one that is larger than its type may be."""
        if size_bytes == 0:
            raise Refused("EMPTY_FILE", "The file is empty.")
        limit = self.max_bytes(wanted)
        if size_bytes > limit:
            raise Refused("FILE_TOO_LARGE", f"The file is too large: {wanted.name.upper()} may have {size(limit)}.")

    @property
    def listed(self) -> str:
        """Their names, for a sentence."""
        return ", ".join(each.name.upper() for each in self.types)


def size(size_bytes: int) -> str:
    """A number of bytes, for a sentence."""
    for power, unit in ((2, "MiB"), (1, "KiB")):
        if size_bytes >= 1024**power:
            return f"{size_bytes / 1024**power:.3g} {unit}"
    return f"{size_bytes} bytes"
