"""The frontends' own uploads on the wire (contract §2.2)."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from bilten.files.list_queries import Row
from bilten.scanning.render import PRESETS
from bilten.web.answers import Answer, Wire
from bilten.web.spelling import Body, Form, Query, required


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
    """Which file to delete. The contract has words of its own for a missing one."""

    model_config = ConfigDict(json_schema_extra=required("file_url"))

    file_url: Annotated[str, Field(max_length=2000, json_schema_extra={"minLength": 1})] | None = Field(
        None, description="The address, as an upload answered it."
    )


def _made(sizes: Iterable[int]) -> dict[str, Any]:
    # Only told: the contract has a refusal of its own for other sizes.
    return {"enum": sorted(set(sizes))}


Width = Annotated[int, Field(ge=1, le=10_000, json_schema_extra=_made(preset.width for preset in PRESETS))]
Height = Annotated[int, Field(ge=1, le=10_000, json_schema_extra=_made(preset.height for preset in PRESETS))]
_SIZES = ", ".join(dict.fromkeys(f"{preset.width}x{preset.height} at {preset.quality}" for preset in PRESETS))


class OptimizeQuery(Query):
    """Which picture is wanted of which. The contract has words of its own for a missing one."""

    model_config = ConfigDict(json_schema_extra={"required": ["url"]})

    url: Annotated[str, Field(max_length=2000, json_schema_extra={"minLength": 1})] | None = Field(
        None, description="Any address of a picture."
    )
    width: Width | None = Field(None, description=f"Width, height and quality are those of one: {_SIZES}.")
    height: Height | None = Field(None, description="See `width`.")
    quality: int | None = Field(None, ge=1, le=100, description="See `width`; without a size, it does not matter.")
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
