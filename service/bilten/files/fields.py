"""The fields of a file as its owner sends them."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bilten.web.text import Line

Visibility = Literal["private", "public"]
Status = Literal["pending", "scanning", "clean", "infected", "unscannable", "error"]

MAX_TAGS = 50
MAX_FOLDER = 500

_FOLDER = re.compile(r"/|(/[^/\\]+)+")


def _folder(path: str) -> str:
    path = path.rstrip("/") or "/"
    if not _FOLDER.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise ValueError("must be / or names after a slash each, like /posters/2026, none of them . or ..")
    return path


def _apart(tags: Any) -> Any:
    """A form sends each tag by itself, or several with commas between them."""
    return [tag for part in tags for each in str(part).split(",") if (tag := each.strip())]


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Folder = Annotated[str, Line(at_most=MAX_FOLDER), AfterValidator(_folder)]
Tag = Annotated[str, Line(at_most=50)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(_unique)]
FormTags = Annotated[Tags, BeforeValidator(_apart)]
AltText = Annotated[str, Line(at_most=1000, required=False)]
