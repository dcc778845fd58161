"""What an owner may store: bytes used, and bytes reserved by uploads that are under way.

One conditional UPDATE decides, so that uploads side by side cannot be more together than each of them may be. A
reservation whose upload vanished ends by itself.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_quotas, quota_reservations

_EXPIRED = text("""
    delete from quota_reservations where id = any(array(
        select id from quota_reservations where expires_at < now() order by expires_at limit :batch
        for update skip locked
    )) returning owner_id, size_bytes
""")


async def reserve(
    tx: AsyncConnection, owner_id: UUID, reservation: UUID, size_bytes: int, *, limit: int | None, for_s: float
) -> bool:
    """Hold so many bytes of an owner's quota for so many seconds; False when it has not that many left.

    Without a limit they are held in any case.
    """
    await tx.execute(insert(file_quotas).values(owner_id=owner_id).on_conflict_do_nothing())
    if not await _move(tx, owner_id, reserved=size_bytes, limit=limit):
        return False
    ends = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, for_s)
    held = {"id": reservation, "owner_id": owner_id, "size_bytes": size_bytes, "expires_at": ends}
    await tx.execute(insert(quota_reservations).values(held))
    return True


async def settle(tx: AsyncConnection, owner_id: UUID, reservation: UUID, size_bytes: int, *, limit: int) -> bool:
    """Make what was reserved used, as `size_bytes`; False when the reservation ended and there is no room any more."""
    held = await _end(tx, reservation)
    return await _move(tx, owner_id, used=size_bytes, reserved=-held, limit=limit)


async def hold_until(tx: AsyncConnection, reservation: UUID, at: datetime) -> None:
    """Let a reservation end by itself at that time."""
    held = update(quota_reservations).where(quota_reservations.c.id == reservation)
    await tx.execute(held.values(expires_at=at))


async def release(tx: AsyncConnection, owner_id: UUID, reservation: UUID) -> None:
    """Give back what was reserved. Again, or when it has ended, does nothing."""
    if held := await _end(tx, reservation):
        await _move(tx, owner_id, reserved=-held)


async def give_back(tx: AsyncConnection, owner_id: UUID, size_bytes: int) -> None:
    """Bytes that were used are no more."""
    await _move(tx, owner_id, used=-size_bytes)


async def expire(tx: AsyncConnection, *, batch: int) -> int:
    """Give back what uploads that vanished had reserved; how many there were."""
    ended: Sequence[RowMapping] = (await tx.execute(_EXPIRED, {"batch": batch})).mappings().all()
    # In one order, whatever else is given back at the same time.
    for row in sorted(ended, key=lambda row: row["owner_id"]):
        await _move(tx, row["owner_id"], reserved=-row["size_bytes"])
    return len(ended)


async def tell(tx: AsyncConnection, owner_id: UUID, *, pause_s: float) -> bool:
    """Note that an owner is told something now; False, and nothing noted, when they were within so many seconds."""
    pause = func.make_interval(0, 0, 0, 0, 0, 0, pause_s)
    told = update(file_quotas).where(
        file_quotas.c.owner_id == owner_id,
        or_(file_quotas.c.told_at.is_(None), file_quotas.c.told_at <= func.now() - pause),
    )
    return bool((await tx.execute(told.values(told_at=func.now()))).rowcount)


async def usage(tx: AsyncConnection, owner_id: UUID) -> tuple[int, int]:
    """Bytes used and bytes reserved."""
    columns = select(file_quotas.c.used_bytes, file_quotas.c.reserved_bytes)
    row = (await tx.execute(columns.where(file_quotas.c.owner_id == owner_id))).one_or_none()
    return (row.used_bytes, row.reserved_bytes) if row else (0, 0)


async def _end(tx: AsyncConnection, reservation: UUID) -> int:
    ended = quota_reservations.delete().where(quota_reservations.c.id == reservation)
    held: int | None = await tx.scalar(ended.returning(quota_reservations.c.size_bytes))
    return held or 0


async def _move(
    tx: AsyncConnection, owner_id: UUID, *, used: int = 0, reserved: int = 0, limit: int | None = None
) -> bool:
    """Add to both numbers; not when more than `limit` would be used and reserved then."""
    total_used, total_reserved = file_quotas.c.used_bytes + used, file_quotas.c.reserved_bytes + reserved
    change = update(file_quotas).where(file_quotas.c.owner_id == owner_id)
    if limit is not None:
        change = change.where(total_used + total_reserved <= limit)
    return bool((await tx.execute(change.values(used_bytes=total_used, reserved_bytes=total_reserved))).rowcount)
