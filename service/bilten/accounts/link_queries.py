"""The single-use tokens behind mailed links: verification, reset, change of address."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.queries import digest, new_token, seconds_from_now
from bilten.accounts.tables import one_time_tokens


async def insert_one_time_token(
    tx: AsyncConnection,
    user_id: UUID,
    purpose: str,
    *,
    email: str,
    lifetime_s: int,
    id: UUID | None = None,
) -> str:
    """A new single-use token for a link; earlier unused ones of the same purpose end."""
    await end_one_time_tokens(tx, user_id, [purpose])
    token = new_token()
    await tx.execute(
        one_time_tokens.insert().values(
            id=id or uuid4(),
            user_id=user_id,
            purpose=purpose,
            token_hash=digest(token),
            email=email,
            expires_at=seconds_from_now(lifetime_s),
        )
    )
    return token


async def one_time_token_exists(tx: AsyncConnection, id: UUID) -> bool:
    """Whether a token with this id was made, used or not."""
    return await tx.scalar(select(one_time_tokens.c.id).where(one_time_tokens.c.id == id)) is not None


async def made_within(tx: AsyncConnection, user_id: UUID, purpose: str, *, seconds: int) -> bool:
    """Whether the user got an unused token of this purpose so short a time ago."""
    statement = select(one_time_tokens.c.id).where(
        one_time_tokens.c.user_id == user_id,
        one_time_tokens.c.purpose == purpose,
        one_time_tokens.c.used_at.is_(None),
        one_time_tokens.c.created_at > seconds_from_now(-seconds),
    )
    return await tx.scalar(statement.limit(1)) is not None


async def end_one_time_tokens(tx: AsyncConnection, user_id: UUID, purposes: Sequence[str]) -> None:
    """Take the user's unused tokens of these purposes out of use."""
    await tx.execute(
        one_time_tokens.delete().where(
            one_time_tokens.c.user_id == user_id,
            one_time_tokens.c.purpose.in_(purposes),
            one_time_tokens.c.used_at.is_(None),
        )
    )


async def use_one_time_token(tx: AsyncConnection, token: str, purposes: Sequence[str]) -> RowMapping | None:
    """Use up a token; None when it is unknown, used, expired or of another purpose."""
    statement = (
        update(one_time_tokens)
        .where(_one_time(token, purposes), one_time_tokens.c.used_at.is_(None))
        .values(used_at=func.now())
        .returning(one_time_tokens.c.user_id, one_time_tokens.c.purpose, one_time_tokens.c.email)
    )
    return (await tx.execute(statement)).mappings().first()


async def one_time_token(tx: AsyncConnection, token: str, purposes: Sequence[str]) -> RowMapping | None:
    """An unexpired token, used or not."""
    statement = select(
        one_time_tokens.c.user_id, one_time_tokens.c.purpose, one_time_tokens.c.email, one_time_tokens.c.used_at
    ).where(_one_time(token, purposes))
    return (await tx.execute(statement)).mappings().first()


def _one_time(token: str, purposes: Sequence[str]) -> Any:
    return and_(
        one_time_tokens.c.token_hash == digest(token),
        one_time_tokens.c.purpose.in_(purposes),
        one_time_tokens.c.expires_at > func.now(),
    )
