"""`Content-Disposition` for names that strangers chose (RFC 6266, RFC 8187)."""

import re
import unicodedata
from urllib.parse import quote

#: Longest name sent, in characters; file systems take no more bytes.
_LONGEST = 200
#: Controls, and what turns the direction of the text after it: a name may not look like another.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
#: Beyond ASCII and unsafe in a quoted string, or turned into something else by a browser.
_NOT_PLAIN = re.compile(r'[^ -~]|["\\%/]')
#: RFC 8187 §3.2.1, attr-char.
_ATTR_CHARS = "!#$&+-.^_`|~"


def content_disposition(filename: str | None, *, inline: bool) -> str:
    """The header, with the name in both forms. `filename` may be any text; what is unsafe in it is left out."""
    kind = "inline" if inline else "attachment"
    name = _shorten(_UNSAFE.sub("", filename or "").replace("/", "_").replace("\\", "_").strip())
    if not name:
        return kind
    if _NOT_PLAIN.search(name) is None:
        return f'{kind}; filename="{name}"'
    letters = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    plain = _NOT_PLAIN.sub("_", letters)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


def _shorten(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:  # noqa: PLR2004 no extension
        return name[:_LONGEST]
    return f"{stem[: _LONGEST - len(extension) - 1]}.{extension}"
