"""The calls about uploads in two steps, and about versions."""

from bilten.context import Principal
from bilten.files import direct, versions
from bilten.files.errors import (
    ContentMismatch,
    FileInfected,
    FileNotFound,
    QuotaExceeded,
    TypeNotTaken,
    UploadIncomplete,
)
from bilten.files.intake import TakenIn
from bilten.files.schemas import (
    DirectUpload,
    DirectUploadAnswer,
    DirectUploadData,
    File,
    FileAnswer,
    FileData,
    FileForm,
    FilePath,
    NewUpload,
    NewVersion,
    NewVersionAnswer,
    UploadPath,
    Version,
    Versions,
    VersionsAnswer,
)
from bilten.files.uploads import FILE, REFUSALS
from bilten.services import Services
from bilten.web.endpoint import endpoint
from bilten.web.forms import FileTooLarge, Upload
from bilten.web.spool import SpoolFull


@endpoint(
    "POST", "/files/uploads", summary="Begin a direct upload", auth="user", status=201, creates=True,
    errors=[QuotaExceeded(), TypeNotTaken(), FileTooLarge(), ContentMismatch(), FileInfected()],
)  # fmt: skip
async def begin_upload(services: Services, body: NewUpload, principal: Principal) -> DirectUploadAnswer:
    """A form with which a browser sends the bytes to the object store itself: the way for large files."""
    upload_id, form = await direct.begin(services, principal, body)
    upload = DirectUpload(id=upload_id, url=form.url, fields=form.fields, expires_at=form.expires_at)
    return DirectUploadAnswer(data=DirectUploadData(upload=upload))


@endpoint(
    "POST", "/files/uploads/{upload_id}/complete", summary="Complete a direct upload", auth="user",
    errors=[FileNotFound(), UploadIncomplete(), SpoolFull(), *REFUSALS],
)  # fmt: skip
async def complete_upload(services: Services, path: UploadPath, principal: Principal) -> FileAnswer:
    """The file; the same when it was completed before. Bytes that are not as declared are refused, and gone."""
    row = await direct.complete(services, principal, path.upload_id)
    return FileAnswer(data=FileData(file=File.of(row, services.settings)))


@endpoint(
    "POST", "/files/{file_id}/versions", summary="Upload other content for a file", auth="user", status=201,
    creates=True, files=[FILE], errors=[FileNotFound(), *REFUSALS], prepare=versions.taken_in,
)  # fmt: skip
async def add_version(
    services: Services, path: FilePath, principal: Principal, upload: Upload[FileForm], prepared: TakenIn
) -> NewVersionAnswer:
    """The file shows it once it is clean; until then, and if it never is, what it has shown before."""
    del upload  # It has been taken in.
    file, newest = await versions.add(services, principal, path.file_id, prepared)
    shown = File.of(file, services.settings)
    return NewVersionAnswer(data=NewVersion(file=shown, version=Version.of(newest, shown.version)))


@endpoint("GET", "/files/{file_id}/versions", summary="All contents of a file", auth="user", errors=[FileNotFound()])
async def list_versions(services: Services, path: FilePath, principal: Principal) -> VersionsAnswer:
    """The newest first."""
    file, rows = await versions.of_file(services, principal, path.file_id)
    return VersionsAnswer(data=Versions(versions=[Version.of(row, file["version"]) for row in rows]))
