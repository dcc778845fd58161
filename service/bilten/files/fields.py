"""The fields of a file as its owner sends them."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bilten.web.text import BLANKS, CONTROLS, Line, trimmed

Visibility = Literal["private", "public"]
Status = Literal["pending", "scanning", "clean", "infected", "unscannable", "error"]

MAX_TAGS = 50
MAX_FOLDER = 500

# A name has a sign that is no dot: without, it is none, or means another folder. Each text matches in one way only, so
# that no text takes long.
_NAME = rf"[.{BLANKS}]*[^/\\.{CONTROLS}{BLANKS}][^/\\{CONTROLS}]*"
_FOLDER = f"^(/{_NAME})*/*$"


def _folder(path: str) -> str:
    if not re.fullmatch(_FOLDER, path):
        raise ValueError("must be / or names after a slash each, like /posters/2026, none of them . or ..")
    return "/" + "/".join(trimmed(name) for name in path.strip("/").split("/"))


def _apart(tags: Any) -> Any:
    """A form sends each tag by itself, or several with commas between them."""
    return [tag for part in tags for each in str(part).split(",") if (tag := each.strip())]


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Folder = Annotated[
    str,
    Field(min_length=1, max_length=MAX_FOLDER, json_schema_extra={"pattern": _FOLDER}),
    AfterValidator(_folder),
]
Tag = Annotated[str, Line(at_most=50)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_unique)]
FormTags = Annotated[Tags, BeforeValidator(_apart)]
AltText = Annotated[str, Line(at_most=1000, required=False)]
