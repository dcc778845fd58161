"""Which files new signatures have yet to see."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, exists, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_verdicts, file_versions
from bilten.jobs.tables import jobs

#: The time and the id of a version: where a walk from the newest to the oldest has come to.
Place = tuple[datetime, UUID]


async def page(
    tx: AsyncConnection, engine: str, signatures: str, *, before: Place | None, at_most: int
) -> Sequence[Row[tuple[UUID, datetime, bool]]]:
    """The next clean versions, the newest first, and whether nobody has looked at them with these signatures.

    The last verdict may be of others again: while some workers have new signatures and others have not, each of them
    looks at a version once.
    """
    versions = file_versions.c
    other = or_(versions.engine != engine, versions.signatures != signatures)
    known = exists().where(
        file_verdicts.c.sha256 == versions.sha256,
        file_verdicts.c.engine == engine,
        file_verdicts.c.signatures == signatures,
    )
    statement = select(versions.id, versions.created_at, (other & ~known).label("due"))
    statement = statement.where(versions.status == "clean")
    if before is not None:
        statement = statement.where(
            tuple_(versions.created_at, versions.id) < tuple_(literal(before[0]), literal(before[1]))
        )
    newest = statement.order_by(versions.created_at.desc(), versions.id.desc())
    return (await tx.execute(newest.limit(at_most))).all()


async def clean(tx: AsyncConnection) -> int:
    """How many clean versions there are."""
    counted = select(func.count()).where(file_versions.c.status == "clean")
    count: int = (await tx.execute(counted)).scalar_one()
    return count


async def waiting(tx: AsyncConnection, kind: str) -> tuple[int, int]:
    """How many of these jobs are open, and how many of them have not failed yet."""
    opened = (jobs.c.kind == kind) & jobs.c.finished_at.is_(None) & jobs.c.dead_at.is_(None)
    counted = select(func.count(), func.count().filter(jobs.c.last_error.is_(None))).where(opened)
    every, untried = (await tx.execute(counted)).one()
    return every, untried
