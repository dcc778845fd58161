"""The bytes of files as an answer, from the media bucket."""

from collections.abc import AsyncIterator
from dataclasses import replace

from bilten.files.addresses import path_of, surrogate_key
from bilten.files.list_queries import Row
from bilten.objects.errors import NoSuchObject
from bilten.services import Services
from bilten.web.errors import ServiceUnavailable
from bilten.web.serve import Download

#: What a browser may show: pictures made anew here. Everything else is saved.
_INLINE = ("image/jpeg", "image/png", "image/webp")


def of_file(services: Services, row: Row) -> Download:
    """A file whose caller may read it, as nobody may keep it."""
    return _download(services, row, row["served_key"], row["served_type"], row["served_size"], immutable=False)


def of_link(services: Services, row: Row, key: str, media_type: str, size: int) -> Download:
    """What a signed link shows, as nobody may keep it."""
    return _download(services, row, key, media_type, size, immutable=False)


def of_key(services: Services, row: Row) -> Download:
    """What lies under a public address, as everybody may keep it who asks for it there."""
    shown = _download(services, row, row["key"], row["media_type"], row["size_bytes"], immutable=True)
    only_at = path_of(row["place"], row["key"])
    return replace(shown, only_at=only_at, more=services.cdn.headers([surrogate_key(row["id"])]))


def _download(services: Services, row: Row, key: str, media_type: str, size: int, *, immutable: bool) -> Download:
    def opened(offset: int, length: int) -> AsyncIterator[bytes]:
        return _bytes(services, key, offset, length)

    return Download(
        open=opened,
        size=size,
        media_type=media_type,
        # The key names the hash of the bytes under it.
        etag=key,
        immutable=immutable,
        last_modified=row["created_at"],
        filename=row["name"],
        inline=media_type in _INLINE,
    )


async def _bytes(services: Services, key: str, offset: int, length: int) -> AsyncIterator[bytes]:
    try:
        async for chunk in services.store.get(services.settings.s3_media_bucket, key, offset=offset, length=length):
            yield chunk
    except NoSuchObject:
        # Its row says that it is there: it is being removed, or the store has lost it.
        raise ServiceUnavailable("The file cannot be read right now. Try again in a moment.") from None
