"""How large uploads may be, and what room they take: on the way in, and on the disks of the nodes.

A pod that writes more than its volume may hold is evicted, so a volume's limit is what all that may lie there at once
comes to, and its programs keep within that by themselves.
"""

from math import ceil

from bilten_operator.api.config import DOCUMENT_BYTES, FORM_BYTES, IMAGE_BYTES, SPOOL_BYTES
from bilten_operator.resources.instance import Instance

_MIB = 1024 * 1024

#: The frontends' largest form: a gallery of ten pictures, 5 MiB each.
_GALLERY_BYTES = 50 * _MIB

#: Jobs that one worker does at a time, and what is made of one picture meanwhile.
_JOBS, _RENDERED_BYTES = 8, 32 * _MIB
#: The least that clamd takes as one stream, so that what was uploaded under a higher limit can still be looked at, and
#: how much of a stream is unpacked.
_STREAM_BYTES, _UNPACKED = 100 * _MIB, 4
#: Scans of one worker at once, the service's own default, and what else is asked of clamd meanwhile.
_SCANS, _BESIDES = 8, 2
#: For all else that programs put there.
_SPARE_BYTES = 64 * _MIB


def largest_body(instance: Instance) -> str:
    """The largest body of a request that the API takes, as a quantity."""
    return _quantity(max(_largest_file(instance), _GALLERY_BYTES) + FORM_BYTES)


def api_room(instance: Instance) -> str:
    """What an API pod's /tmp may hold: the uploads under way."""
    config = instance.spec.config
    spool = config.spool_bytes if config else None
    return _quantity((SPOOL_BYTES if spool is None else spool) + _SPARE_BYTES)


def worker_room(instance: Instance) -> str:
    """What a worker's /tmp may hold: the files that it is looking at, and what it makes of them."""
    return _quantity(_JOBS * (_largest_file(instance) + _RENDERED_BYTES) + _SPARE_BYTES)


def stream_bytes(instance: Instance) -> int:
    """What clamd takes of one file, in whole MiB: the largest that may be uploaded, and no less than by default."""
    return ceil(max(_largest_file(instance), _STREAM_BYTES) / _MIB) * _MIB


def scanner_limits(instance: Instance) -> list[str]:
    """What clamd.conf says of it."""
    stream = stream_bytes(instance) // _MIB
    return [
        f"MaxThreads {_threads(instance)}",
        f"StreamMaxLength {stream}M",
        f"MaxFileSize {stream}M",
        f"MaxScanSize {_UNPACKED * stream}M",
    ]


def scanner_room(instance: Instance) -> str:
    """What clamd's /tmp may hold: what it is scanning, and what it has unpacked of that."""
    return _quantity(_threads(instance) * stream_bytes(instance) * (1 + _UNPACKED) + _SPARE_BYTES)


def _threads(instance: Instance) -> int:
    """As many as one worker has under way, and more: those of other workers wait in clamd's queue."""
    config = instance.spec.config
    scans = config.clamd_concurrency if config else None
    return (_SCANS if scans is None else scans) + _BESIDES


def _largest_file(instance: Instance) -> int:
    config = instance.spec.config
    image, document = (config.max_image_bytes, config.max_document_bytes) if config else (None, None)
    return max(IMAGE_BYTES if image is None else image, DOCUMENT_BYTES if document is None else document)


def _quantity(count: int) -> str:
    return f"{ceil(count / _MIB)}Mi"
