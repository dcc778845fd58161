"""What files are used for: the rows that say so, and the addresses that pages read, kept together."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import RowMapping, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.articles.tables import articles
from bilten.events.tables import events
from bilten.files.list_queries import SERVED_BY_KEY
from bilten.files.tables import file_references, files

Purpose = Literal["profile", "cover", "article"]


async def refer(tx: AsyncConnection, file_id: UUID, purpose: Purpose, **to: UUID) -> None:
    """Note that a user, an event or an article (`user_id`, `event_id`, `article_id`) shows a file."""
    noted = insert(file_references).values(file_id=file_id, purpose=purpose, **to)
    await tx.execute(noted.on_conflict_do_nothing())


async def replace(tx: AsyncConnection, file_id: UUID | None, purpose: Purpose, **to: UUID) -> Sequence[UUID]:
    """Let this file be the only one of its purpose there; the files that were so before."""
    ((column, owner),) = to.items()
    others = (file_references.c[column] == owner) & (file_references.c.purpose == purpose)
    if file_id is not None:
        others &= file_references.c.file_id != file_id
    dropped = (await tx.scalars(delete(file_references).where(others).returning(file_references.c.file_id))).all()
    if file_id is not None:
        await refer(tx, file_id, purpose, **to)
    return dropped


async def public_file(tx: AsyncConnection, key: str) -> RowMapping | None:
    """The id and owner of the file whose current version shows these bytes to all, which stays until this ends."""
    row = (await tx.exec_driver_sql(SERVED_BY_KEY, (key,))).mappings().one_or_none()
    return row if row is not None and await keep(tx, row["id"]) else None


async def keep(tx: AsyncConnection, file_id: UUID) -> bool:
    """Let the file stay until the transaction ends; False when it is gone, or is not to be shown to all any more."""
    shown = (files.c.id == file_id) & (files.c.status == "clean") & (files.c.visibility == "public")
    locked = select(files.c.id).where(shown).with_for_update(read=True, key_share=True)
    return await tx.scalar(locked) is not None


async def lock_pages(tx: AsyncConnection, file_ids: Sequence[UUID]) -> None:
    """Lock what shows these files: who writes to that locks it before the file that it shows."""
    of_files = file_references.c.file_id.in_(file_ids)
    for table, column in (
        (users, file_references.c.user_id),
        (events, file_references.c.event_id),
        (articles, file_references.c.article_id),
    ):
        shown = select(column).where(of_files, column.is_not(None))
        rows = select(table.c.id).where(table.c.id.in_(shown)).order_by(table.c.id)
        await tx.execute(rows.with_for_update(key_share=True))


async def unreferenced(tx: AsyncConnection, file_ids: Sequence[UUID]) -> Sequence[UUID]:
    """Those of these files that nothing refers to, and that are not to stay without."""
    used = exists().where(file_references.c.file_id == files.c.id)
    statement = select(files.c.id).where(files.c.id.in_(file_ids), files.c.retention == "referenced", ~used)
    return (await tx.scalars(statement)).all()


async def show_profile(tx: AsyncConnection, user_id: UUID, url: str) -> None:
    """The picture of an account."""
    await tx.execute(update(users).where(users.c.id == user_id).values(profile_image_url=url))


async def forget(tx: AsyncConnection, file_id: UUID, urls: Sequence[str]) -> None:
    """Nothing shows these addresses of a file any more. Its references are still there."""
    of_file = select(file_references).where(file_references.c.file_id == file_id).subquery()
    for table, column, key in (
        (users, users.c.profile_image_url, of_file.c.user_id),
        (events, events.c.cover_image_url, of_file.c.event_id),
        (articles, articles.c.featured_image_url, of_file.c.article_id),
    ):
        shown = table.c.id.in_(select(key).where(key.is_not(None))) & (column == func.any(list(urls)))
        await tx.execute(update(table).where(shown).values({column: None}))
