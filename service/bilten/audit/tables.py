"""Who did what to which row, and how it looked before and after. Triggers refuse to change or empty it."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import INET, JSONB

from bilten.db.metadata import length, metadata, required_text, timestamp

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    timestamp("at", nullable=False, server_default=sql("now()")),
    # No foreign key: what an account did outlives the account.
    Column("actor_id", Uuid),
    required_text("action"),
    required_text("entity"),
    required_text("entity_id"),
    Column("request_id", Text),
    Column("address", INET),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    length("action", at_least=1, at_most=100),
    length("entity", at_least=1, at_most=100),
    length("entity_id", at_least=1, at_most=200),
    length("request_id", at_least=1, at_most=128),
    Index(None, "entity", "entity_id", "id"),
    Index(None, "actor_id", "id"),
)
