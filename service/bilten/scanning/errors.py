"""What may be wrong with a file, and what may go wrong while it is looked at: three different things.

A `Refused` file is refused for good. `InspectionFailed` says nothing of the file but that looking at it took more than
it may: nobody may be told that it is clean. `ScanUnavailable` says nothing at all: try again later.
"""

from typing import Literal

Code = Literal[
    "EMPTY_FILE",
    "INVALID_NAME",
    "UNSUPPORTED_MEDIA_TYPE",
    "CONTENT_MISMATCH",
    "FILE_TOO_LARGE",
    "IMAGE_TOO_LARGE",
    "FILE_DAMAGED",
    "FILE_NOT_ALLOWED",
    "ARCHIVE_LIMITS",
]


class ScanningError(Exception):
    """Base of all errors of this package."""


class Refused(ScanningError):
    """The file is not taken. `code` is for programs; the message is for whoever sent it."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message


class InspectionFailed(ScanningError):
    """The child that looked at the file was killed or broke: to be treated as unscannable, never as clean."""

    def __init__(self, reason: Literal["time", "memory", "crash"]) -> None:
        super().__init__(f"The file could not be looked at within its limits ({reason}).")
        self.reason = reason


class WorkshopUnavailable(ScanningError):
    """No child could be started: the machine lacks memory or processes. Says nothing of the file."""


class ScanUnavailable(ScanningError):
    """The scanner gave no verdict: it is down, hung, at its limits or spoke nonsense. Says nothing of the file."""
