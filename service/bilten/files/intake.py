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

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.audit.queries import record
from bilten.context import Principal
from bilten.files import list_queries, queries, quota_queries, scan
from bilten.files.addresses import quarantine_key
from bilten.files.errors import FileDamaged, FileInfected, QuotaExceeded, ScannerDown, TooManyWaiting, refusal
from bilten.files.list_queries import Row
from bilten.scanning.errors import InspectionFailed, Refused, WorkshopUnavailable
from bilten.scanning.workshop import Inspection
from bilten.services import Services
from bilten.settings import Settings
from bilten.web.forms import ReceivedFile, Upload

#: How long an upload may hold quota before its row is written, in seconds: far longer than any takes.
RESERVED_S = 900.0
#: Of one owner's versions, so many may wait for their verdict: a minute's work, as all wait in one line.
MOST_WAITING = 100


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
    return _quota(settings, owner.role)


def _quota(settings: Settings, role: str | None) -> int:
    return settings.user_quota_bytes if role in ("user", None) else settings.organizer_quota_bytes


async def _owners_quota(tx: AsyncConnection, settings: Settings, principal: Principal, owner_id: UUID) -> int:
    """What may be stored by whoever pays, who need not be the caller."""
    if owner_id == principal.user_id:
        return quota_of(settings, principal)
    return _quota(settings, await tx.scalar(select(users.c.role).where(users.c.id == owner_id)))


Put = Callable[[UUID], Awaitable[object]]


@dataclass
class TakenIn:
    """Bytes that were looked at, paid for and put into quarantine, and that no row knows yet."""

    arrived: Bytes
    inspection: Inspection
    version_id: UUID
    #: Of the owner's quota.
    reservation: UUID
    owner_id: UUID
    limit: int
    #: Whether a transaction has made them a file's. Until it has, they are taken back.
    kept: bool = False

    @property
    def row(self) -> dict[str, Any]:
        """What a version says of them."""
        return {
            "id": self.version_id,
            "sha256": bytes.fromhex(self.arrived.sha256),
            "media_type": self.inspection.media_type,
            "size_bytes": self.arrived.size,
        }


@asynccontextmanager
async def taken_in(services: Services, principal: Principal, upload: Upload[Any]) -> AsyncIterator[TakenIn]:
    """The one file of a form, ready to become one of the caller's. Raises what `errors` has."""
    arrived = Bytes.of(upload.files["file"][0])
    inspection = await look_at(services, arrived)
    put = from_spool(services, arrived)
    async with paid_for(services, principal, principal.user_id, arrived, inspection, put) as taken:
        await upload.release()
        yield taken


@asynccontextmanager
async def paid_for(
    services: Services, principal: Principal, owner_id: UUID, arrived: Bytes, inspection: Inspection, put: Put
) -> AsyncIterator[TakenIn]:
    """Reserve quota and put the bytes into quarantine. What is not kept is taken back when the block ends."""
    async with services.db.transaction() as tx:
        await check_waiting(tx, owner_id)
        limit = await _owners_quota(tx, services.settings, principal, owner_id)
        taken = TakenIn(arrived, inspection, uuid4(), uuid4(), owner_id, limit)
        if not await quota_queries.reserve(
            tx, owner_id, taken.reservation, arrived.size, limit=limit, for_s=RESERVED_S
        ):
            raise QuotaExceeded
    try:
        async with put_away(services, taken, put):
            yield taken
    finally:
        if not taken.kept:
            await asyncio.shield(_release(services, taken))


async def check_waiting(tx: AsyncConnection, owner_id: UUID) -> None:
    """Raise `TooManyWaiting` where the scanner has enough to do for this owner."""
    if await queries.waiting(tx, owner_id) >= MOST_WAITING:
        raise TooManyWaiting


@asynccontextmanager
async def put_away(services: Services, taken: TakenIn, put: Put) -> AsyncIterator[None]:
    """Put the bytes into quarantine; they are taken back when the block fails, or ends without keeping them."""
    try:
        await put(taken.version_id)
        yield
    except BaseException:
        # Nobody knows whether a commit that failed was one. Rows without bytes end as an error; bytes without rows
        # would stay.
        taken.kept = False
        raise
    finally:
        if not taken.kept:
            await asyncio.shield(_remove(services, taken))


async def _remove(services: Services, taken: TakenIn) -> None:
    # What fails here, the sweep does later.
    with suppress(Exception):
        await services.store.remove(services.settings.s3_quarantine_bucket, [quarantine_key(taken.version_id)])


async def _release(services: Services, taken: TakenIn) -> None:
    # What fails here, the end of the reservation does later.
    with suppress(Exception):
        async with services.db.transaction() as tx:
            await quota_queries.release(tx, taken.owner_id, taken.reservation)


async def add(services: Services, owner: Principal, taken: TakenIn, wanted: Mapping[str, Any]) -> Row:
    """A new file of these bytes, with `wanted` as its other columns. Raises `QuotaExceeded`."""
    async with services.db.transaction() as tx:
        row = await write_down(tx, services, owner, taken, wanted)
    taken.kept = True
    return row


async def write_down(
    tx: AsyncConnection, services: Services, owner: Principal, taken: TakenIn, wanted: Mapping[str, Any]
) -> Row:
    """The rows of a new file, and the job that looks at its bytes."""
    name, shown = taken.inspection.name, {name: taken.row[name] for name in ("media_type", "size_bytes")}
    file_id = await queries.add(tx, {**wanted, **shown, "owner_id": owner.user_id, "name": name})
    await write_version(tx, services, file_id, 1, taken)
    await record(
        tx,
        actor_id=owner.user_id,
        action="file.create",
        entity="file",
        entity_id=file_id,
        after={"name": name, "sha256": taken.arrived.sha256, **shown},
    )
    return await list_queries.shown(tx, file_id)


async def write_version(tx: AsyncConnection, services: Services, file_id: UUID, number: int, taken: TakenIn) -> None:
    """The row of a version, its price, and the job that looks at its bytes. Raises `QuotaExceeded`."""
    await queries.add_version(tx, {**taken.row, "file_id": file_id, "number": number})
    size = taken.arrived.size
    if not await quota_queries.settle(tx, taken.owner_id, taken.reservation, size, limit=taken.limit):
        raise QuotaExceeded
    await scan.ask(tx, services.settings, taken.version_id)


async def look_at(services: Services, arrived: Bytes) -> Inspection:
    """What the bytes are. Raises what is wrong with them, as an answer."""
    try:
        inspection = await services.workshop.inspect(arrived.path, name=arrived.name, declared=arrived.media_type)
    except Refused as refused:
        raise refusal(refused) from None
    except InspectionFailed as failure:
        raise FileDamaged(
            f"{failure} It is not taken: try again, and if that does not help, save it anew or smaller."
        ) from None
    except WorkshopUnavailable:
        raise ScannerDown from None
    async with services.db.transaction() as tx:
        if await queries.known_bad(tx, bytes.fromhex(arrived.sha256)):
            raise FileInfected
    return inspection


def from_spool(services: Services, arrived: Bytes) -> Put:
    """Puts what is in the spool."""
    bucket = services.settings.s3_quarantine_bucket

    async def put(version_id: UUID) -> None:
        await services.store.put_file(bucket, quarantine_key(version_id), arrived.path, "application/octet-stream")

    return put
