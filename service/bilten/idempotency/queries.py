"""How idempotency keys are locked, read and written."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.idempotency.tables import idempotency_keys as keys

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """Who uses which key for what; `body_hash` is 32 bytes."""

    principal: str
    route: str
    key: str
    body_hash: bytes

    @property
    def lock_id(self) -> int:
        """A signed 64-bit number for the advisory lock."""
        name = "\0".join(("idempotency", self.principal, self.route, self.key))
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), signed=True)


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """The answer that a key's first call got."""

    body_hash: bytes
    status: int
    sealed_body: bytes


async def lock(tx: AsyncConnection, use: KeyUse) -> bool:
    """Hold the key until the transaction ends; False when another call holds it."""
    return bool(await tx.scalar(text("select pg_try_advisory_xact_lock(:id)"), {"id": use.lock_id}))


async def find(tx: AsyncConnection, use: KeyUse) -> StoredAnswer | None:
    """The stored answer, unless it is older than a day."""
    row = (
        await tx.execute(
            select(keys.c.body_hash, keys.c.status, keys.c.body).where(
                keys.c.principal == use.principal,
                keys.c.route == use.route,
                keys.c.key == use.key,
                keys.c.expires_at > func.now(),
            )
        )
    ).first()
    return StoredAnswer(body_hash=row.body_hash, status=row.status, sealed_body=row.body) if row else None


async def insert(tx: AsyncConnection, use: KeyUse, *, status: int, sealed_body: bytes) -> None:
    """Store the answer; an expired one of the same key is replaced."""
    values = {
        "body_hash": use.body_hash,
        "status": status,
        "body": sealed_body,
        "created_at": func.now(),
        "expires_at": func.now() + LIFETIME,
    }
    statement = upsert(keys).values(principal=use.principal, route=use.route, key=use.key, **values)
    await tx.execute(statement.on_conflict_do_update(index_elements=["principal", "route", "key"], set_=values))
