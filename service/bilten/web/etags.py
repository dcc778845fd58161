"""Which version of a thing an answer shows, and whether a change is meant for the version there is (RFC 9110 §13).

A tag is `"<version>-<what is shown>"`. The version is the moment of the last change, which the database lets grow with
every change and not with counters; it alone decides whether a change may be made. What is shown also differs by who
reads, and decides whether a reader has it already.
"""

import hashlib
import re
from datetime import UTC, datetime, timedelta

from aiohttp import hdrs

from bilten.web.errors import PreconditionFailed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAG = re.compile(r'(W/)?"([^"]*)"')


def _version(changed_at: datetime) -> str:
    return f"{(changed_at - _EPOCH) // timedelta(microseconds=1):x}"


def tag(changed_at: datetime, shown: bytes) -> str:
    """The tag of an answer that shows `shown`, which leaves counters out."""
    return f'"{_version(changed_at)}-{hashlib.blake2b(shown, digest_size=8).hexdigest()}"'


def headers(tag: str) -> dict[str, str]:
    """What goes with an answer that has a tag: it is worth keeping, to be asked about again (RFC 9111 §5.2.2.4)."""
    return {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: "private, no-cache"}


def require_match(if_match: str | None, changed_at: datetime) -> None:
    """Raises `PreconditionFailed` when `If-Match` names other versions only; without the header all is well."""
    if if_match is None or if_match.strip() == "*":
        return
    version = _version(changed_at)
    # A weak tag (W/) matches nothing here: RFC 9110 §13.1.1.
    if not any(not weak and text.split("-")[0] == version for weak, text in _TAG.findall(if_match)):
        raise PreconditionFailed


def is_known(if_none_match: str | None, current: str) -> bool:
    """Whether the reader has what this tag stands for."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or any(f'"{text}"' == current for _, text in _TAG.findall(if_none_match))


def is_one_of(if_match: str, current: str) -> bool:
    """Whether `If-Match` names the version there is; weak tags name nothing (RFC 9110 §13.1.1)."""
    return if_match.strip() == "*" or any(not weak and f'"{text}"' == current for weak, text in _TAG.findall(if_match))
