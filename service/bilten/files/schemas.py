"""Files on the wire (decisions, "Files")."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field

from bilten.files.addresses import public_url
from bilten.files.fields import AltText, Folder, FormTags, Status, Tags, Visibility
from bilten.files.list_queries import Row
from bilten.scanning.types import BY_MEDIA_TYPE
from bilten.settings import Settings
from bilten.web import etags
from bilten.web.answers import Answer, Wire
from bilten.web.json_body import integral
from bilten.web.pagination import Pagination
from bilten.web.spelling import Body, Form, Path, Query

#: What files may be.
MEDIA_TYPES = tuple(BY_MEDIA_TYPE)


class Variant(Wire):
    """A picture made anew of an uploaded one."""

    name: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    url: str


class Verdict(Wire):
    """Who looked at the bytes, and with what."""

    engine: str
    signatures: str
    scanned_at: datetime


class File(Wire):
    """A file, as whoever may know of it sees it."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str = Field(description="Of the bytes as they were sent, in hexadecimal.")
    status: Status
    reason: str | None = Field(description="Why it is not clean, if somebody looked at it.")
    visibility: Visibility
    owner_id: UUID
    folder: str
    tags: list[str]
    alt_text: str | None
    version: int
    width: int | None
    height: int | None
    placeholder: str | None = Field(description="A tiny picture to show until the picture is there, as a data: URL.")
    mean_color: str | None
    url: str | None = Field(description="Only of what is clean and public. Of what is private, ask for a signed one.")
    variants: list[Variant]
    srcset: dict[str, str] = Field(description="By media type, what an `img` takes as its `srcset`.")
    verdict: Verdict | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row, settings: Settings) -> Self:
        """The file of a row with the columns of `list_queries.COLUMNS`."""
        shown = row["status"] == "clean" and row["visibility"] == "public"
        variants = _variants(row, settings) if shown else []
        return cls(
            **{name: row[name] for name in _PLAIN},
            sha256=row["sha256"].hex(),
            url=public_url(settings, row["place"], row["served_key"]) if shown else None,
            variants=variants,
            srcset=_srcset(variants),
            verdict=Verdict(engine=row["engine"], signatures=row["signatures"], scanned_at=row["scanned_at"])
            if row["engine"]
            else None,
        )

    def etag(self) -> str:
        """The tag of an answer that shows this file."""
        return etags.tag(self.updated_at, self.model_dump_json().encode())


_PLAIN = (
    "id", "name", "media_type", "size_bytes", "status", "reason", "visibility", "owner_id", "folder", "tags",
    "alt_text", "version", "width", "height", "placeholder", "mean_color", "created_at", "updated_at",
)  # fmt: skip


def _variants(row: Row, settings: Settings) -> list[Variant]:
    stored: list[dict[str, Any]] = orjson.loads(row["variants"])
    return [
        Variant(url=public_url(settings, row["place"], each.pop("key")), **each)
        for each in stored
    ]  # fmt: skip


def _srcset(variants: list[Variant]) -> dict[str, str]:
    """What keeps the picture's shape, once a width: those cut to a shape are other pictures."""
    whole = [each for each in variants if each.name in ("small", "medium", "large")]
    widths: dict[str, dict[int, str]] = {}
    for each in whole:
        widths.setdefault(each.media_type, {}).setdefault(each.width, each.url)
    return {kind: ", ".join(f"{url} {width}w" for width, url in of.items()) for kind, of in widths.items()}


class FileData(Wire):
    """One file."""

    file: File


class FileAnswer(Answer):
    """A file, alone."""

    message: str | None = None
    data: FileData

    def etag(self) -> str:
        """The file's."""
        return self.data.file.etag()


class FilesPage(Wire):
    """One page of files."""

    files: list[File]
    pagination: Pagination


class FilesAnswer(Answer):
    """`GET /files`."""

    data: FilesPage


class Quota(Wire):
    """What the caller may store, and does."""

    limit_bytes: int
    used_bytes: int
    reserved_bytes: int = Field(description="By uploads that are under way.")


