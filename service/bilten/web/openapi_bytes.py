"""How the OpenAPI document describes forms with files, and answers that are bytes."""

from collections.abc import Iterable
from typing import Any

from bilten.web.errors import ApiError
from bilten.web.forms import FileField, FileTooLarge, FormSpec
from bilten.web.spool import SpoolFull

_HEADERS = {
    "Range": "Answer one range of bytes with 206: `bytes=0-99`, `bytes=100-`, `bytes=-100`. Of several, or of what "
    "cannot be understood, all of the file is answered.",
    "If-Range": "Answer a range only if it still is what this `ETag` or date stands for, else all of the file.",
    "If-None-Match": "Answer 304 when it still is what one of these `ETag`s stands for.",
    "If-Modified-Since": "The same by the date of `Last-Modified`.",
    "If-Match": "Answer 412 when it is none of what these `ETag`s stand for.",
}
_BINARY = {"type": "string", "format": "binary"}
_A_FILE = _BINARY | {"minLength": 1}


def request_body(form: FormSpec, texts: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """A form with files; `texts` are the schemas of its text fields, `required` names those that must be sent."""
    required = [*required, *(file.name for file in form.files if file.least)]
    schema = {
        "type": "object",
        "properties": texts | {file.name: _file(file) for file in form.files},
        **({"required": required} if required else {}),
    }
    encoding = {file.name: {"contentType": ", ".join(file.media_types)} for file in form.files if file.media_types}
    content = {"schema": schema} | ({"encoding": encoding} if encoding else {})
    return {"required": True, "content": {"multipart/form-data": content}}


def _file(file: FileField) -> dict[str, Any]:
    described = {"description": file.description} if file.description else {}
    if file.most == 1:
        return _A_FILE | described
    return {"type": "array", "items": _A_FILE, "minItems": file.least, "maxItems": file.most, **described}


def errors_of_forms(form: FormSpec) -> Iterable[ApiError]:
    """The refusals of forms that are not those of any endpoint."""
    yield SpoolFull()
    for file in form.files:
        too_large = file.too_large(0)
        # The default one says a limit, which is the settings'.
        yield from (
            file.missing(),
            file.too_many(),
            FileTooLarge() if isinstance(too_large, FileTooLarge) else too_large,
        )


def parameters() -> Iterable[dict[str, Any]]:
    """The headers that choose what of a file is answered, and whether."""
    for name, description in _HEADERS.items():
        schema = {"type": "string"}
        yield {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def responses(media_types: Iterable[str]) -> dict[str, Any]:
    """The answers of an endpoint that answers bytes; none where no types are given."""
    content = {media_type: {"schema": _BINARY} for media_type in media_types}
    if not content:
        return {}
    texts = ("ETag", "Last-Modified", "Content-Disposition", "Accept-Ranges", "Cache-Control")
    headers = {name: {"schema": {"type": "string"}} for name in texts}
    of_range = {"Content-Range": {"schema": {"type": "string"}}}
    return {
        "200": {"description": "All of it", "content": content, "headers": headers},
        "206": {"description": "The range that was asked for", "content": content, "headers": headers | of_range},
        "304": {"description": "The reader has it already"},
    }
