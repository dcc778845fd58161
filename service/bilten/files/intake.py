"""From bytes in the spool to a file that waits for the scanner: looked at, paid for, put away, written down.

What is refused leaves nothing anywhere. What is not refused exists from one transaction on, in which its quota, its row
and the job of the worker are written; a process that dies before that leaves a reservation, which ends by itself, and
at most an object that no row knows, which the sweep removes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import list_queries, queries, quota_queries, scan
from bilten.files.addresses import quarantine_key
from bilten.files.errors import FileDamaged, FileInfected, QuotaExceeded, ScannerDown, refusal
from bilten.files.list_queries import Row
from bilten.scanning.errors import InspectionFailed, Refused, WorkshopUnavailable
from bilten.scanning.workshop import Inspection
from bilten.services import Services
from bilten.settings import Settings
from bilten.web.forms import ReceivedFile

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

    @classmethod
    def of(cls, received: ReceivedFile) -> Self:
        """What came in a form."""
        return cls(
            path=received.path,
            size=received.size,
            sha256=received.sha256,
            name=received.name,
            media_type=received.media_type,
        )


def quota_of(settings: Settings, owner: Principal) -> int:
    """What this caller may store, in bytes."""
    return settings.user_quota_bytes if owner.role == "user" else settings.organizer_quota_bytes


Put = Callable[[UUID], Awaitable[object]]


async def add(services: Services, owner: Principal, arrived: Bytes, wanted: Mapping[str, Any]) -> Row:
    """A new file of these bytes, with `wanted` as its other columns. Raises what `errors` has."""
    inspection = await look_at(services, arrived)
    limit, held = quota_of(services.settings, owner), uuid4()
    await reserve(services, owner.user_id, held, arrived.size, limit=limit)
    async with (
        releasing(services, owner.user_id, held),
        stored(services, from_spool(services, arrived)) as version_id,
        services.db.transaction() as tx,
    ):
        if not await quota_queries.settle(tx, owner.user_id, held, arrived.size, limit=limit):
            raise QuotaExceeded
        return await write_down(tx, services, owner, version_id, arrived, inspection, wanted)


async def write_down(
    tx: AsyncConnection,
    services: Services,
    owner: Principal,
    version_id: UUID,
    arrived: Bytes,
    inspection: Inspection,
    wanted: Mapping[str, Any],
) -> Row:
    """The rows of a new file, and the job that looks at its bytes."""
    shown = {"media_type": inspection.media_type, "size_bytes": arrived.size}
    file_id = await queries.add(tx, {**wanted, **shown, "owner_id": owner.user_id, "name": inspection.name})
    await write_version(tx, services, file_id, 1, version_id, arrived, inspection)
    await record(
        tx,
        actor_id=owner.user_id,
        action="file.create",
        entity="file",
        entity_id=file_id,
        after={"name": inspection.name, "sha256": arrived.sha256, **shown},
    )
    return await list_queries.shown(tx, file_id)


async def write_version(
    tx: AsyncConnection,
    services: Services,
    file_id: UUID,
    number: int,
    version_id: UUID,
    arrived: Bytes,
    inspection: Inspection,
) -> None:
    """The row of a version, and the job that looks at its bytes."""
    row = {"id": version_id, "file_id": file_id, "number": number, "sha256": bytes.fromhex(arrived.sha256)}
    await queries.add_version(tx, {**row, "media_type": inspection.media_type, "size_bytes": arrived.size})
    await scan.ask(tx, services.settings, version_id)


async def look_at(services: Services, arrived: Bytes) -> Inspection:
    """What the bytes are. Raises what is wrong with them, as an answer."""
    try:
        inspection = await services.workshop.inspect(arrived.path, name=arrived.name, declared=arrived.media_type)
    except Refused as refused:
        raise refusal(refused) from None
    except InspectionFailed as failure:
        raise FileDamaged(f"{failure} It is not taken.") from None
    except WorkshopUnavailable:
        raise ScannerDown from None
    async with services.db.transaction() as tx:
        if await queries.known_bad(tx, bytes.fromhex(arrived.sha256)):
            raise FileInfected
    return inspection


async def reserve(services: Services, owner_id: UUID, held: UUID, size: int, *, limit: int) -> None:
    """Hold so much of the owner's quota, as the reservation `held`. Raises `QuotaExceeded`."""
    async with services.db.transaction() as tx:
        if not await quota_queries.reserve(tx, owner_id, held, size, limit=limit, for_s=RESERVED_S):
            raise QuotaExceeded


@asynccontextmanager
async def releasing(services: Services, owner_id: UUID, held: UUID) -> AsyncIterator[None]:
    """Give a reservation back when the block fails; when that fails too, it ends by itself."""
    try:
        yield
    except BaseException:
        await asyncio.shield(_release(services, owner_id, held))
        raise


async def _release(services: Services, owner_id: UUID, held: UUID) -> None:
    with suppress(Exception):
        async with services.db.transaction() as tx:
            await quota_queries.release(tx, owner_id, held)


@asynccontextmanager
async def stored(services: Services, put: Put) -> AsyncIterator[UUID]:
    """Put bytes into quarantine, as those of a version whose id this gives; taken back when the block fails."""
    version_id = uuid4()
    try:
        await put(version_id)
        yield version_id
    except BaseException:
        await asyncio.shield(_take_back(services, version_id))
        raise


async def _take_back(services: Services, version_id: UUID) -> None:
    # What fails here, the sweep does later.
    with suppress(Exception):
        await services.store.remove(services.settings.s3_quarantine_bucket, [quarantine_key(version_id)])


def from_spool(services: Services, arrived: Bytes) -> Put:
    """Puts what is in the spool."""
    bucket = services.settings.s3_quarantine_bucket

    async def put(version_id: UUID) -> None:
        await services.store.put_file(bucket, quarantine_key(version_id), arrived.path, "application/octet-stream")

    return put
