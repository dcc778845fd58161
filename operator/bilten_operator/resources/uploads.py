"""How large uploads may be, and what room they take: on the way in, and on the disks of the nodes.

A pod that writes more than its volume may hold is evicted, so a volume's limit is what all that may lie there at once
comes to, and its programs keep within that by themselves.
"""

from math import ceil

from bilten_operator.resources.instance import Instance

_MIB = 1024 * 1024

#: The service's own defaults, for what `spec.config` does not say.
_IMAGE_BYTES = 10 * _MIB
_DOCUMENT_BYTES = 50 * _MIB
_SPOOL_BYTES = 1024 * _MIB
#: The frontends' largest form: a gallery of ten pictures, 5 MiB each.
_GALLERY_BYTES = 50 * _MIB
#: What a form has beside its files.
_FORM_BYTES = _MIB

#: Jobs that one worker does at a time, and what is made of one picture meanwhile.
_JOBS, _RENDERED_BYTES = 8, 32 * _MIB
#: What one scan takes of clamd: the stream itself, as the service has it for its longest, and what is unpacked of it.
_STREAM_BYTES, _UNPACKED_BYTES = 100 * _MIB, 400 * _MIB
#: Scans of one worker at once, the service's own default, and what else is asked of clamd meanwhile.
_SCANS, _BESIDES = 8, 2
#: For all else that programs put there.
_SPARE_BYTES = 64 * _MIB


def largest_body(instance: Instance) -> str:
    """The largest body of a request that the API takes, as a quantity."""
    return _quantity(max(_largest_file(instance), _GALLERY_BYTES) + _FORM_BYTES)


def api_room(instance: Instance) -> str:
    """What an API pod's /tmp may hold: the uploads under way."""
    config = instance.spec.config
    spool = config.spool_bytes if config else None
    return _quantity((_SPOOL_BYTES if spool is None else spool) + _SPARE_BYTES)


def worker_room(instance: Instance) -> str:
    """What a worker's /tmp may hold: the files that it is looking at, and what it makes of them."""
    return _quantity(_JOBS * (_largest_file(instance) + _RENDERED_BYTES) + _SPARE_BYTES)


def scanner_limits(instance: Instance) -> list[str]:
    """What clamd.conf says of it."""
    return [
        f"MaxThreads {_threads(instance)}",
        f"StreamMaxLength {_STREAM_BYTES // _MIB}M",
        f"MaxFileSize {_STREAM_BYTES // _MIB}M",
        f"MaxScanSize {_UNPACKED_BYTES // _MIB}M",
    ]


def scanner_room(instance: Instance) -> str:
    """What clamd's /tmp may hold: what it is scanning, and what it has unpacked of that."""
    return _quantity(_threads(instance) * (_STREAM_BYTES + _UNPACKED_BYTES) + _SPARE_BYTES)


def _threads(instance: Instance) -> int:
    """As many as one worker has under way, and more: those of other workers wait in clamd's queue."""
    config = instance.spec.config
    scans = config.clamd_concurrency if config else None
    return (_SCANS if scans is None else scans) + _BESIDES


def _largest_file(instance: Instance) -> int:
    config = instance.spec.config
    image, document = (config.max_image_bytes, config.max_document_bytes) if config else (None, None)
    return max(_IMAGE_BYTES if image is None else image, _DOCUMENT_BYTES if document is None else document)


def _quantity(count: int) -> str:
    return f"{ceil(count / _MIB)}Mi"
