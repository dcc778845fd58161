"""Other content for a file that is there: it keeps its address, and shows the new content once that is clean."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import RowMapping

from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import actions, intake, list_queries, queries, quota_queries
from bilten.files.errors import ContentMismatch, FileNotFound, QuotaExceeded
from bilten.files.intake import Bytes
from bilten.files.list_queries import Row
from bilten.services import Services


async def add(services: Services, principal: Principal, file_id: str, arrived: Bytes) -> tuple[Row, RowMapping]:
    """A new version; it and the file. Raises `FileNotFound`, and what is wrong with the bytes.

    Of another type it is another file: the name of this one would lie.
    """
    file = await actions.own(services, principal, file_id)
    inspection = await intake.look_at(services, arrived)
    if inspection.media_type != file["media_type"]:
        raise ContentMismatch(f"The file is {file['media_type']}: upload what is of another type as another file")
    # An admin's change to another's file counts as the other's.
    owner = file["owner_id"]
    limit, held = intake.quota_of(services.settings, principal), uuid4()
    await intake.reserve(services, owner, held, arrived.size, limit=limit)
    async with (
        intake.releasing(services, owner, held),
        intake.stored(services, intake.from_spool(services, arrived)) as version_id,
        services.db.transaction() as tx,
    ):
        locked = await queries.lock(tx, file["id"])
        if locked is None:
            raise FileNotFound
        if not await quota_queries.settle(tx, owner, held, arrived.size, limit=limit):
            raise QuotaExceeded
        number = await queries.last_number(tx, file["id"]) + 1
        await intake.write_version(tx, services, file["id"], number, version_id, arrived, inspection)
        await record(
            tx,
            actor_id=principal.user_id,
            action="file.new_version",
            entity="file",
            entity_id=file["id"],
            after={"version": number, "sha256": arrived.sha256, "size_bytes": arrived.size},
        )
        newest = (await queries.versions(tx, file["id"]))[0]
        return await list_queries.shown(tx, file["id"]), newest


async def of_file(services: Services, principal: Principal, file_id: str) -> tuple[Row, Sequence[RowMapping]]:
    """A file of one's own and all its versions, the newest first. Raises `FileNotFound`."""
    file = await actions.own(services, principal, file_id)
    async with services.db.transaction() as tx:
        return file, await queries.versions(tx, file["id"])
