"""The frontends' own uploads on the wire (contract §2.2)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from bilten.files.list_queries import Row
from bilten.web.answers import Answer, Wire
from bilten.web.spelling import Body, Form, Query


class PictureForm(Form):
    """Nothing is said beside the picture."""


class Picture(Wire):
    """An uploaded picture: `size` and `mimetype` are those of what `url` serves."""

    id: UUID
    filename: str
    originalName: str  # noqa: N815 the frontends' spelling
    size: int
    mimetype: str
    url: str
    thumbnail_url: str
    optimized_url: str

    @classmethod
    def waiting(cls, row: Row) -> Self:
        """Of a file that has no addresses yet; it is never sent so."""
        return cls(
            id=row["id"], filename="", originalName=row["name"], size=row["size_bytes"], mimetype=row["media_type"],
            url="", thumbnail_url="", optimized_url="",
        )  # fmt: skip


class ProfilePictureAnswer(Answer):
    """`POST /uploads/profile-image`."""

    message: str
    data: Picture


class EventPicture(Picture):
    """A picture of an event, under the names by which events show it."""

    cover_image_url: str
    featured_image_url: str


class EventPictureAnswer(Answer):
    """`POST /uploads/event-image`."""

    message: str
    data: EventPicture


class Gallery(Wire):
    """Several pictures."""

    files: list[Picture]
    count: int


class GalleryAnswer(Answer):
    """`POST /uploads/event-gallery`."""

    message: str
    data: Gallery


class DeletePicture(Body):
    """Which file to delete."""

    file_url: str | None = Field(None, max_length=2000, description="The address, as an upload answered it.")


Side = Annotated[int, Field(ge=1, le=10_000)]


class OptimizeQuery(Query):
    """Which picture is wanted of which."""

    url: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        None, description="Any address of a picture."
    )
    width: Side | None = None
    height: Side | None = None
    quality: int | None = Field(None, ge=1, le=100)
    format: Literal["auto", "webp", "jpeg", "png"] = "auto"
    fit: Literal["cover", "contain", "fill"] | None = None


class Optimized(Wire):
    """The address to show; the one that was asked about where there is no better one."""

    optimized_url: str
    original_url: str
    width: int | Literal["auto"]
    height: int | Literal["auto"]
    quality: int | Literal["auto"]
    format: str


class OptimizedAnswer(Answer):
    """`GET /uploads/optimize`."""

    message: str
    data: Optimized
