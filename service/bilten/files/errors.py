"""The refusals of this domain, in the words of the contract's decisions."""

from bilten.scanning.errors import Refused
from bilten.web.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    UnprocessableEntity,
    UnsupportedMediaType,
    ValidationFailed,
)
from bilten.web.forms import FileTooLarge


class FileNotFound(NotFound):
    """There is no such file, or none this caller may know of."""

    message = "File not found"


class NotYourFile(Forbidden):
    """The file is another's, and the contract wants that said."""

    message = "You can only delete your own files"


class FileNotAvailable(Conflict):
    """Its owner asks for bytes that may not be served (yet)."""

    code = "FILE_NOT_AVAILABLE"
    message = "The file has not been found clean, so it is not served. Look at its status."


class LinkNotValid(Forbidden):
    """A signed link that was changed, has expired, or was revoked."""

    code = "LINK_NOT_VALID"
    message = "This link is not valid, or not any more. Ask for a new one."


class QuotaExceeded(Conflict):
    """The owner's quota has no room for it."""

    code = "QUOTA_EXCEEDED"
    message = "Its owner's quota has no room for this file: see GET /files/quota, and delete what is no longer needed."


class TooManyWaiting(TooManyRequests):
    """Others' files are to be scanned, too."""

    message = "As many of your files wait for the scanner as may. Try again when it has looked at some."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "10"})


class UploadIncomplete(Conflict):
    """Completed before the bytes were there."""

    code = "UPLOAD_INCOMPLETE"
    message = "The bytes have not arrived. Send them to the address of the upload, then complete it."


class FileInfected(UnprocessableEntity):
    """The scanner found something in it, now or in the same bytes before."""

    code = "FILE_INFECTED"
    message = "The file contains malware and is not taken. Have the device checked that it comes from."


class TypeNotTaken(UnsupportedMediaType):
    """Files of this type are not taken."""

    message = "Files of this type are not taken"


class ContentMismatch(UnprocessableEntity):
    """Content, declared type and extension disagree."""

    code = "CONTENT_MISMATCH"
    message = "The content of the file is not what its type and its name say"


class ImageTooLarge(UnprocessableEntity):
    """More pixels than are decoded."""

    code = "IMAGE_TOO_LARGE"
    message = "The picture has too many pixels"


class FileDamaged(UnprocessableEntity):
    """It cannot be read."""

    code = "FILE_DAMAGED"
    message = "The file is damaged"


class FileNotAllowed(UnprocessableEntity):
    """Encrypted, or with macros."""

    code = "FILE_NOT_ALLOWED"
    message = "Files with a password or with macros are not taken"


class ArchiveLimits(UnprocessableEntity):
    """It unpacks to more than is looked at."""

    code = "ARCHIVE_LIMITS"
    message = "The file unpacks to more than can be looked at"


class InvalidFileType(BadRequest):
    """Tier U takes pictures only, and says so in the contract's words."""

    code = "INVALID_FILE_TYPE"
    message = "Invalid file type. Only JPEG, PNG, and WebP images are allowed."


class PictureTooLarge(BadRequest):
    """As above."""

    code = "FILE_TOO_LARGE"
    message = "File too large. Maximum size is 5MB."


class UnknownPreset(BadRequest):
    """A size that no picture is made in."""

    code = "UNKNOWN_PRESET"
    message = "Pictures are not made in this size. Ask for one of the sizes that the documentation lists."


class ScannerDown(ServiceUnavailable):
    """Nobody can look at files right now."""

    code = "SCANNER_UNAVAILABLE"
    message = "Files cannot be checked right now, so it was not taken. Try again in a moment."


class VerdictAwaited(ScannerDown):
    """What was sent is kept, and looked at later."""

    message = (
        "Files cannot be checked right now. It is kept and checked later: see GET /files, and do not send it twice."
    )


REFUSALS: dict[str, type[ApiError]] = {
    "EMPTY_FILE": ValidationFailed,
    "INVALID_NAME": ValidationFailed,
    "UNSUPPORTED_MEDIA_TYPE": TypeNotTaken,
    "CONTENT_MISMATCH": ContentMismatch,
    "FILE_TOO_LARGE": FileTooLarge,
    "IMAGE_TOO_LARGE": ImageTooLarge,
    "FILE_DAMAGED": FileDamaged,
    "FILE_NOT_ALLOWED": FileNotAllowed,
    "ARCHIVE_LIMITS": ArchiveLimits,
}


_NEXT = {
    "FILE_DAMAGED": " Save it anew, and send that.",
    "ARCHIVE_LIMITS": " Send what it holds by itself.",
    "IMAGE_TOO_LARGE": " Send a smaller one.",
}


def refusal(refused: Refused, field: str = "file") -> ApiError:
    """What the inspection refused, as an answer."""
    kind, message = REFUSALS[refused.code], refused.message + _NEXT.get(refused.code, "")
    if kind is ValidationFailed:
        return ValidationFailed(message, details=[{"field": field, "code": refused.code.lower(), "message": message}])
    return kind(message)
