"""How direct uploads are written down until their bytes have come."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_uploads


async def add(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    """A new upload."""
    await tx.execute(insert(file_uploads).values(**values))


async def one(tx: AsyncConnection, upload_id: UUID) -> RowMapping | None:
    """An upload; None when there is none, or not any more."""
    return await _read(tx, upload_id, lock=False)


async def lock(tx: AsyncConnection, upload_id: UUID) -> RowMapping | None:
    """An upload, locked until the transaction ends."""
    return await _read(tx, upload_id, lock=True)


async def _read(tx: AsyncConnection, upload_id: UUID, *, lock: bool) -> RowMapping | None:
    statement = select(file_uploads).where(file_uploads.c.id == upload_id)
    return (await tx.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()


async def finish(tx: AsyncConnection, upload_id: UUID, file_id: UUID) -> None:
    """The upload has become a file."""
    await tx.execute(update(file_uploads).where(file_uploads.c.id == upload_id).values(file_id=file_id))


async def remove(tx: AsyncConnection, upload_id: UUID) -> None:
    """The upload has become nothing."""
    await tx.execute(delete(file_uploads).where(file_uploads.c.id == upload_id))
