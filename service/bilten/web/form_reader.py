"""From the bytes of a form to its fields and files, with a bound on everything that is neither.

aiohttp's own reader waits for the first boundary for ever, and bounds neither the parts of a form, nor the headers of a
part together, nor what stands after the last boundary (aiohttp#13652). The `multipart` package tells the parts apart
without reading anything itself, so all of it can be counted here. What two readers could understand in two ways is
refused.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import multipart as parts

from bilten.settings import Settings
from bilten.web import json_body
from bilten.web.errors import ApiError, PayloadTooLarge, UnsupportedMediaType, ValidationFailed
from bilten.web.forms import MAX_FRAMING_BYTES, MAX_TEXT_BYTES, FormSpec, ReceivedFile
from bilten.web.spool import Room, SpooledFile

#: Of one part: how many headers, and bytes of one of them, and of all.
MAX_HEADERS, MAX_HEADER_BYTES, MAX_HEADERS_BYTES = 16, 4096, 8192
#: RFC 8187. RFC 7578 forbids it in forms, and some clients send nothing else.
_EXTENDED_NAME = re.compile(r";[ \t]*filename\*[ \t]*=[ \t]*([^\s;'\"]*)'[^\s;']*'([^\s;\"]*)", re.IGNORECASE)
_CHARSETS = {"utf-8": "utf-8", "iso-8859-1": "latin-1", "us-ascii": "ascii"}
_TEXT_CHARSETS = (None, "utf-8", "utf8", "us-ascii", "ascii")
_UNCHANGED = ("7bit", "8bit", "binary")


def refusal(code: str, message: str, name: str = "body") -> ApiError:
    """400 for a form that cannot be read."""
    return ValidationFailed(details=[{"field": name, "code": code, "message": message}])


@dataclass
class Arrived:
    """A form that arrived: the text of its fields, and the files of each."""

    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[ReceivedFile]] = field(default_factory=dict)


class FormReader:
    """Takes the body as it comes; knows which part is being read, and what is left of each bound."""

    def __init__(self, spec: FormSpec, boundary: str, room: Room, settings: Settings) -> None:
        self.form = Arrived(files={file.name: [] for file in spec.files})
        self._fields = {file.name: (file, file.at_most_bytes(settings)) for file in spec.files}
        self._room = room
        self._opening = b"--" + boundary.encode()
        #: The first bytes, until there are enough of them to see that they are the boundary.
        self._begun: bytes | None = b""
        self._parser = parts.PushMultipartParser(
            boundary, max_header_size=MAX_HEADER_BYTES, max_header_count=MAX_HEADERS, max_segment_count=spec.most_parts
        )
        self._framing_left = MAX_FRAMING_BYTES
        self._text_left = MAX_TEXT_BYTES
        self._part: Any = None
        self._filename: str | None = None
        self._file: SpooledFile | None = None
        self._text = bytearray()

    async def read(self, chunk: bytes) -> None:
        """Take the next bytes of the body. Raises 400, 413, 415 or 503."""
        if self._begun is not None:
            chunk = self._begun + chunk
            self._begun = chunk if len(chunk) < len(self._opening) else None
            if not chunk.startswith(self._opening[: len(chunk)]):
                raise refusal("invalid_multipart", "The body must begin with its boundary")
            if self._begun is not None:
                return
        self._framing_left -= len(chunk)
        try:
            for event in self._parser.parse(chunk):
                if isinstance(event, parts.MultipartSegment):
                    self._begin(event)
                elif event is None:
                    await self._finish()
                else:
                    self._framing_left += len(event)
                    await self._add(bytes(event))
        except parts.MultipartError as error:
            raise _unreadable(error) from None
        if self._framing_left < 0:
            raise refusal("invalid_multipart", f"There are more than {MAX_FRAMING_BYTES} bytes between the parts")

    def end(self) -> None:
        """The body has ended. Raises 400 when it is not whole, or lacks a file."""
        try:
            self._parser.close()
        except parts.MultipartError as error:
            raise _unreadable(error) from None
        for name, (declared, _) in self._fields.items():
            if len(self.form.files[name]) < declared.least:
                raise declared.missing()

    def _begin(self, part: Any) -> None:
        headers = dict(part.headerlist)
        if len(headers) < len(part.headerlist):
            raise refusal("invalid_multipart", "A part names a header twice")
        if sum(len(name) + len(value) for name, value in part.headerlist) > MAX_HEADERS_BYTES:
            raise refusal("invalid_multipart", f"The headers of a part are longer than {MAX_HEADERS_BYTES} characters")
        if "Content-Encoding" in headers:
            raise UnsupportedMediaType("Send each part without Content-Encoding")
        if headers.get("Content-Transfer-Encoding", "binary").lower() not in _UNCHANGED:
            raise UnsupportedMediaType("Send each part as it is, without Content-Transfer-Encoding")
        if (part.content_type or "").startswith("multipart/"):
            raise refusal("invalid_multipart", "A part cannot be a form itself; repeat the field for several files")
        self._part, self._text = part, bytearray()
        self._filename = _extended_filename(headers["Content-Disposition"], part.name) or part.filename
        if part.name in self._fields:
            self._filename = self._filename or ""
            if self._filename:
                self._check_count()
        elif self._filename is not None:
            raise refusal("unexpected_file", "There is no such file in this form", part.name)

    def _check_count(self) -> None:
        declared, _ = self._fields[self._part.name]
        if len(self.form.files[declared.name]) >= declared.most:
            raise declared.too_many()

    async def _add(self, data: bytes) -> None:
        if self._filename is None:
            self._text_left -= len(data)
            if self._text_left < 0:
                raise PayloadTooLarge(f"The text fields are larger than {MAX_TEXT_BYTES} bytes together")
            self._text += data
            return
        if self._file is None:
            self._check_count()
            self._file = self._room.file()
        declared, limit = self._fields[self._part.name]
        if self._file.size + len(data) > limit:
            raise declared.too_large(limit)
        await self._file.write(data)

    async def _finish(self) -> None:
        name = self._part.name
        if self._filename is None:
            self.form.texts[name].append(self._as_text(name))
        elif self._file is not None:
            await self._file.finish()
            self.form.files[name].append(
                ReceivedFile(
                    name=self._filename,
                    media_type=self._part.content_type or "",
                    path=self._file.path,
                    size=self._file.size,
                    sha256=self._file.sha256,
                )
            )
            self._file = None
        elif self._filename:
            raise refusal("empty_file", "The file is empty", name)
        # Else: what a browser sends for an input where no file was chosen.

    def _as_text(self, name: str) -> str:
        if (self._part.charset or "utf-8").lower() not in _TEXT_CHARSETS:
            raise refusal("invalid_text", "Send text as UTF-8", name)
        try:
            text = self._text.decode("utf-8")
            json_body.check_text(text)
        except UnicodeDecodeError:
            raise refusal("invalid_text", "Send text as UTF-8", name) from None
        except json_body.InvalidJSON:
            raise refusal("invalid_text", "Remove the character NUL", name) from None
        return text


def _unreadable(error: Exception) -> ApiError:
    return refusal("invalid_multipart", f"The body is no form that can be read: {error.args[0]}")


def _extended_filename(disposition: str, field_name: str) -> str | None:
    found = _EXTENDED_NAME.search(disposition)
    if found is None:
        return None
    try:
        return unquote_to_bytes(found[2]).decode(_CHARSETS[found[1].lower()])
    except (KeyError, UnicodeDecodeError):
        raise refusal("invalid_filename", "Send the name of the file as UTF-8", field_name) from None
