"""What the sweep asks the database."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.db.database import Database

# Keys are `<version>` and `uploads/<upload>` in quarantine; hex, because that is how keys are made.
_QUARANTINE = """
select replace(v.id::text, '-', '') as key from file_versions v
where v.id = any($1::uuid[]) and v.status in ('pending', 'scanning')
union all
select 'uploads/' || replace(u.id::text, '-', '') from file_uploads u
where u.id = any($1::uuid[]) and u.file_id is null and u.expires_at > now()
"""
_MEDIA = """
select served_key as key from file_versions where served_key = any($1)
union
select key from file_variants where key = any($1)
union
select 'originals/' || replace(v.id::text, '-', '') from file_versions v
where v.id = any($2::uuid[]) and v.status = 'clean'
"""
_OPEN = "select id from file_versions where id = any($1::uuid[]) and status in ('pending', 'scanning')"
_STUCK = text("""
    select v.id from file_versions v
    where v.status in ('pending', 'scanning') and v.created_at < now() - cast(:age as interval)
      and not exists (
        select from jobs where dedupe_key = :kind || ' ' || v.id and finished_at is null and dead_at is null
      )
    order by v.created_at limit :most
""")
_UNSHOWN = text("""
    select f.id from files f
    where f.retention = 'referenced' and f.created_at < now() - cast(:age as interval)
      and not exists (select from file_references r where r.file_id = f.id)
    order by f.created_at limit :most
""")
_ABANDONED = text("""
    select (select count(*) from quota_reservations where expires_at < now())
         + (select count(*) from file_uploads where expires_at < now() and file_id is null)
""")
_END_UPLOADS = text("delete from file_uploads where expires_at < now()")
_CLEAN = """
select id, served_key, scanned_at from file_versions
where status = 'clean' and ($1::uuid is null or id > $1) order by id limit $2
"""
# Along the index of the times at which jobs were done.
_ENDED_LATELY = text("""
    select exists (select from jobs where finished_at > now() - cast(:within as interval) and kind = :kind)
""")


def _id(key: str) -> UUID | None:
    """The id in a key; None in one of another shape, which names nothing of ours."""
    try:
        return UUID(hex=key.rpartition("/")[2][:32])
    except ValueError:
        return None


def _ids(keys: Sequence[str]) -> list[UUID]:
    return [found for found in map(_id, keys) if found is not None]


async def known_in_quarantine(db: Database, keys: Sequence[str]) -> set[str]:
    """Those of these keys under which bytes wait."""
    return {row["key"] for row in await db.fetch(_QUARANTINE, _ids(keys))}


async def known_in_media(db: Database, keys: Sequence[str]) -> set[str]:
    """Those of these keys under which bytes are that a clean version shows, or was made of.

    And all of versions that have no end yet: a scan that failed half-way finds them there when it is tried again,
    however old they are by then.
    """
    ids = _ids(keys)
    # First, as a version that becomes clean in between is among those asked for next.
    unended = {row["id"] for row in await db.fetch(_OPEN, ids)}
    shown = {row["key"] for row in await db.fetch(_MEDIA, list(keys), ids)}
    return shown.union(key for key in keys if _id(key) in unended)


async def ended_lately(tx: AsyncConnection, kind: str, *, within: timedelta) -> bool:
    """Whether a job of this kind was done so lately."""
    found: bool = (await tx.execute(_ENDED_LATELY, {"kind": kind, "within": within})).scalar_one()
    return found


async def stuck(tx: AsyncConnection, kind: str, *, older_than: timedelta, at_most: int) -> Sequence[UUID]:
    """Versions that wait for a verdict, and no open job will give them one."""
    values = {"kind": kind, "age": older_than, "most": at_most}
    return (await tx.scalars(_STUCK, values)).all()


async def unshown(tx: AsyncConnection, *, older_than: timedelta, at_most: int) -> Sequence[UUID]:
    """Files that go when nothing shows them, and that nothing shows."""
    return (await tx.scalars(_UNSHOWN, {"age": older_than, "most": at_most})).all()


async def count_abandoned(tx: AsyncConnection) -> int:
    """Reservations and direct uploads whose time is over."""
    count: int = (await tx.execute(_ABANDONED)).scalar_one()
    return count


async def end_uploads(tx: AsyncConnection) -> int:
    """Forget direct uploads whose time is over; how many were never completed, or were long ago."""
    return (await tx.execute(_END_UPLOADS)).rowcount


async def clean_versions(db: Database, *, after: UUID | None, at_most: int) -> list[asyncpg.Record]:
    """Clean versions in the order of their ids."""
    return await db.fetch(_CLEAN, after, at_most)
