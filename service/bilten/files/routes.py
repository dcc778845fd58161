"""The calls about files: upload, list, one file, its content, links to it, and what its owner does with it."""

from aiohttp import web

from bilten.context import Principal
from bilten.db.paging import total
from bilten.files import actions, download, intake, links, list_queries, quota_queries, verdict
from bilten.files.errors import FileNotAvailable, FileNotFound, LinkNotValid
from bilten.files.filters import FilesQuery
from bilten.files.intake import TakenIn, taken_in
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
    Link,
    LinkAnswer,
    LinkQuery,
    Quota,
    QuotaAnswer,
    QuotaData,
    SignedQuery,
    UploadQuery,
)
from bilten.files.uploads import FILE, REFUSALS
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint
from bilten.web.forms import Upload
from bilten.web.lists import Pager
from bilten.web.serve import Download


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


async def _after_verdict(services: Services, query: UploadQuery, answer: FileAnswer) -> FileAnswer:
    return _answer(services, await verdict.wait_for(services, answer.data.file.id, query.wait))


@endpoint(
    "POST", "/files", summary="Upload a file", auth="user", status=201, creates=True, files=[FILE], errors=REFUSALS,
    prepare=taken_in, afterwards=_after_verdict,
)  # fmt: skip
async def upload_file(
    services: Services, principal: Principal, upload: Upload[FileForm], prepared: TakenIn
) -> FileAnswer:
    """Its bytes are looked at before they are stored, and scanned before they are served.

    With `wait`, the answer waits so many seconds for the verdict; a file that is infected is refused then.
    """
    return _answer(services, await intake.add(services, principal, prepared, upload.form.model_dump()))


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


@endpoint(
    "GET", "/files/{file_id}/url", summary="A signed link to a file", auth="user",
    errors=[FileNotFound(), FileNotAvailable()],
)  # fmt: skip
async def get_link(services: Services, path: FilePath, query: LinkQuery, principal: Principal) -> LinkAnswer:
    """Whoever has it may read the file until it expires, or is revoked."""
    url, expires_at = await links.make(services, principal, path.file_id, ttl=query.ttl, variant=query.variant)
    return LinkAnswer(data=Link(url=url, expires_at=expires_at))


@endpoint("DELETE", "/files/{file_id}/url", summary="Revoke all links to a file", auth="user", errors=[FileNotFound()])
async def revoke_links(services: Services, path: FilePath, principal: Principal) -> MessageAnswer:
    """Those given out until now are void from now on."""
    await links.revoke(services, principal, path.file_id)
    return MessageAnswer(message="All links to the file were revoked")


@endpoint(
    "GET", "/files/signed/{file_id}", summary="What a signed link leads to", media_types=MEDIA_TYPES,
    errors=[FileNotFound(), LinkNotValid()],
)  # fmt: skip
async def follow_link(services: Services, request: web.Request, path: FilePath, query: SignedQuery) -> Download:
    """The bytes, for anyone who has the link."""
    del query  # Described here; what is signed is the query as it came.
    return download.of_link(services, *await links.follow(services, request, path.file_id))
