"""Which files new signatures have yet to see."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_versions
from bilten.jobs.tables import jobs


async def outdated(tx: AsyncConnection, engine: str, signatures: str, *, at_most: int) -> Sequence[UUID]:
    """Clean versions whose last verdict is of other signatures, or of another engine; the newest first.

    Along the index of clean versions: while a sweep is under way those already seen are the newest, and are passed
    over; there are never more of them than have been uploaded and looked at since the signatures came.
    """
    other = or_(file_versions.c.engine != engine, file_versions.c.signatures != signatures)
    statement = select(file_versions.c.id).where(file_versions.c.status == "clean", other)
    newest = statement.order_by(file_versions.c.created_at.desc(), file_versions.c.id.desc())
    return (await tx.scalars(newest.limit(at_most))).all()


async def waiting(tx: AsyncConnection, kind: str) -> int:
    """How many of these jobs are open."""
    opened = (jobs.c.kind == kind) & jobs.c.finished_at.is_(None) & jobs.c.dead_at.is_(None)
    count: int = (await tx.execute(select(func.count()).where(opened))).scalar_one()
    return count
