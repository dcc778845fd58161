"""How accounts are read and written; sessions and mailed tokens are in `session_queries` and `link_queries`."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.db.database import Database

_COLUMNS = """id, email, password_hash, first_name, last_name, role, requested_role, status, is_verified, pending_email,
    phone, bio, date_of_birth, address, city, country, profile_image_url, token_epoch, created_at, updated_at"""
BY_EMAIL = f"select {_COLUMNS} from users where email = $1 and status = 'active'"  # noqa: S608 a constant
BY_ID = f"select {_COLUMNS} from users where id = $1 and status = 'active'"  # noqa: S608 a constant
LIVE_SESSION = """
    select u.role, u.token_epoch from sessions s join users u on u.id = s.user_id
    where s.id = $1 and s.user_id = $2 and s.revoked_at is null and s.expires_at > now() and u.status = 'active'
      and not exists (select 1 from revoked_tokens r where r.jti = $3)
"""


def digest(token: str) -> bytes:
    """What is stored of a random token: its SHA-256, 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def new_token() -> str:
    """256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Account:
    """A row of `users`."""

    id: UUID
    email: str
    password_hash: str
    first_name: str
    last_name: str
    role: Any
    requested_role: str | None
    status: str
    is_verified: bool
    pending_email: str | None
    phone: str | None
    bio: str | None
    date_of_birth: Any
    address: str | None
    city: str | None
    country: str | None
    profile_image_url: str | None
    token_epoch: int
    created_at: datetime
    updated_at: datetime


def seconds_from_now(seconds: int) -> Any:
    """The database's now and this many seconds."""
    return func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)


async def by_email(db: Database, email: str) -> Account | None:
    """The active account with this address."""
    row = await db.fetchrow(BY_EMAIL, email)
    return Account(**row) if row else None


async def by_id(db: Database, user_id: UUID) -> Account | None:
    """The active account with this id."""
    row = await db.fetchrow(BY_ID, user_id)
    return Account(**row) if row else None


async def live_session(db: Database, session_id: UUID, user_id: UUID, jti: UUID) -> asyncpg.Record | None:
    """Role and token epoch of the session's user, unless the session, the token or the account has ended."""
    return await db.fetchrow(LIVE_SESSION, session_id, user_id, jti)


def account_of(row: RowMapping) -> Account:
    """The account in a row of `users`."""
    return Account(**{name: row[name] for name in Account.__slots__})


async def insert_user(tx: AsyncConnection, **values: Any) -> Account:
    """A new account. Raises IntegrityError when the address is taken."""
    return account_of((await tx.execute(users.insert().values(**values).returning(users))).mappings().one())


async def lock_user(tx: AsyncConnection, user_id: UUID) -> Account | None:
    """The active account, locked until the transaction ends."""
    statement = select(users).where(users.c.id == user_id, users.c.status == "active").with_for_update()
    row = (await tx.execute(statement)).mappings().first()
    return account_of(row) if row else None


async def update_user(tx: AsyncConnection, user_id: UUID, **values: Any) -> Account:
    """Change these columns of the account."""
    statement = update(users).where(users.c.id == user_id).values(**values).returning(users)
    return account_of((await tx.execute(statement)).mappings().one())


async def replace_hash(tx: AsyncConnection, user_id: UUID, *, old: str, new: str) -> bool:
    """Store a new password hash unless another change came first."""
    statement = update(users).where(users.c.id == user_id, users.c.password_hash == old).values(password_hash=new)
    return (await tx.execute(statement)).rowcount == 1
