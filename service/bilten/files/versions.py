"""Other content for a file that is there: it keeps its address, and shows the new content once that is clean."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import RowMapping

from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import actions, intake, list_queries, queries
from bilten.files.errors import ContentMismatch
from bilten.files.intake import Bytes, TakenIn
from bilten.files.list_queries import Row
from bilten.files.schemas import FilePath
from bilten.services import Services
from bilten.web.forms import Upload


@asynccontextmanager
async def taken_in(
    services: Services, principal: Principal, path: FilePath, upload: Upload[Any]
) -> AsyncIterator[TakenIn]:
    """The one file of a form, ready to be a version. Raises `FileNotFound`, and what is wrong with the bytes.

    Of another type it is another file: the name of this one would lie. An admin's change to another's file counts as
    the other's.
    """
    file = await actions.own(services, principal, path.file_id)
    arrived = Bytes.of(upload.files["file"][0])
    inspection = await intake.look_at(services, arrived)
    if inspection.media_type != file["media_type"]:
        raise ContentMismatch(f"The file is {file['media_type']}: upload what is of another type as another file")
    put = intake.from_spool(services, arrived)
    async with intake.paid_for(services, principal, file["owner_id"], arrived, inspection, put) as taken:
        await upload.release()
        yield taken


async def add(services: Services, principal: Principal, file_id: str, taken: TakenIn) -> tuple[Row, RowMapping]:
    """A new version; the file and it. Raises `FileNotFound`, `QuotaExceeded`."""
    async with services.db.transaction() as tx:
        file = await actions.lock_own(tx, principal, file_id)
        number = await queries.last_number(tx, file["id"]) + 1
        await intake.write_version(tx, services, file["id"], number, taken)
        await record(
            tx,
            actor_id=principal.user_id,
            action="file.new_version",
            entity="file",
            entity_id=file["id"],
            after={"version": number, "sha256": taken.arrived.sha256, "size_bytes": taken.arrived.size},
        )
        made = await list_queries.shown(tx, file["id"]), (await queries.versions(tx, file["id"]))[0]
    taken.kept = True
    return made


async def of_file(services: Services, principal: Principal, file_id: str) -> tuple[Row, Sequence[RowMapping]]:
    """A file of one's own and all its versions, the newest first. Raises `FileNotFound`."""
    file = await actions.own(services, principal, file_id)
    async with services.db.transaction() as tx:
        return file, await queries.versions(tx, file["id"])
