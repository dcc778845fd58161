"""What may happen to an article. One transaction each, with its audit row."""

import re
import unicodedata
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.articles import queries
from bilten.articles.errors import ArticleNotFound, SlugTaken
from bilten.articles.queries import Row
from bilten.articles.schemas import ArticleChange, NewArticle
from bilten.audit.queries import record
from bilten.audit.values import plain
from bilten.context import Principal
from bilten.db.errors import violated_constraint
from bilten.files import references as references_to_files
from bilten.services import Services
from bilten.web import etags, references

#: How fast people read, in words a minute.
WORDS_A_MINUTE = 200
#: Room for a suffix below the 200 characters of the column.
MAX_SLUG = 180
_ATTEMPTS = 3


def slug_of(title: str) -> str:
    """A title as part of an address: its Latin letters and digits, joined by hyphens; `article` when it has none."""
    latin = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", latin))[:MAX_SLUG].strip("-") or "article"


def reading_time(content: str) -> int:
    """Whole minutes, one at least."""
    return max(1, round(len(content.split()) / WORDS_A_MINUTE))


async def look_at(services: Services, article_id: str) -> tuple[Row, list[Row]]:
    """One article, whose view is counted, and others of its category. Raises `ArticleNotFound`."""
    article = await queries.one(services.db, references.parse(article_id), article_id)
    if article is None:
        raise ArticleNotFound
    services.views.count("articles", article["id"])
    return article, list(await queries.related(services.db, article))


async def create(services: Services, admin: Principal, body: NewArticle) -> Row:
    """A new article, its slug made from the title. Raises `SlugTaken` after a lost race."""
    async with services.db.transaction() as tx:
        values = body.model_dump() | {
            "author": body.author or await queries.name_of(tx, admin.user_id),
            "read_time": reading_time(body.content),
        }
        article_id = await _add(tx, values)
        await references_to_files.show(tx, services, admin, body.featured_image_url, "article", article_id=article_id)
        await record(
            tx,
            actor_id=admin.user_id,
            action="article.create",
            entity="article",
            entity_id=article_id,
            after=plain(values),
        )
        return await queries.shown(tx, article_id)


async def _add(tx: AsyncConnection, values: dict[str, Any]) -> UUID:
    base = slug_of(values["title"])
    for _ in range(_ATTEMPTS):
        taken = await queries.slugs_like(tx, base)
        suffixes = (f"-{number}" for number in range(2, len(taken) + 3))
        slug = next(base + suffix for suffix in ("", *suffixes) if base + suffix not in taken)
        try:
            async with tx.begin_nested():
                return await queries.add(tx, values | {"slug": slug})
        except IntegrityError as error:
            if violated_constraint(error) != "uq_articles_slug":
                raise
    raise SlugTaken


async def change(
    services: Services, admin: Principal, article_id: str, body: ArticleChange, if_match: str | None
) -> Row:
    """Change what was sent. Raises `ArticleNotFound`, `PreconditionFailed`."""
    async with services.db.transaction() as tx:
        article = await _lock(tx, article_id, if_match)
        sent = {name: getattr(body, name) for name in body.model_fields_set}
        changes = {
            name: value
            for name, value in sent.items()
            if value != article[name] and (value is not None or name == "featured_image_url")
        }
        if "content" in changes:
            changes["read_time"] = reading_time(changes["content"])
        if changes:
            await queries.change(tx, article["id"], changes)
            if "featured_image_url" in changes:
                url = changes["featured_image_url"]
                await references_to_files.show(tx, services, admin, url, "article", article_id=article["id"])
            await record(
                tx,
                actor_id=admin.user_id,
                action="article.change",
                entity="article",
                entity_id=article["id"],
                before=plain({name: article[name] for name in changes}),
                after=plain(changes),
            )
        return await queries.shown(tx, article["id"])


async def remove(services: Services, admin: Principal, article_id: str, if_match: str | None) -> None:
    """Hide the article from everyone. Raises `ArticleNotFound`, `PreconditionFailed`."""
    async with services.db.transaction() as tx:
        article = await _lock(tx, article_id, if_match)
        await queries.remove(tx, article["id"])
        await references_to_files.show(tx, services, admin, None, "article", article_id=article["id"])
        await record(
            tx,
            actor_id=admin.user_id,
            action="article.delete",
            entity="article",
            entity_id=article["id"],
            before={"slug": article["slug"]},
        )


async def _lock(tx: AsyncConnection, article_id: str, if_match: str | None) -> RowMapping:
    article = await queries.lock(tx, references.parse(article_id), article_id)
    if article is None:
        raise ArticleNotFound
    etags.require_match(if_match, article["updated_at"])
    return article
