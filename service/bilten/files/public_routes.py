"""The public addresses of files: for pages, and for a CDN to fetch from. Anyone may read what is clean and public."""

from typing import Literal

from pydantic import Field

from bilten.files import download, list_queries
from bilten.files.errors import FileNotFound
from bilten.files.schemas import MEDIA_TYPES
from bilten.services import Services
from bilten.web.endpoint import endpoint
from bilten.web.serve import Download
from bilten.web.spelling import Path


class PublicPath(Path):
    """Names public bytes."""

    place: Literal["files", "profiles", "events", "gallery"]
    filename: str = Field(max_length=200)


async def _public(services: Services, path: PublicPath) -> Download:
    row = await list_queries.served(services.db, path.filename)
    if row is None or row["visibility"] != "public" or row["place"] != path.place:
        raise FileNotFound
    return download.of_key(services, row)


@endpoint(
    "GET", "/uploads/{place}/{filename}", summary="A public file", tier="U", media_types=MEDIA_TYPES,
    errors=[FileNotFound()],
)  # fmt: skip
async def get_upload(services: Services, path: PublicPath) -> Download:
    """Nobody may keep it: no cache is told to forget it here."""
    return await _public(services, path)


@endpoint(
    "GET", "/uploads/{place}/{filename}", summary="A public file, outside the base paths", tier="U", at_root=True,
    media_types=MEDIA_TYPES, errors=[FileNotFound()],
)  # fmt: skip
async def get_upload_at_root(services: Services, path: PublicPath) -> Download:
    """What addresses of files lead to. They never get other bytes, so these may be kept for ever."""
    return await _public(services, path)
