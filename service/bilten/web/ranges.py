"""Which part of a file a request asks for, and whether it is answered at all (RFC 9110 §13, §14)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate

from aiohttp import hdrs, web

from bilten.web import etags
from bilten.web.errors import PreconditionFailed, RangeNotSatisfiable

_RANGE = re.compile(r"\s*bytes\s*=(.*)", re.IGNORECASE | re.DOTALL)
_ONE = re.compile(r"(?a:(\d*)-(\d*))")
#: More digits than any size has; Python refuses to read thousands of them.
_LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Span:
    """So many bytes from an offset on."""

    offset: int
    length: int


def not_modified(request: web.Request, tag: str, changed_at: datetime | None) -> bool:
    """Whether the reader has this version, by tag or else by date (§13.2.2). Raises 412 when it asks for another."""
    if hdrs.IF_MATCH in request.headers:
        if not etags.is_one_of(_all(request, hdrs.IF_MATCH), tag):
            raise PreconditionFailed
    elif _is_after(changed_at, request.headers.get(hdrs.IF_UNMODIFIED_SINCE)):
        raise PreconditionFailed
    if hdrs.IF_NONE_MATCH in request.headers:
        return etags.is_known(_all(request, hdrs.IF_NONE_MATCH), tag)
    since = request.headers.get(hdrs.IF_MODIFIED_SINCE)
    return changed_at is not None and _date(since) is not None and not _is_after(changed_at, since)


def wanted(request: web.Request, size: int, tag: str, changed_at: datetime | None) -> Span | None:
    """The one range that is asked for; None for all of the file, also where several ranges are asked for (§14.2).

    A range that cannot be understood is as good as none. Raises 416.
    """
    text = request.headers.get(hdrs.RANGE)
    if request.method != hdrs.METH_GET or text is None or not _holds(request, tag, changed_at):
        return None
    match = _RANGE.fullmatch(text)
    parts = [part.strip() for part in match[1].split(",") if part.strip()] if match else []
    one = _ONE.fullmatch(parts[0]) if len(parts) == 1 else None
    if one is None or one[0] == "-":
        return None
    first, last = _number(one[1]), _number(one[2])
    if first is None:
        length = min(last or 0, size)
        first = size - length
    elif last is not None and last < first:
        return None
    else:
        length = min(size, size if last is None else last + 1) - first
    if length <= 0:
        raise RangeNotSatisfiable(headers={hdrs.CONTENT_RANGE: f"bytes */{size}"})
    return Span(first, length)


def _holds(request: web.Request, tag: str, changed_at: datetime | None) -> bool:
    """Whether `If-Range` lets the range be: the tag itself, not a weak one, or the very date (§13.1.5)."""
    condition = request.headers.get(hdrs.IF_RANGE)
    if condition is None:
        return True
    condition = condition.strip()
    if condition.endswith('"'):
        return condition == tag
    return changed_at is not None and _date(condition) == changed_at.replace(microsecond=0)


def _all(request: web.Request, header: str) -> str:
    return ", ".join(request.headers.getall(header))


def _number(digits: str) -> int | None:
    if not digits:
        return None
    return int(digits) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER


def _is_after(changed_at: datetime | None, text: str | None) -> bool:
    date = _date(text)
    return changed_at is not None and date is not None and changed_at.replace(microsecond=0) > date


def _date(text: str | None) -> datetime | None:
    """A date of HTTP; None for what is none, which counts as not sent."""
    read = parsedate(text) if text else None
    try:
        return datetime(*read[:6], tzinfo=UTC) if read else None
    except (ValueError, OverflowError):
        return None
