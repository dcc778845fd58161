"""Names that follow from an instance's namespace and name, and so can no more change than these."""

import hashlib
from dataclasses import dataclass

#: S3 allows 63 characters; `-quarantine` is the longest ending.
_PREFIX_LENGTH = 63 - len("-quarantine")

#: Ending of the Service before the object store that the operator runs.
OBJECT_STORE = "-objects"


@dataclass(frozen=True)
class Buckets:
    """The buckets of one instance."""

    quarantine: str
    media: str
    backup: str


def buckets(namespace: str, name: str) -> Buckets:
    """`<namespace>-<name>-…`; where that is too long its end is replaced by a digest, so that it stays one's own."""
    prefix = f"{namespace}-{name}"
    if len(prefix) > _PREFIX_LENGTH:
        digest = hashlib.sha256(f"{namespace}/{name}".encode()).hexdigest()[:10]
        prefix = f"{prefix[: _PREFIX_LENGTH - len(digest) - 1].rstrip('-')}-{digest}"
    return Buckets(f"{prefix}-quarantine", f"{prefix}-media", f"{prefix}-backup")
