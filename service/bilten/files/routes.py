"""The calls about files: upload, list, one file, its content, and what its owner does with it."""

from bilten.context import Principal
from bilten.db.paging import total
from bilten.files import actions, download, intake, list_queries, quota_queries, verdict
from bilten.files.errors import (
    ArchiveLimits,
    ContentMismatch,
    FileDamaged,
    FileInfected,
    FileNotAllowed,
    FileNotAvailable,
    FileNotFound,
    ImageTooLarge,
    QuotaExceeded,
    TypeNotTaken,
)
from bilten.files.filters import FilesQuery
from bilten.files.intake import Bytes
from bilten.files.list_queries import Row
from bilten.files.schemas import (
    MEDIA_TYPES,
    File,
    FileAnswer,
    FileChange,
    FileData,
    FileForm,
    FilePath,
    FilesAnswer,
    FilesPage,
    Quota,
    QuotaAnswer,
    QuotaData,
    UploadQuery,
)
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint
from bilten.web.forms import FileField, Upload
from bilten.web.lists import Pager
from bilten.web.serve import Download

FILE = FileField(
    "file",
    lambda settings: max(settings.max_image_bytes, settings.max_document_bytes),
    media_types=MEDIA_TYPES,
    description="The file, with its name and type.",
)
REFUSALS = (
    QuotaExceeded(),
    TypeNotTaken(),
    ContentMismatch(),
    ImageTooLarge(),
    FileDamaged(),
    FileNotAllowed(),
    FileInfected(),
    ArchiveLimits(),
)


def _answer(services: Services, row: Row, message: str | None = None) -> FileAnswer:
    return FileAnswer(message=message, data=FileData(file=File.of(row, services.settings)))


@endpoint("GET", "/files", summary="List files", auth="user")
async def list_files(services: Services, query: FilesQuery, principal: Principal) -> FilesAnswer:
    """The caller's own, for an admin everybody's; the newest first, unless asked for another order."""
    pager = Pager(services.cursors, "files", query.order, query)
    listed = list_queries.listing(query, principal)
    found = await list_queries.page(services.db, listed, query.order, pager.window)
    rows, pagination = await pager.describe(found, lambda: total(services.db, listed))
    files = [File.of(row, services.settings) for row in rows]
    return FilesAnswer(data=FilesPage(files=files, pagination=pagination))


@endpoint(
    "POST", "/files", summary="Upload a file", auth="user", status=201, creates=True, files=[FILE], errors=REFUSALS
)
async def upload_file(
    services: Services, principal: Principal, query: UploadQuery, upload: Upload[FileForm]
) -> FileAnswer:
    """Its bytes are looked at before they are stored, and scanned before they are served.

    With `wait`, the answer waits so many seconds for the verdict; a file that is infected is refused then.
    """
    received = upload.files["file"][0]
    arrived = Bytes(
        path=received.path,
        size=received.size,
        sha256=received.sha256,
        name=received.name,
        media_type=received.media_type,
    )
    row = await intake.add(services, principal, arrived, upload.form.model_dump())
    await upload.release()
    return _answer(services, await verdict.wait_for(services, row, query.wait))


@endpoint("GET", "/files/quota", summary="What the caller may store", auth="user")
async def get_quota(services: Services, principal: Principal) -> QuotaAnswer:
    """In bytes. What an upload that is under way will take is reserved."""
    async with services.db.transaction() as tx:
        used, reserved = await quota_queries.usage(tx, principal.user_id)
    limit = intake.quota_of(services.settings, principal)
    return QuotaAnswer(data=QuotaData(quota=Quota(limit_bytes=limit, used_bytes=used, reserved_bytes=reserved)))


@endpoint("GET", "/files/{file_id}", summary="One file", auth="user", errors=[FileNotFound()])
async def get_file(services: Services, path: FilePath, principal: Principal) -> FileAnswer:
    """One's own, or another's that is public."""
    return _answer(services, await actions.look_at(services, principal, path.file_id))


@endpoint(
    "GET", "/files/{file_id}/content", summary="The bytes of a file", auth="user", media_types=MEDIA_TYPES,
    errors=[FileNotFound(), FileNotAvailable()],
)  # fmt: skip
async def get_content(services: Services, path: FilePath, principal: Principal) -> Download:
    """Of a picture, the largest that was made of it: what was sent is never shown."""
    return download.of_file(services, await actions.readable(services, principal, path.file_id))


@endpoint("PATCH", "/files/{file_id}", summary="Change a file", auth="user", errors=[FileNotFound()])
async def change_file(
    services: Services, path: FilePath, body: FileChange, principal: Principal, if_match: str | None
) -> FileAnswer:
    """Changes the fields that are sent. What becomes private is so at once, and within seconds at a CDN."""
    row = await actions.change(services, principal, path.file_id, body, if_match)
    return _answer(services, row, "File updated")


@endpoint("DELETE", "/files/{file_id}", summary="Delete a file", auth="user", errors=[FileNotFound()])
async def delete_file(services: Services, path: FilePath, principal: Principal, if_match: str | None) -> MessageAnswer:
    """It is gone at once; its bytes and variants follow within seconds."""
    await actions.remove(services, principal, actions.named(path.file_id), if_match=if_match)
    return MessageAnswer(message="File deleted")