class QuotaData(Wire):
    """The caller's quota."""

    quota: Quota


class QuotaAnswer(Answer):
    """`GET /files/quota`."""

    data: QuotaData


class FilePath(Path):
    """Names a file."""

    file_id: str = Field(description="A UUID.")


class UploadQuery(Query):
    """How an upload is answered."""

    wait: float = Field(0, ge=0, le=8, description="Seconds to wait for the scanner's verdict.")


class FileForm(Form):
    """What is said of an uploaded file."""

    folder: Folder = "/"
    tags: FormTags = Field(default_factory=list)
    alt_text: AltText | None = None
    visibility: Visibility = "private"


class FileChange(Body):
    """Changes the fields that are sent and leaves the others; null removes the alternative text."""

    name: str | None = Field(None, min_length=1, max_length=255, description="Its extension stays.")
    folder: Folder | None = None
    tags: Tags | None = None
    alt_text: AltText | None = None
    visibility: Visibility | None = None


class NewUpload(Body):
    """What will be uploaded, to the byte."""

    name: str = Field(min_length=1, max_length=255, description="With an extension of the type.")
    media_type: str = Field(
        max_length=200,
        description="The type the bytes will be sent with.",
        # Only told: parameters and other names of these are taken, too, and the rest has a refusal of its own.
        json_schema_extra={"enum": list(MEDIA_TYPES)},
    )
    size_bytes: Annotated[int, BeforeValidator(integral)] = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the bytes, in hexadecimal.")
    folder: Folder = "/"
    tags: Tags = Field(default_factory=list)
    alt_text: AltText | None = None
    visibility: Visibility = "private"


class DirectUpload(Wire):
    """A form that uploads these bytes and no others: `fields` in this order, then the bytes as `file`."""

    id: UUID
    method: Literal["POST"] = "POST"
    url: str
    fields: dict[str, str]
    expires_at: datetime


class DirectUploadData(Wire):
    """One upload."""

    upload: DirectUpload


class DirectUploadAnswer(Answer):
    """`POST /files/uploads`."""

    may_be_kept: ClassVar[bool] = False

    data: DirectUploadData


class UploadPath(Path):
    """Names a direct upload."""

    upload_id: str = Field(description="A UUID.")


class Version(Wire):
    """One of the contents that a file has had."""

    number: int
    media_type: str
    size_bytes: int
    sha256: str
    status: Status
    reason: str | None
    created_at: datetime
    current: bool = Field(description="Whether the file shows it.")

    @classmethod
    def of(cls, row: Row, current: int) -> Self:
        """The version of a stored row."""
        plain = ("number", "media_type", "size_bytes", "status", "reason", "created_at")
        return cls(**{name: row[name] for name in plain}, sha256=row["sha256"].hex(), current=row["number"] == current)


class Versions(Wire):
    """All versions, the newest first."""

    versions: list[Version]


class VersionsAnswer(Answer):
    """`GET /files/{file_id}/versions`."""

    data: Versions


class NewVersion(Wire):
    """What was uploaded, and the file as it is shown: with it, once it is clean."""

    file: File
    version: Version


class NewVersionAnswer(Answer):
    """`POST /files/{file_id}/versions`."""

    data: NewVersion


class LinkQuery(Query):
    """What a signed link is to be."""

    ttl: int = Field(3600, ge=60, le=86400, description="Seconds until it expires.")
    variant: str | None = Field(None, max_length=50, description="A picture made of the file, by its name.")


class Link(Wire):
    """An address that anyone may read the file under until it expires, or is revoked."""

    url: str
    expires_at: datetime


class LinkAnswer(Answer):
    """`GET /files/{file_id}/url`."""

    may_be_kept: ClassVar[bool] = False

    data: Link


class SignedQuery(Query):
    """What makes a signed link. All of it is as it was given out, or the link is refused."""

    expires: str = Field("", description="Unix time.")
    key: str = Field("", description="Which key signed it.")
    signature: str = ""
    variant: str | None = None
