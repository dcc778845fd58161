"""What may happen to a file once it is there: one transaction each, with its audit row."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.queries import record
from bilten.audit.values import plain
from bilten.context import Principal
from bilten.files import list_queries, queries, reference_queries, removal
from bilten.files.errors import FileNotAvailable, FileNotFound, NotYourFile
from bilten.files.list_queries import Row
from bilten.files.removing import keys_of, paths_of, remove_rows
from bilten.files.schemas import FileChange
from bilten.scanning.errors import Refused
from bilten.scanning.names import extension, safe_name
from bilten.scanning.types import BY_MEDIA_TYPE
from bilten.services import Services
from bilten.web import etags, references
from bilten.web.errors import ValidationFailed


def named(file_id: str) -> UUID:
    """The file a path names. Raises `FileNotFound` for what can name none."""
    reference = references.parse(file_id)
    if not isinstance(reference, UUID):
        raise FileNotFound
    return reference


def manages(file: Mapping[str, Any] | Row, principal: Principal | None) -> bool:
    """Its owner does, and any admin."""
    return principal is not None and (principal.role == "admin" or file["owner_id"] == principal.user_id)


async def look_at(services: Services, viewer: Principal | None, file_id: str) -> Row:
    """One file. Of others' files only the clean and public are known. Raises `FileNotFound`."""
    file = await list_queries.one(services.db, named(file_id))
    if file is None or not (manages(file, viewer) or (file["visibility"] == "public" and file["status"] == "clean")):
        raise FileNotFound
    return file


async def readable(services: Services, viewer: Principal | None, file_id: str) -> Row:
    """One file whose bytes may be served to this viewer. Raises `FileNotFound`, `FileNotAvailable`."""
    file = await look_at(services, viewer, file_id)
    require_clean(file)
    return file


def require_clean(file: Mapping[str, Any] | Row) -> None:
    """Raises `FileNotAvailable` for a file whose bytes may not be served."""
    if file["status"] != "clean":
        raise FileNotAvailable


async def own(services: Services, principal: Principal, file_id: str) -> Row:
    """One file that this caller manages. Raises `FileNotFound`."""
    file = await list_queries.one(services.db, named(file_id))
    if file is None or not manages(file, principal):
        raise FileNotFound
    return file


async def change(services: Services, principal: Principal, file_id: str, body: FileChange, if_match: str | None) -> Row:
    """Change what was sent. Raises `FileNotFound`, `PreconditionFailed`, `ValidationFailed`."""
    async with services.db.transaction() as tx:
        file = await lock_own(tx, principal, file_id)
        etags.require_match(if_match, file["updated_at"])
        wanted = _wanted(file, body)
        changes = {name: value for name, value in wanted.items() if value != file[name]}
        if changes:
            await queries.change(tx, file["id"], changes)
            if changes.get("visibility") == "private":
                keys = await keys_of(tx, file["id"], await queries.versions(tx, file["id"]))
                await removal.ask(tx, services.settings, paths=paths_of(file, keys), file_id=file["id"])
            await record(
                tx,
                actor_id=principal.user_id,
                action="file.change",
                entity="file",
                entity_id=file["id"],
                before=plain({name: file[name] for name in changes}),
                after=plain(changes),
            )
        return await list_queries.shown(tx, file["id"])


async def remove(services: Services, principal: Principal, file_id: UUID, *, if_match: str | None = None) -> None:
    """Delete a file, its versions and their bytes. Raises `FileNotFound`, `PreconditionFailed`."""
    async with services.db.transaction() as tx:
        await reference_queries.lock_pages(tx, [file_id])
        file = await lock_own(tx, principal, str(file_id))
        etags.require_match(if_match, file["updated_at"])
        await remove_rows(tx, services.settings, file["id"], actor_id=principal.user_id)


async def remove_by_key(services: Services, principal: Principal, key: str) -> None:
    """Delete the file that shows these bytes. Raises `FileNotFound`, and `NotYourFile` for another's."""
    found = await list_queries.served(services.db, key)
    if found is None:
        raise FileNotFound
    async with services.db.transaction() as tx:
        await reference_queries.lock_pages(tx, [found["id"]])
        file = await queries.lock(tx, found["id"])
        if file is None:
            raise FileNotFound
        if not manages(file, principal):
            raise NotYourFile
        await remove_rows(tx, services.settings, file["id"], actor_id=principal.user_id)


async def lock_own(tx: AsyncConnection, principal: Principal, file_id: str) -> RowMapping:
    """One file that this caller manages, locked. Raises `FileNotFound`."""
    file = await queries.lock(tx, named(file_id))
    if file is None or not manages(file, principal):
        raise FileNotFound
    return file


def _wanted(file: RowMapping, body: FileChange) -> dict[str, Any]:
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = {name: value for name, value in sent.items() if value is not None or name == "alt_text"}
    if "name" in wanted:
        wanted["name"] = _renamed(file["name"], wanted["name"], file["media_type"])
    return wanted


def _renamed(old: str, new: str, media_type: str) -> str:
    """Another name for the same content: who saves it under that name must not get another type by it."""
    try:
        name = safe_name(new)
    except Refused as refused:
        raise _wrong_name(refused.message) from None
    if extension(name) not in BY_MEDIA_TYPE[media_type].extensions:
        raise _wrong_name(f"Let the name end in .{extension(old)}, as the content is of that type")
    return name


def _wrong_name(message: str) -> ValidationFailed:
    return ValidationFailed(details=[{"field": "name", "code": "invalid_name", "message": message}])
