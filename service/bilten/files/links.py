"""Signed links: an address under which anyone may read one file, for some time, or until its owner revokes it."""

import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import orjson
from aiohttp import web

from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import actions, list_queries, queries
from bilten.files.errors import FileNotFound, LinkNotValid
from bilten.files.list_queries import Row
from bilten.objects.links import LinkRefused
from bilten.services import Services
from bilten.web.routing import BASE_PATHS

#: A link has one path, whichever of the base paths it was asked for under.
_PATH = BASE_PATHS[0] + "/files/signed/{}"
_VARIANT = "variant"


async def make(
    services: Services, principal: Principal, file_id: str, *, ttl: int, variant: str | None
) -> tuple[str, datetime]:
    """A link to a file of one's own, and when it expires. Raises `FileNotFound`, `FileNotAvailable`."""
    file = await actions.own(services, principal, file_id)
    actions.require_clean(file)
    parameters = [] if variant is None else [(_VARIANT, variant)]
    if variant is not None:
        _variant(file, variant)
    path, expires_at = _PATH.format(file["id"]), int(time.time()) + ttl
    query = services.links.sign(
        UUID(str(file["id"])), path, expires_at=expires_at, epoch=file["link_epoch"], parameters=parameters
    )
    base = str(services.settings.public_url or "").rstrip("/")
    return f"{base}{path}?{urlencode(query)}", datetime.fromtimestamp(expires_at, UTC)


async def follow(services: Services, request: web.Request, file_id: str) -> tuple[Row, str, str, int]:
    """The file of a link, and key, type and size of what it shows. Raises `LinkNotValid`, `FileNotFound`."""
    file = await list_queries.one(services.db, actions.named(file_id))
    if file is None:
        raise LinkNotValid
    try:
        pairs = parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True, errors="strict")
        services.links.verify(
            request.method, UUID(str(file["id"])), _PATH.format(file["id"]), pairs, epoch=file["link_epoch"]
        )
    except (LinkRefused, ValueError):
        raise LinkNotValid from None
    if file["status"] != "clean":
        raise FileNotFound
    if (name := dict(pairs).get(_VARIANT)) is not None:
        return file, *_variant(file, name)
    return file, file["served_key"], file["served_type"], file["served_size"]


async def revoke(services: Services, principal: Principal, file_id: str) -> None:
    """End all links to a file that were given out until now. Raises `FileNotFound`."""
    async with services.db.transaction() as tx:
        file = await actions.lock_own(tx, principal, file_id)
        await queries.change(tx, file["id"], {"link_epoch": file["link_epoch"] + 1})
        await record(tx, actor_id=principal.user_id, action="file.revoke_links", entity="file", entity_id=file["id"])


def _variant(file: Row, name: str) -> tuple[str, str, int]:
    """Key, type and size of the variant that every browser shows. Raises `FileNotFound`."""
    for each in orjson.loads(file["variants"]):
        if each["name"] == name and each["media_type"] != "image/webp":
            return each["key"], each["media_type"], each["size_bytes"]
    raise FileNotFound("The file has no such variant")
