"""What is in tables: one valid row of each that has rules, and everything that is stored, as text."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from bilten.db.database import Database
from bilten.db.schema import metadata
from bilten.db.seeds.rows import event_id
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
_USER = "select id from users where email = 'user@bilten.com'"
_BY_ROLE = "select id from users where role = $1"


async def valid_rows(tx: AsyncConnection) -> dict[str, Row]:
    """By table; the rows they point to exist."""
    user = (await tx.exec_driver_sql(_USER)).scalar_one()
    session = uuid4()
    insert = "insert into sessions (id, user_id, created_at, expires_at) values ($1, $2, $3, $4)"
    await tx.exec_driver_sql(insert, (session, user, NOW, LATER))
    times = {"created_at": NOW, "expires_at": LATER}
    owner, other = [(await tx.exec_driver_sql(_BY_ROLE, (role,))).scalar_one() for role in ("organizer", "admin")]
    file = {"owner_id": owner, "name": "n.pdf", "media_type": "application/pdf", "size_bytes": 1}
    file_id, version_id = uuid4(), uuid4()
    await tx.execute(metadata.tables["files"].insert().values(file | {"id": file_id}))
    version = {"file_id": file_id, "number": 1, "media_type": "application/pdf", "size_bytes": 1, "sha256": b"s" * 32}
    await tx.execute(metadata.tables["file_versions"].insert().values(version | {"id": version_id}))
    await tx.execute(metadata.tables["file_quotas"].insert().values(owner_id=owner))
    return {
        "users": {
            "email": "new@example.com",
            "password_hash": "x",
            "first_name": "N",
            "last_name": "",
            "date_of_birth": date(2000, 1, 1),
        },
        "sessions": {"user_id": user, **times},
        "refresh_tokens": {"session_id": session, "token_hash": b"t" * 32, **times},
        "revoked_tokens": {"jti": uuid4(), "user_id": user, "expires_at": LATER, "reason": "logout"},
        "one_time_tokens": {"user_id": user, "purpose": "verify_email", "token_hash": b"o" * 32, **times},
        "events": {
            "organizer_id": user,
            "title": "T",
            "description": "",
            "category": "c",
            "venue_name": "v",
            "start_date": NOW,
            "end_date": LATER,
            "timezone": "UTC",
        },
        "ticket_types": {"event_id": event_id(101), "name": "n", "quantity": 10},
        "articles": {"slug": "a-slug", "title": "t", "excerpt": "", "content": "", "category": "c", "author": "a"},
        "wishlist_items": {"user_id": user, "event_id": event_id(101)},
        "files": file,
        "file_versions": version | {"number": 2},
        "file_variants": {
            "version_id": version_id,
            "name": "small",
            "media_type": "image/webp",
            "width": 1,
            "height": 1,
            "size_bytes": 1,
            "key": "k",
        },
        "file_verdicts": {
            "sha256": b"s" * 32,
            "word": "clean",
            "engine": "clamav 1.4.3",
            "signatures": "27400",
            "limits_profile": "1",
        },
        "file_uploads": {**file, "folder": "/", "visibility": "private", "sha256": b"s" * 32, **times},
        "file_quotas": {"owner_id": other},
        "quota_reservations": {"owner_id": owner, "size_bytes": 1, **times},
        "file_references": {"file_id": file_id, "purpose": "profile", "user_id": user},
        "jobs": {"kind": "k", "payload": {}, "max_attempts": 1},
        "mails": {"to_address": "a@b", "subject": "s", "text_body": "", "html_body": ""},
        "audit_log": {"action": "a", "entity": "e", "entity_id": "1"},
        "idempotency_keys": {
            "principal": "p",
            "route": "r",
            "key": "k",
            "body_hash": b"h" * 32,
            "status": 201,
            "body": b"",
            **times,
        },
    }


async def stored_text(db: Database, *, but: Collection[str] = ()) -> str:
    """Every row of every table `but` these, as Postgres writes it; bytes in hexadecimal."""
    names = [name for name in metadata.tables if name not in but]
    rows = [await db.fetchval(f"select string_agg({name}::text, chr(10)) from {name}") for name in names]  # noqa: S608
    return "\n".join(text for text in rows if text)
