"""How files are written: one statement a function, inside a transaction of `intake`, `actions` or a job.

Locks are taken in one order everywhere: what shows the file, the file, its versions, its owner's quota; of several
files, all files first, in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_variants, file_verdicts, file_versions, files

#: Versions whose bytes are kept, and counted.
COUNTED = ("pending", "scanning", "clean")
OPEN = ("pending", "scanning")


async def add(tx: AsyncConnection, values: Mapping[str, Any]) -> UUID:
    """A new file, without its version."""
    file_id: UUID = await tx.scalar(insert(files).values(**values).returning(files.c.id))
    return file_id


async def add_version(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    """A new version."""
    await tx.execute(insert(file_versions).values(**values))


async def lock(tx: AsyncConnection, file_id: UUID) -> RowMapping | None:
    """The stored file, locked until the transaction ends; None when there is none."""
    statement = select(files).where(files.c.id == file_id).with_for_update()
    return (await tx.execute(statement)).mappings().one_or_none()


async def lock_all(tx: AsyncConnection, file_ids: Sequence[UUID]) -> None:
    """Lock those of these files that are there."""
    await tx.execute(select(files.c.id).where(files.c.id.in_(file_ids)).order_by(files.c.id).with_for_update())


async def last_number(tx: AsyncConnection, file_id: UUID) -> int:
    """The number of the newest version of a file."""
    number: int = (
        await tx.execute(select(func.max(file_versions.c.number)).where(file_versions.c.file_id == file_id))
    ).scalar_one()
    return number


async def version(tx: AsyncConnection, version_id: UUID) -> RowMapping | None:
    """A version, with the name and owner of its file."""
    statement = select(file_versions, files.c.owner_id, files.c.name, files.c.version.label("current"))
    found = statement.join(files, files.c.id == file_versions.c.file_id).where(file_versions.c.id == version_id)
    return (await tx.execute(found)).mappings().one_or_none()


async def versions(tx: AsyncConnection, file_id: UUID) -> Sequence[RowMapping]:
    """All versions of a file, the newest first."""
    statement = select(file_versions).where(file_versions.c.file_id == file_id)
    return (await tx.execute(statement.order_by(file_versions.c.number.desc()))).mappings().all()


async def waiting(tx: AsyncConnection, owner_id: UUID) -> int:
    """How many versions of an owner's files have no verdict yet."""
    open_ones = select(func.count()).select_from(file_versions).join(files, files.c.id == file_versions.c.file_id)
    owned = open_ones.where(files.c.owner_id == owner_id, file_versions.c.status.in_(OPEN))
    count: int = (await tx.execute(owned)).scalar_one()
    return count


async def variant_keys(tx: AsyncConnection, file_id: UUID) -> Sequence[str]:
    """The keys of all variants of all versions of a file."""
    statement = select(file_variants.c.key).join(file_versions, file_versions.c.id == file_variants.c.version_id)
    return (await tx.scalars(statement.where(file_versions.c.file_id == file_id))).all()


async def change(tx: AsyncConnection, file_id: UUID, values: Mapping[str, Any]) -> None:
    """Set these columns of a file."""
    await tx.execute(update(files).where(files.c.id == file_id).values(**values))


async def end_version(tx: AsyncConnection, version_id: UUID, values: Mapping[str, Any]) -> bool:
    """Set these columns of a version that has no end yet; False when it has one, or is gone."""
    end = update(file_versions).where(file_versions.c.id == version_id, file_versions.c.status.in_(OPEN))
    return bool((await tx.execute(end.values(**values))).rowcount)


async def start_scan(tx: AsyncConnection, version_id: UUID) -> bool:
    """A worker has begun to look at it; False when it has its end already, or is gone."""
    file_id = await tx.scalar(select(file_versions.c.file_id).where(file_versions.c.id == version_id))
    file = await lock(tx, file_id) if file_id else None
    begun = update(file_versions).where(file_versions.c.id == version_id, file_versions.c.status.in_(OPEN))
    if file is None or not (await tx.execute(begun.values(status="scanning"))).rowcount:
        return False
    if file["status"] == "pending":
        await change(tx, file["id"], {"status": "scanning"})
    return True


async def change_clean(tx: AsyncConnection, version_id: UUID, values: Mapping[str, Any]) -> bool:
    """Set these columns of a clean version; False when it is none any more."""
    clean = update(file_versions).where(file_versions.c.id == version_id, file_versions.c.status == "clean")
    return bool((await tx.execute(clean.values(**values))).rowcount)


async def keys_of_version(tx: AsyncConnection, version_id: UUID) -> Sequence[str]:
    """The keys of a version's variants."""
    return (await tx.scalars(select(file_variants.c.key).where(file_variants.c.version_id == version_id))).all()


async def add_variants(tx: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What was made of a picture."""
    await tx.execute(insert(file_variants), [dict(row) for row in rows])


async def remove_variants(tx: AsyncConnection, version_id: UUID) -> Sequence[str]:
    """Forget the variants of a version; their keys."""
    removed = delete(file_variants).where(file_variants.c.version_id == version_id)
    return (await tx.scalars(removed.returning(file_variants.c.key))).all()


async def remove(tx: AsyncConnection, file_id: UUID) -> None:
    """The file with its versions, variants and references."""
    await tx.execute(delete(files).where(files.c.id == file_id))


async def add_verdict(tx: AsyncConnection, values: Mapping[str, Any]) -> None:
    """What a scanner said of some bytes."""
    await tx.execute(insert(file_verdicts).values(**values))


async def known_bad(tx: AsyncConnection, sha256: bytes) -> bool:
    """Whether the last word on these bytes, whoever sent them, was that they are infected."""
    last = select(file_verdicts.c.word).where(file_verdicts.c.sha256 == sha256)
    return await tx.scalar(last.order_by(file_verdicts.c.at.desc()).limit(1)) == "infected"
