"""What the sweep asks the database."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.db.database import Database

#: When something was made, and its id: where a search that goes by age has come to.
Place = tuple[datetime, UUID]
START: Place = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))

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
    select v.id, v.created_at from file_versions v
    where v.status in ('pending', 'scanning') and v.created_at < now() - cast(:age as interval)
      and (v.created_at, v.id) > (cast(:at as timestamptz), cast(:id as uuid))
      and not exists (
        select from jobs where dedupe_key = :kind || ' ' || v.id and finished_at is null and dead_at is null
      )
    order by v.created_at, v.id limit :most
""")
_UNSHOWN = text("""
    select f.id, f.created_at from files f
    where f.retention = 'referenced' and f.created_at < now() - cast(:age as interval)
      and (f.created_at, f.id) > (cast(:at as timestamptz), cast(:id as uuid))
      and not exists (select from file_references r where r.file_id = f.id)
    order by f.created_at, f.id limit :most
""")
# A direct upload has reserved its quota under its own id.
_RESERVATIONS = text("""
    select count(*) from quota_reservations r where r.expires_at < now()
      and not exists (select from file_uploads u where u.id = r.id)
""")
_UPLOADS = text("select count(*) from file_uploads where expires_at < now() and file_id is null")
_END_UPLOADS = text("""
    with ended as (delete from file_uploads where expires_at < now() returning file_id)
    select count(*) filter (where file_id is null) from ended
""")
_CLEAN = """
select v.id, v.served_key, v.scanned_at,
  array(select i.key from file_variants i where i.version_id = v.id) as variant_keys
from file_versions v
where v.status = 'clean' and v.id > $1 order by v.id limit $2
"""
_IS_CLEAN = "select exists (select from file_versions where id = $1 and status = 'clean')"
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


async def stuck(
    tx: AsyncConnection, kind: str, *, older_than: timedelta, after: Place, at_most: int
) -> Sequence[Place]:
    """Versions that wait for a verdict, and no open job will give them one; the oldest first."""
    values = {"kind": kind, "age": older_than, "at": after[0], "id": after[1], "most": at_most}
    return _places(await tx.execute(_STUCK, values))


async def unshown(tx: AsyncConnection, *, older_than: timedelta, after: Place, at_most: int) -> Sequence[Place]:
    """Files that go when nothing shows them, and that nothing shows; the oldest first."""
    values = {"age": older_than, "at": after[0], "id": after[1], "most": at_most}
    return _places(await tx.execute(_UNSHOWN, values))


def _places(rows: Iterable[Any]) -> Sequence[Place]:
    return [(row.created_at, row.id) for row in rows]


async def abandoned_reservations(tx: AsyncConnection) -> int:
    """Reservations whose time is over, but for those of direct uploads."""
    count: int = (await tx.execute(_RESERVATIONS)).scalar_one()
    return count


async def abandoned_uploads(tx: AsyncConnection) -> int:
    """Direct uploads whose time is over, and that became nothing."""
    count: int = (await tx.execute(_UPLOADS)).scalar_one()
    return count


async def end_uploads(tx: AsyncConnection) -> int:
    """Forget direct uploads whose time is over; how many of them became nothing."""
    count: int = (await tx.execute(_END_UPLOADS)).scalar_one()
    return count


async def clean_versions(db: Database, *, after: UUID, at_most: int) -> list[asyncpg.Record]:
    """Clean versions in the order of their ids, with the keys of what is shown of each."""
    return await db.fetch(_CLEAN, after, at_most)


async def is_clean(db: Database, version_id: UUID) -> bool:
    """Whether a version is still there, and clean."""
    found: bool = await db.fetchval(_IS_CLEAN, version_id)
    return found
