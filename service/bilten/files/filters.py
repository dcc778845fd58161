"""What a list of files can be filtered and ordered by."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from bilten.db.paging import Sort
from bilten.db.text_search import MAX_WORDS
from bilten.files.fields import Folder, Status, Tag, Visibility
from bilten.web.pagination import PageQuery

#: Longest text that is searched for, in characters.
MAX_SEARCH = 200

_SORTS = {
    "created_at": ("f.created_at", "time"),
    "name": ("lower(f.name)", "text"),
    "size": ("f.size_bytes", "integer"),
}
SortWord = Literal["created_at", "-created_at", "name", "-name", "size", "-size"]


def _day(text: str) -> str:
    # Numbers alone would be read as Unix time.
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("must be a day, like 2026-03-15")
    return text


_Day = Annotated[date, BeforeValidator(_day)]
_Size = Annotated[int, Field(ge=0, le=2**53)]


class FilesQuery(PageQuery):
    """Filters and order of `GET /files`; all filters together must hold."""

    model_config = ConfigDict(extra="forbid")

    search: str | None = Field(
        None,
        max_length=MAX_SEARCH,
        description=f"Words that name, alternative text or tags contain; the first {MAX_WORDS} count."
        " One or two letters are looked for where a word begins.",
    )
    type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/([a-z0-9.+-]+|\*)$", max_length=100)] | None = Field(
        None, description="A media type, like image/png, or image/* for all of a kind.", examples=["image/*"]
    )
    folder: Folder | None = Field(None, description="Files directly in this folder.")
    tag: Tag | None = None
    visibility: Visibility | None = None
    status: Status | None = None
    min_size: _Size | None = Field(None, description="Bytes.")
    max_size: _Size | None = Field(None, description="Bytes.")
    since: _Day | None = Field(None, validation_alias="from", description="Uploaded on this day (UTC) or later.")
    until: _Day | None = Field(None, validation_alias="to", description="Uploaded on this day (UTC) or earlier.")
    owner: UUID | None = Field(None, description="Whose files; of others only for admins, who see all without it.")
    sort: SortWord = Field("-created_at", description="With a minus, the largest or newest first.")

    @model_validator(mode="before")
    @classmethod
    def _in_one_spelling(cls, values: dict[str, Any]) -> dict[str, Any]:
        # Of two spellings the first counts, and the other is no unknown filter.
        twice = {to_camel(name) for name in cls.model_fields if name in values}.difference(cls.model_fields)
        return {name: value for name, value in values.items() if name not in twice}

    @property
    def order(self) -> Sort:
        """The order asked for."""
        name = self.sort.removeprefix("-")
        column, kind = _SORTS[name]
        descending = self.sort.startswith("-")
        return Sort(name, column, kind, descending=descending, key="f.id")  # type: ignore[arg-type]
