"""The outbox: what has to happen after a transaction, written in that transaction and done by the worker."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from bilten.db.metadata import at_least_zero, counter, created_at, id_column, length, metadata, required_text, timestamp

_OPEN = sql("finished_at is null and dead_at is null")

jobs = Table(
    "jobs",
    metadata,
    id_column(),
    required_text("kind"),
    Column("payload", JSONB, nullable=False),
    created_at(),
    timestamp("run_at", nullable=False, server_default=sql("now()")),
    counter("attempts", Integer),
    Column("max_attempts", Integer, nullable=False),
    Column("locked_by", Text),
    timestamp("locked_until"),
    Column("last_error", Text),
    timestamp("finished_at"),
    timestamp("dead_at"),
    Column("dedupe_key", Text, comment="While a job with this key is open, another one is refused."),
    length("kind", at_least=1, at_most=100),
    CheckConstraint("jsonb_typeof(payload) = 'object'", name="payload_is_object"),
    at_least_zero("attempts"),
    CheckConstraint("max_attempts >= 1", name="max_attempts_positive"),
    CheckConstraint("(locked_by is null) = (locked_until is null)", name="lease_complete"),
    CheckConstraint("finished_at is null or dead_at is null", name="one_end"),
    length("last_error", at_most=4000),
    length("dedupe_key", at_least=1, at_most=255),
    Index("ix_jobs_due", "run_at", "id", postgresql_where=_OPEN),
    Index("uq_jobs_open_dedupe_key", "dedupe_key", unique=True, postgresql_where=_OPEN),
    Index("ix_jobs_finished_at", "finished_at", postgresql_where=sql("finished_at is not null")),
    Index("ix_jobs_dead_at", "dead_at", postgresql_where=sql("dead_at is not null")),
)
