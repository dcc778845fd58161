"""Which files new signatures have yet to see."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.files.tables import file_verdicts, file_versions
from bilten.jobs.tables import jobs


async def outdated(tx: AsyncConnection, engine: str, signatures: str, *, at_most: int) -> Sequence[UUID]:
    """Clean versions that nobody has looked at with these signatures of this engine; the newest first.

    The last verdict may be of others again: while some workers have new signatures and others have not, each of them
    looks at a version once. Along the index of clean versions: while a sweep is under way those already seen are the newest, and are passed
    over; there are never more of them than have been uploaded and looked at since the signatures came.
    """
    other = or_(file_versions.c.engine != engine, file_versions.c.signatures != signatures)
    known = exists().where(
        file_verdicts.c.sha256 == file_versions.c.sha256,
        file_verdicts.c.engine == engine,
        file_verdicts.c.signatures == signatures,
    )
    statement = select(file_versions.c.id).where(file_versions.c.status == "clean", other, ~known)
    newest = statement.order_by(file_versions.c.created_at.desc(), file_versions.c.id.desc())
    return (await tx.scalars(newest.limit(at_most))).all()


async def waiting(tx: AsyncConnection, kind: str) -> int:
    """How many of these jobs are open."""
    opened = (jobs.c.kind == kind) & jobs.c.finished_at.is_(None) & jobs.c.dead_at.is_(None)
    count: int = (await tx.execute(select(func.count()).where(opened))).scalar_one()
    return count
