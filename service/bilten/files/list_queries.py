"""How files are found: one, or a page of a list, each as its owner sees it. All of it is asyncpg, on indexes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import Principal
from bilten.db.database import Database
from bilten.db.paging import Branch, Listing, Sort, Window, page_of_ids
from bilten.db.statement import Arguments
from bilten.db.text_search import containing_all
from bilten.files.filters import FilesQuery

Row = asyncpg.Record | RowMapping

_SOURCE = "files f"

#: What a file shows; `JOINS` bring it to any select that calls its files `f`.
COLUMNS = """
f.id, f.owner_id, f.name, f.folder, f.tags, f.alt_text, f.visibility, f.place, f.retention, f.link_epoch, f.version,
f.status, f.media_type, f.size_bytes, f.created_at, f.updated_at,
v.id as version_id, v.sha256, v.reason, v.engine, v.signatures, v.scanned_at, v.served_key, v.served_type,
v.served_size, v.width, v.height, v.placeholder, v.mean_color, shown.variants
"""
JOINS = """
join file_versions v on v.file_id = f.id and v.number = f.version
cross join lateral (
  select
    coalesce(
      json_agg(
        json_build_object(
          'name', r.name, 'media_type', r.media_type, 'width', r.width, 'height', r.height,
          'size_bytes', r.size_bytes, 'key', r.key
        )
        order by r.width, r.name, r.media_type desc
      ),
      '[]'
    )::text as variants
  from file_variants r where r.version_id = v.id
) shown
"""

_ONE = f"select {COLUMNS} from {_SOURCE} {JOINS} where "  # noqa: S608 no input
ONE_BY_ID = _ONE + "f.id = $1"
#: What a key of the media bucket belongs to, if anything that may be served.
SERVED_BY_KEY = """
select f.id, f.owner_id, f.name, f.visibility, f.place, v.sha256, v.created_at, v.served_type as media_type,
       v.served_size as size_bytes, v.served_key as key
from file_versions v join files f on f.id = v.file_id and f.version = v.number
where v.served_key = $1 and v.status = 'clean'
union all
select f.id, f.owner_id, f.name, f.visibility, f.place, v.sha256, v.created_at, r.media_type, r.size_bytes, r.key
from file_variants r join file_versions v on v.id = r.version_id
join files f on f.id = v.file_id and f.version = v.number
where r.key = $1 and v.status = 'clean'
limit 1
"""


async def one(db: Database, file_id: UUID) -> asyncpg.Record | None:
    """The file with this id, whoever asks."""
    return await db.fetchrow(ONE_BY_ID, file_id)


async def shown(tx: AsyncConnection, file_id: UUID) -> RowMapping:
    """The file with the columns of a read, as this transaction has left it."""
    return (await tx.exec_driver_sql(ONE_BY_ID, (file_id,))).mappings().one()


async def served(db: Database, key: str) -> asyncpg.Record | None:
    """The file that shows these bytes; None when they are nobody's, or not clean."""
    return await db.fetchrow(SERVED_BY_KEY, key)


def listing(query: FilesQuery, viewer: Principal) -> Listing:
    """The files that match and that the viewer may list: one's own, or for an admin all."""
    arguments = Arguments()
    conditions = []
    owner = query.owner if viewer.role == "admin" else viewer.user_id
    if viewer.role != "admin" and query.owner not in (None, viewer.user_id):
        return Listing([], [], [], walk="f.created_at")
    if owner is not None:
        conditions.append(f"f.owner_id = {arguments.add(owner)}")
    return Listing(
        [Branch(_SOURCE, " and ".join(conditions) or "true")],
        _filters(query, arguments),
        arguments.values,
        walk="f.created_at",
    )


def _filters(query: FilesQuery, arguments: Arguments) -> list[str]:
    filters = [
        f"f.{column} = {arguments.add(value)}"
        for column, value in (("folder", query.folder), ("visibility", query.visibility), ("status", query.status))
        if value is not None
    ]
    if text := (query.search or "").strip():
        filters += containing_all("f.search_text", text, arguments)
    if query.type is not None:
        filters.append(_type(query.type, arguments))
    if query.tag is not None:
        filters.append(f"f.tags @> array[{arguments.add(query.tag)}]::text[]")
    if query.min_size is not None:
        filters.append(f"f.size_bytes >= {arguments.add(query.min_size)}")
    if query.max_size is not None:
        filters.append(f"f.size_bytes <= {arguments.add(query.max_size)}")
    if query.since is not None:
        filters.append(f"f.created_at >= {arguments.add(datetime.combine(query.since, time(), UTC))}")
    if query.until is not None and query.until < date.max:
        end = datetime.combine(query.until, time(), UTC) + timedelta(days=1)
        filters.append(f"f.created_at < {arguments.add(end)}")
    return filters


def _type(wanted: str, arguments: Arguments) -> str:
    kind, _, subtype = wanted.partition("/")
    if subtype != "*":
        return f"f.media_type = {arguments.add(wanted)}"
    # Not `like`: in most collations an index answers a prefix only as a range, from the slash to the sign after it.
    return f"f.media_type >= {arguments.add(f'{kind}/')} and f.media_type < {arguments.add(f'{kind}0')}"


def page_statement(listed: Listing, sort: Sort, window: Window) -> tuple[str, list[object]]:
    """The SQL of a page of full rows and its values; one row more than the window's limit shows that there are more."""
    arguments = Arguments(listed.values)
    page = page_of_ids(listed, sort, window, arguments)
    order = f"order by page.page_value {sort.direction}, page.page_id {sort.direction}"
    statement = (
        f"select {COLUMNS}, page.page_id, page.page_value "  # noqa: S608 no part is input
        f"from ({page}) as page join files f on f.id = page.page_id {JOINS} {order}"
    )
    return statement, arguments.values


async def page(db: Database, listed: Listing, sort: Sort, window: Window) -> Sequence[asyncpg.Record]:
    """The rows of a page, and one more when there are more."""
    if not listed.branches:
        return []
    statement, values = page_statement(listed, sort, window)
    return await db.fetch(statement, *values)
