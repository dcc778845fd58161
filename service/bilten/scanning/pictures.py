"""What the walkers of picture formats share: a header, a bound of records, and how to say that a picture is damaged."""

import zlib
from dataclasses import dataclass

from bilten.scanning.errors import Refused
from bilten.scanning.limits import Limits
from bilten.scanning.types import size

#: Records of a picture, of whatever kind: a camera writes dozens, a large PNG some thousands.
MAX_RECORDS = 100_000


@dataclass(frozen=True)
class Header:
    """Width and height in pixels as stored, before orientation."""

    width: int
    height: int
    frames: int = 1


class Metadata:
    """What profiles and texts of one picture come to."""

    def __init__(self, limits: Limits) -> None:
        self._limit = limits.image_metadata_bytes
        self._sum = 0

    def add(self, size_bytes: int) -> None:
        """Count bytes as they are."""
        self._sum += size_bytes
        if self._sum > self._limit:
            raise Refused(
                "FILE_DAMAGED", f"The picture's colour profile and texts come to more than {size(self._limit)}."
            )

    def unpack(self, data: bytes) -> None:
        """Count what deflated bytes come to, and unpack no more than may be."""
        with_limit = zlib.decompressobj()
        try:
            self.add(len(with_limit.decompress(data, self._limit - self._sum + 1)))
        except zlib.error:
            raise Refused("FILE_DAMAGED", "A text or profile of the picture cannot be unpacked.") from None


def damaged(why: str) -> Refused:
    """The refusal of a picture that is not whole, for this reason."""
    return Refused("FILE_DAMAGED", f"The picture is damaged: {why}.")
