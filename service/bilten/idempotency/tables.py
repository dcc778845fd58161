"""Answers to creating requests that named an `Idempotency-Key`, kept to be given again.

A row is written in the transaction of the effect it answers for, so there is none for a request that is still running
or failed. The body is encrypted, since answers carry tokens.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table

from bilten.db.metadata import created_at, length, metadata, required_text, sha256_sized, timestamp

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    required_text("principal", primary_key=True, comment="A user's id, or `anonymous`."),
    required_text("route", primary_key=True),
    required_text("key", primary_key=True),
    Column("body_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    created_at(),
    timestamp("expires_at", nullable=False),
    length("principal", at_least=1, at_most=100),
    length("route", at_least=1, at_most=200),
    length("key", at_least=1, at_most=255),
    sha256_sized("body_hash"),
    CheckConstraint("status between 200 and 599", name="status_range"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index(None, "expires_at"),
)
