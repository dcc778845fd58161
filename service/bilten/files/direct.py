"""Direct uploads: a browser puts the bytes into the object store itself, with a form that fits them alone.

What it says of them beforehand is held against what is there when it completes the upload; from then on they go the
way of every other file. The form may be used again until it expires, so the bytes that were looked at are copied, by
their ETag, to a key that no form fits.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import Principal
from bilten.files import intake, list_queries, queries, quota_queries, removal, upload_queries
from bilten.files.addresses import quarantine_key, upload_key
from bilten.files.errors import (
    ContentMismatch,
    FileInfected,
    FileNotFound,
    QuotaExceeded,
    UploadIncomplete,
    refusal,
)
from bilten.files.intake import Bytes, TakenIn
from bilten.files.list_queries import Row
from bilten.files.schemas import NewUpload
from bilten.objects.errors import NoSuchObject
from bilten.objects.presign import PostForm
from bilten.objects.store import Object
from bilten.scanning import sniff
from bilten.scanning.errors import Refused
from bilten.scanning.names import safe_name
from bilten.services import Services
from bilten.web import references
from bilten.web.errors import ApiError, ServiceUnavailable
from bilten.web.spool import Room

#: How long the form can be used; and the bytes completed.
FORM_LIVES = timedelta(minutes=15)
UPLOAD_LIVES = timedelta(hours=1)
#: An upload with the form that began in its last moment is mostly through by then; one that is not is swept.
_AFTER_FORM = timedelta(minutes=5)


class _CompletedMeanwhile(Exception):
    """Another request has completed the upload, or dropped it."""

    def __init__(self, file_id: UUID | None) -> None:
        super().__init__()
        self.file_id = file_id


async def begin(services: Services, owner: Principal, body: NewUpload) -> tuple[UUID, PostForm]:
    """A form to upload with, and its quota held. Raises what can be known of a file without its bytes."""
    allowed = services.workshop.allowed
    try:
        name, kind = safe_name(body.name), allowed.declared(body.media_type)
        sniff.check_extension(name, kind)
        allowed.check_size(kind, body.size_bytes)
    except Refused as refused:
        raise refusal(refused, "name") from None
    upload_id, sha256 = uuid4(), bytes.fromhex(body.sha256)
    async with services.db.transaction() as tx:
        if await queries.known_bad(tx, sha256):
            raise FileInfected
        limit, lives = intake.quota_of(services.settings, owner), UPLOAD_LIVES.total_seconds()
        if not await quota_queries.reserve(tx, owner.user_id, upload_id, body.size_bytes, limit=limit, for_s=lives):
            raise QuotaExceeded
        said = body.model_dump(include={"size_bytes", "folder", "tags", "alt_text", "visibility"})
        seen = {"name": name, "media_type": kind.media_type, "sha256": sha256}
        ends = {"expires_at": datetime.now(UTC) + UPLOAD_LIVES}
        await upload_queries.add(tx, {**said, **seen, **ends, "id": upload_id, "owner_id": owner.user_id})
    form = services.store.presign_post(
        services.settings.s3_quarantine_bucket,
        upload_key(upload_id),
        size_range=(body.size_bytes, body.size_bytes),
        media_type=kind.media_type,
        expires=FORM_LIVES,
    )
    return upload_id, form


async def complete(services: Services, owner: Principal, upload_id: str) -> Row:
    """The file of what was uploaded; again the same. Raises what is wrong with the bytes, which are gone then."""
    upload = await _find(services, owner, upload_id)
    if upload["file_id"] is not None:
        return await _file(services, upload["file_id"])
    try:
        return await _complete(services, owner, upload)
    except _CompletedMeanwhile as other:
        return await _file(services, other.file_id)
    except NoSuchObject:
        # Not there yet; or not any more, since another request has completed the upload, or dropped it.
        upload = await _find(services, owner, upload_id)
        if upload["file_id"] is None:
            raise UploadIncomplete from None
        return await _file(services, upload["file_id"])


async def _complete(services: Services, owner: Principal, upload: RowMapping) -> Row:
    async with services.db.transaction() as tx:
        await intake.check_waiting(tx, owner.user_id)
    found = await services.store.stat(services.settings.s3_quarantine_bucket, upload_key(upload["id"]))
    async with services.spool.room(upload["size_bytes"], user_id=owner.user_id) as room:
        try:
            return await _take(services, owner, upload, found, await _fetch(services, upload, found, room))
        except ApiError as refused:
            if not isinstance(refused, ServiceUnavailable):
                await _drop(services, upload)
            raise


async def _find(services: Services, owner: Principal, upload_id: str) -> RowMapping:
    reference = references.parse(upload_id)
    async with services.db.transaction() as tx:
        upload = await upload_queries.one(tx, reference) if isinstance(reference, UUID) else None
    if upload is None or upload["owner_id"] != owner.user_id:
        raise FileNotFound("Upload not found")
    return upload


async def _file(services: Services, file_id: UUID | None) -> Row:
    file = await list_queries.one(services.db, file_id) if file_id else None
    if file is None:
        raise FileNotFound
    return file


async def _fetch(services: Services, upload: RowMapping, found: Object, room: Room) -> Bytes:
    """The bytes in the spool. Raises `ContentMismatch` when they are not those that were declared."""
    if found.size != upload["size_bytes"]:
        raise ContentMismatch("The bytes are not as many as the upload said")
    file, bucket = room.file(), services.settings.s3_quarantine_bucket
    async with services.store.reading(bucket, upload_key(upload["id"]), if_etag=found.etag) as body:
        async for chunk in body.chunks():
            await file.write(chunk)
    await file.finish()
    if bytes.fromhex(file.sha256) != upload["sha256"]:
        raise ContentMismatch("The bytes are not those whose sha256 the upload named")
    return Bytes(
        path=file.path, size=file.size, sha256=file.sha256, name=upload["name"], media_type=upload["media_type"]
    )


async def _take(services: Services, owner: Principal, upload: RowMapping, found: Object, arrived: Bytes) -> Row:
    inspection, bucket = await intake.look_at(services, arrived), services.settings.s3_quarantine_bucket

    async def copy(version_id: UUID) -> None:
        source, target = (bucket, upload_key(upload["id"])), (bucket, quarantine_key(version_id))
        await services.store.copy(source, target, if_etag=found.etag)

    # The quota was reserved when the upload began, under its own id.
    limit = intake.quota_of(services.settings, owner)
    taken = TakenIn(arrived, inspection, uuid4(), upload["id"], owner.user_id, limit)
    async with intake.put_away(services, taken, copy), services.db.transaction() as tx:
        first = await upload_queries.lock(tx, upload["id"])
        if first is None or first["file_id"] is not None:
            raise _CompletedMeanwhile(first["file_id"] if first else None)
        wanted = {name: upload[name] for name in ("folder", "tags", "alt_text", "visibility")}
        row = await intake.write_down(tx, services, owner, taken, wanted)
        await upload_queries.finish(tx, upload["id"], row["id"])
        # The form may bring as many bytes once more, and the file be deleted before it cannot.
        still_s = (_form_over(upload) - datetime.now(UTC)).total_seconds()
        if still_s > 0:
            size = upload["size_bytes"]
            await quota_queries.reserve(tx, owner.user_id, uuid4(), size, limit=None, for_s=still_s)
        await _remove_bytes(tx, services, upload)
        taken.kept = True
        return row


async def _drop(services: Services, upload: RowMapping) -> None:
    """The upload is over, and its bytes go. Its quota is held as long as its form can bring others."""
    async with services.db.transaction() as tx:
        first = await upload_queries.lock(tx, upload["id"])
        if first is not None and first["file_id"] is not None:
            raise _CompletedMeanwhile(first["file_id"])
        await quota_queries.hold_until(tx, upload["id"], _form_over(upload))
        await upload_queries.remove(tx, upload["id"])
        await _remove_bytes(tx, services, upload)


async def _remove_bytes(tx: AsyncConnection, services: Services, upload: RowMapping) -> None:
    """What the form has brought goes, and once it cannot be used any more, what it has brought since."""
    for at in (None, _form_over(upload)):
        await removal.ask(tx, services.settings, quarantine=[upload_key(upload["id"])], at=at)


def _form_over(upload: RowMapping) -> datetime:
    begun: datetime = upload["expires_at"] - UPLOAD_LIVES
    return begun + FORM_LIVES + _AFTER_FORM
