"""How much of everything a file may hold. One value travels into the child; its name goes with each verdict."""

from dataclasses import dataclass

MIB = 1024 * 1024

#: Which bounds a verdict was made within; another name whenever a default below changes.
PROFILE = "2"


@dataclass(frozen=True)
class Limits:
    """Bounds beyond which a file is refused. Scanners look no further than these either, or must say so."""

    #: Pixels of all frames together.
    image_pixels: int = 50_000_000
    image_side: int = 30_000
    image_frames: int = 1000
    #: What a decoder keeps of a JPEG in several scans: 50 million pixels as cameras sample them, 35 of full colours.
    image_coefficient_bytes: int = 200 * MIB
    #: What colour profiles and texts of a picture unpack to, together.
    image_metadata_bytes: int = 4 * MIB

    #: Members of an archive, with those of the archives within.
    archive_members: int = 2000
    #: An archive within an archive is depth 2.
    archive_depth: int = 3
    archive_member_bytes: int = 64 * MIB
    archive_total_bytes: int = 200 * MIB
    #: Unpacked to packed bytes of a member; small ones may have any.
    archive_ratio: int = 200
    archive_ratio_from_bytes: int = 4 * MIB
