"""From bytes in the spool to a file that waits for the scanner: looked at, paid for, put away, written down.

What is refused leaves nothing anywhere. What is not refused exists from one transaction on, in which its quota, its row
and the job of the worker are written; a process that dies before that leaves a reservation, which ends by itself, and
at most an object that no row knows, which the sweep removes.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import list_queries, queries, quota_queries, scan
from bilten.files.addresses import quarantine_key
from bilten.files.errors import FileDamaged, FileInfected, QuotaExceeded, ScannerDown, refusal
from bilten.files.list_queries import Row
from bilten.scanning.errors import InspectionFailed, Refused, WorkshopUnavailable
from bilten.scanning.names import safe_name
from bilten.services import Services
from bilten.settings import Settings

#: How long an upload may hold quota before its row is written, in seconds: far longer than any takes.
RESERVED_S = 900.0


@dataclass(frozen=True, kw_only=True)
class Bytes:
    """What arrived: where it waits, and what its sender calls it."""

    path: Path
    size: int
    #: In hexadecimal.
    sha256: str
    name: str
    media_type: str


def quota_of(settings: Settings, owner: Principal) -> int:
    """What this caller may store, in bytes."""
    return settings.user_quota_bytes if owner.role == "user" else settings.organizer_quota_bytes


async def add(services: Services, owner: Principal, arrived: Bytes, wanted: Mapping[str, Any]) -> Row:
    """A new file of these bytes, with `wanted` as its other columns. Raises what `errors` has."""
    name, media_type = await look_at(services, arrived)
    async with stored(services, owner, arrived, media_type) as (version_id, settle), services.db.transaction() as tx:
        await settle(tx)
        shown = {"media_type": media_type, "size_bytes": arrived.size}
        file_id = await queries.add(tx, {**wanted, **shown, "owner_id": owner.user_id, "name": name})
        await queries.add_version(
            tx,
            {**shown, "id": version_id, "file_id": file_id, "number": 1, "sha256": bytes.fromhex(arrived.sha256)},
        )
        await scan.ask(tx, services.settings, version_id)
        await record(
            tx,
            actor_id=owner.user_id,
            action="file.create",
            entity="file",
            entity_id=file_id,
            after={"name": name, "sha256": arrived.sha256, **shown},
        )
        return await list_queries.shown(tx, file_id)


async def look_at(services: Services, arrived: Bytes) -> tuple[str, str]:
    """The name and the type to store. Raises what is wrong with the bytes, as an answer."""
    try:
        name = safe_name(arrived.name)
        inspection = await services.workshop.inspect(arrived.path, name=name, declared=arrived.media_type)
    except Refused as refused:
        raise refusal(refused) from None
    except InspectionFailed as failure:
        raise FileDamaged(f"{failure} It is not taken.") from None
    except WorkshopUnavailable:
        raise ScannerDown from None
    async with services.db.transaction() as tx:
        if await queries.known_bad(tx, bytes.fromhex(arrived.sha256)):
            raise FileInfected
    return name, inspection.media_type


@asynccontextmanager
async def stored(
    services: Services, owner: Principal, arrived: Bytes, media_type: str
) -> AsyncIterator[tuple[UUID, Any]]:
    """Put the bytes into quarantine, paid for: the id of the version they will be, and what settles its price.

    When the block fails, the bytes are taken back, and the quota too, as far as the store and the database answer.
    """
    version_id, limit = uuid4(), quota_of(services.settings, owner)
    async with services.db.transaction() as tx:
        held = await quota_queries.reserve(tx, owner.user_id, arrived.size, limit=limit, for_s=RESERVED_S)
    if held is None:
        raise QuotaExceeded
    reservation = held

    async def settle(tx: Any) -> None:
        if not await quota_queries.settle(tx, owner.user_id, reservation, arrived.size, limit=limit):
            raise QuotaExceeded

    bucket = services.settings.s3_quarantine_bucket
    try:
        await services.store.put_file(bucket, quarantine_key(version_id), arrived.path, media_type)
        yield version_id, settle
    except BaseException:
        await asyncio.shield(_take_back(services, owner, version_id, reservation))
        raise


async def _take_back(services: Services, owner: Principal, version_id: UUID, reservation: UUID) -> None:
    # Whatever fails here, the sweep and the end of the reservation do it later.
    with suppress(Exception):
        await services.store.remove(services.settings.s3_quarantine_bucket, [quarantine_key(version_id)])
    with suppress(Exception):
        async with services.db.transaction() as tx:
            await quota_queries.release(tx, owner.user_id, reservation)
