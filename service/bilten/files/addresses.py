"""Keys of objects, and the public addresses of those that may have one.

A key in the media bucket names the version and the hash of the bytes under it: it never gets other bytes, so whoever
has them may keep them for ever.
"""

from uuid import UUID

from bilten.settings import Settings

#: What the API, and a CDN before it, serves public files under; a place and a key follow.
ROOT = "/uploads"
#: Of a path: nothing, the root, a place, a key.
_PARTS = 4


def quarantine_key(version_id: UUID) -> str:
    """Where the bytes of a version wait until they have been looked at."""
    return version_id.hex


def upload_key(upload_id: UUID) -> str:
    """Where a browser puts the bytes of a direct upload."""
    return f"uploads/{upload_id.hex}"


def original_key(version_id: UUID) -> str:
    """Where a picture is kept as it came, to be scanned again and rendered anew; it is never served."""
    return f"originals/{version_id.hex}"


def media_key(version_id: UUID, sha256: str, extension: str) -> str:
    """Where bytes lie that may be served."""
    return f"{version_id.hex}-{sha256}.{extension}"


def surrogate_key(file_id: UUID) -> str:
    """What caches that remember by keys remember a file by."""
    return f"file-{file_id.hex}"


def path_of(place: str, key: str) -> str:
    """The path of a public file."""
    return f"{ROOT}/{place}/{key}"


def public_url(settings: Settings, place: str, key: str) -> str:
    """The address of a public file: at the CDN if there is one, else at the API."""
    return base_url(settings) + path_of(place, key)


def all_urls(settings: Settings, place: str, key: str) -> list[str]:
    """Every address by which a public file may have been saved somewhere: each that `key_of` understands."""
    return [base + path_of(place, key) for base in _bases(settings)]


def key_of(settings: Settings, url: str) -> str | None:
    """The key that an address of ours leads to, under any base; None for addresses elsewhere."""
    for base in _bases(settings):
        path = url.removeprefix(base)
        parts = path.split("/")
        if path.startswith(f"{ROOT}/") and len(parts) == _PARTS:
            return parts[-1]
    return None


def _bases(settings: Settings) -> list[str]:
    return [str(base).rstrip("/") for base in (settings.cdn_base_url, settings.public_url, "") if base is not None]


def base_url(settings: Settings) -> str:
    """What public addresses begin with; empty where the API does not know its own address."""
    base = settings.cdn_base_url or settings.public_url
    return str(base).rstrip("/") if base else ""
