"""How articles are written: one statement a function, inside a transaction of `actions`."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.articles.queries import ONE_BY_ID, SLUG
from bilten.articles.tables import articles
from bilten.web.references import Reference


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
