"""How sessions and their refresh tokens are read and written. Rotation hangs on one conditional UPDATE.

A session lives as long as its newest refresh token: each use puts its end off, up to `LONGEST_LIFE`.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import RowMapping, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.queries import Account, account_of, digest, new_token, seconds_from_now
from bilten.accounts.tables import refresh_tokens, sessions, users

#: However much a session is used, the password has to be given again after this (OWASP ASVS 5.0, 7.3.2).
LONGEST_LIFE = timedelta(days=90)


async def insert_session(
    tx: AsyncConnection, user_id: UUID, *, lifetime_s: int, user_agent: str | None, address: str | None
) -> UUID:
    """A new session; returns its id. Unused, it ends after `lifetime_s` seconds."""
    ends = func.least(func.now() + LONGEST_LIFE, seconds_from_now(lifetime_s))
    statement = (
        sessions.insert()
        .values(user_id=user_id, expires_at=ends, user_agent=user_agent, address=address)
        .returning(sessions.c.id)
    )
    session_id: UUID = (await tx.execute(statement)).scalar_one()
    return session_id


async def end_sessions(
    tx: AsyncConnection, user_id: UUID, *, reason: str, only: UUID | None = None, but: UUID | None = None
) -> int:
    """End the user's sessions: all, `only` one, or all `but` one. Returns how many were live."""
    statement = update(sessions).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None))
    if only is not None:
        statement = statement.where(sessions.c.id == only)
    if but is not None:
        statement = statement.where(sessions.c.id != but)
    return (await tx.execute(statement.values(revoked_at=func.now(), revoked_reason=reason))).rowcount


async def revoke_token(tx: AsyncConnection, *, jti: UUID, user_id: UUID, expires_at: float, reason: str) -> None:
    """Void one access token until it would have expired anyway."""
    statement = text(
        "insert into revoked_tokens (jti, user_id, expires_at, reason) values (:jti, :user, to_timestamp(:exp), :why) "
        "on conflict do nothing"
    )
    await tx.execute(statement, {"jti": jti, "user": user_id, "exp": expires_at, "why": reason})


async def insert_refresh_token(tx: AsyncConnection, session_id: UUID) -> tuple[UUID, str]:
    """A new refresh token, good until its session ends; its row's id and the token, which is stored nowhere."""
    token = new_token()
    ends = select(sessions.c.expires_at).where(sessions.c.id == session_id).scalar_subquery()
    statement = (
        refresh_tokens.insert()
        .values(session_id=session_id, token_hash=digest(token), expires_at=ends)
        .returning(refresh_tokens.c.id)
    )
    return (await tx.execute(statement)).scalar_one(), token


@dataclass(frozen=True, slots=True)
class Claimed:
    """A refresh token just taken out of use, by the one caller that could."""

    id: UUID
    session_id: UUID


async def claim_refresh_token(tx: AsyncConnection, token: str) -> Claimed | None:
    """Mark a live token replaced. One UPDATE, so of two callers at once one gets it and the other None."""
    live = (
        select(sessions.c.id)
        .join(users, users.c.id == sessions.c.user_id)
        .where(
            sessions.c.id == refresh_tokens.c.session_id,
            sessions.c.revoked_at.is_(None),
            sessions.c.expires_at > func.now(),
            users.c.status == "active",
        )
    )
    statement = (
        update(refresh_tokens)
        .where(
            refresh_tokens.c.token_hash == digest(token),
            refresh_tokens.c.replaced_at.is_(None),
            refresh_tokens.c.expires_at > func.now(),
            live.exists(),
        )
        .values(replaced_at=func.now())
        .returning(refresh_tokens.c.id, refresh_tokens.c.session_id)
    )
    row = (await tx.execute(statement)).first()
    return Claimed(row.id, row.session_id) if row else None


async def link_successor(tx: AsyncConnection, old: UUID, new: UUID) -> None:
    """Note which token came after which."""
    await tx.execute(update(refresh_tokens).where(refresh_tokens.c.id == old).values(replaced_by=new))


async def refresh_token_history(tx: AsyncConnection, token: str, *, grace_s: int) -> RowMapping | None:
    """Of a token that is not live: its session and user, and whether it is the last one replaced, just now."""
    successor = refresh_tokens.alias("successor")
    statement = (
        select(
            refresh_tokens.c.session_id,
            sessions.c.user_id,
            refresh_tokens.c.replaced_at.is_not(None).label("replaced"),
            sessions.c.revoked_at.is_not(None).label("ended"),
            and_(
                refresh_tokens.c.replaced_at > func.now() - func.make_interval(0, 0, 0, 0, 0, 0, grace_s),
                or_(successor.c.id.is_(None), successor.c.replaced_at.is_(None)),
            ).label("just_superseded"),
        )
        .join(sessions, sessions.c.id == refresh_tokens.c.session_id)
        .outerjoin(successor, successor.c.id == refresh_tokens.c.replaced_by)
        .where(refresh_tokens.c.token_hash == digest(token))
    )
    return (await tx.execute(statement)).mappings().first()


async def prolong_session(tx: AsyncConnection, session_id: UUID, *, lifetime_s: int) -> Account:
    """Put the end of a session that was just used off to `lifetime_s` seconds from now; its account."""
    ends = func.least(sessions.c.created_at + LONGEST_LIFE, seconds_from_now(lifetime_s))
    used = update(sessions).where(sessions.c.id == session_id).values(last_used_at=func.now(), expires_at=ends)
    user_id = (await tx.execute(used.returning(sessions.c.user_id))).scalar_one()
    return account_of((await tx.execute(select(users).where(users.c.id == user_id))).mappings().one())
