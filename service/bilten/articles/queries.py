"""How articles are read and written. Reads are on asyncpg, in SQL that indexes answer; writes are one statement a
function, inside a transaction of `actions`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.articles.tables import articles
from bilten.db.database import Database
from bilten.db.paging import Branch, Listing, Sort, Window, page_of_ids
from bilten.db.statement import Arguments
from bilten.db.text_search import containing_all
from bilten.web.references import Reference

#: What a slug is made of; anything else names no article.
SLUG = re.compile(r"[a-z0-9-]{1,200}")

Row = asyncpg.Record | RowMapping

MAX_RELATED = 3

_SOURCE = "articles a"
_LISTED = "a.deleted_at is null"

COLUMNS = """
a.id, a.slug, a.title, a.excerpt, a.content, a.category, a.author, a.published_at, a.featured_image_url, a.view_count,
a.read_time, a.tags, a.created_at, a.updated_at
"""

_ONE = f"select {COLUMNS} from {_SOURCE} where {_LISTED} and "  # noqa: S608 no input
ONE_BY_ID = _ONE + "a.id = $1"
ONE_BY_LEGACY_ID = _ONE + "a.legacy_id = $1"
ONE_BY_SLUG = _ONE + "a.slug = $1"

RELATED = (
    f"select {COLUMNS} from {_SOURCE} where {_LISTED} and lower(a.category) = lower($1) and a.id <> $2 "  # noqa: S608 no input
    f"order by a.published_at desc, a.id desc limit {MAX_RELATED}"
)

CATEGORIES = """
select lower(category) as id, min(category) as name, count(*) as count from articles
where deleted_at is null group by lower(category) order by count desc, id
"""

_SORTS = {
    "published_at": Sort("published_at", "a.published_at", "time", key="a.id"),
    "title": Sort("title", "lower(a.title)", "text", key="a.id"),
}


def order(by: str | None, direction: str | None) -> Sort:
    """The newest first, unless asked for another order this list has."""
    sort = _SORTS.get((by or "").lower(), _SORTS["published_at"])
    descending = (direction or "").lower() != "asc"
    return Sort(sort.name, sort.column, sort.kind, descending=descending, key=sort.key)


def listing(*, category: str | None = None, text: str | None = None) -> Listing:
    """The articles of a category that contain every word of `text` in title or excerpt."""
    arguments = Arguments()
    filters = [f"lower(a.category) = lower({arguments.add(category)})"] if category else []
    if text:
        filters += containing_all("a.search_text", text, arguments)
    return Listing([Branch(_SOURCE, _LISTED)], filters, arguments.values, walk="a.published_at")


def page_statement(listed: Listing, sort: Sort, window: Window) -> tuple[str, list[object]]:
    """The SQL of a page of full rows and its values; one row more than the window's limit shows that there are more."""
    arguments = Arguments(listed.values)
    page = page_of_ids(listed, sort, window, arguments)
    statement = (
        f"select {COLUMNS}, page.page_id, page.page_value from ({page}) as page "  # noqa: S608 no part is input
        f"join articles a on a.id = page.page_id "
        f"order by page.page_value {sort.direction}, page.page_id {sort.direction}"
    )
    return statement, arguments.values


async def page(db: Database, listed: Listing, sort: Sort, window: Window) -> Sequence[asyncpg.Record]:
    """The rows of a page, and one more when there are more."""
    statement, values = page_statement(listed, sort, window)
    return await db.fetch(statement, *values)


async def one(db: Database, reference: Reference | None, slug: str) -> asyncpg.Record | None:
    """The article with this id, or else with this slug: one made of a year's number looks like an id."""
    found = None
    if reference is not None:
        found = await db.fetchrow(ONE_BY_ID if isinstance(reference, UUID) else ONE_BY_LEGACY_ID, reference)
    return found or (await db.fetchrow(ONE_BY_SLUG, slug) if SLUG.fullmatch(slug) else None)


async def related(db: Database, article: Row) -> list[asyncpg.Record]:
    """The newest others of the same category."""
    return await db.fetch(RELATED, article["category"], article["id"])


async def categories(db: Database) -> list[asyncpg.Record]:
    """Every category with the number of its articles, the largest first."""
    return await db.fetch(CATEGORIES)


async def lock(tx: AsyncConnection, reference: Reference | None, slug: str) -> RowMapping | None:
    """The stored article, locked until the transaction ends; None when there is none."""
    names = [articles.c.slug == slug] if SLUG.fullmatch(slug) else []
    if reference is not None:
        names.insert(0, (articles.c.id if isinstance(reference, UUID) else articles.c.legacy_id) == reference)
    for name in names:
        statement = select(articles).where(name, articles.c.deleted_at.is_(None)).with_for_update()
        if found := (await tx.execute(statement)).mappings().one_or_none():
            return found
    return None


async def shown(tx: AsyncConnection, article_id: UUID) -> RowMapping:
    """The article with the columns of a read, as this transaction has left it."""
    return (await tx.exec_driver_sql(ONE_BY_ID, (article_id,))).mappings().one()


async def slugs_like(tx: AsyncConnection, base: str) -> set[str]:
    """The slugs in use that are `base` or `base` and a suffix; those of deleted articles too, whose links are known."""
    statement = select(articles.c.slug).where((articles.c.slug == base) | articles.c.slug.startswith(f"{base}-"))
    return set((await tx.scalars(statement)).all())


async def add(tx: AsyncConnection, values: Mapping[str, Any]) -> UUID:
    """A new article."""
    article_id: UUID = await tx.scalar(insert(articles).values(**values).returning(articles.c.id))
    return article_id


async def change(tx: AsyncConnection, article_id: UUID, values: Mapping[str, Any]) -> None:
    """Set these columns."""
    await tx.execute(update(articles).where(articles.c.id == article_id).values(**values))


async def remove(tx: AsyncConnection, article_id: UUID) -> None:
    """Hide the article from everyone."""
    await change(tx, article_id, {"deleted_at": func.now()})


async def name_of(tx: AsyncConnection, user_id: UUID) -> str:
    """The name an account signs with."""
    row = (await tx.execute(select(users.c.first_name, users.c.last_name).where(users.c.id == user_id))).one()
    return f"{row.first_name} {row.last_name}".strip()
