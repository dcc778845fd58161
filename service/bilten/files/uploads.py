"""What every call takes that takes a file, and what it may refuse."""

from bilten.files.errors import (
    ArchiveLimits,
    ContentMismatch,
    FileDamaged,
    FileInfected,
    FileNotAllowed,
    ImageTooLarge,
    QuotaExceeded,
    ScannerDown,
    TypeNotTaken,
)
from bilten.files.schemas import MEDIA_TYPES
from bilten.web.forms import FileField

FILE = FileField(
    "file",
    lambda settings: max(settings.max_image_bytes, settings.max_document_bytes),
    media_types=MEDIA_TYPES,
    description="The file, with its name and type.",
)
REFUSALS = (
    QuotaExceeded(),
    TypeNotTaken(),
    ContentMismatch(),
    ImageTooLarge(),
    FileDamaged(),
    FileNotAllowed(),
    FileInfected(),
    ArchiveLimits(),
    ScannerDown(),
)
