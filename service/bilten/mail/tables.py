"""Mails as they were composed. In development this is the mailbox that /dev/mail shows."""

from sqlalchemy import Column, ForeignKey, Index, Table, Uuid

from bilten.db.metadata import created_at, id_column, length, metadata, required_text

mails = Table(
    "mails",
    metadata,
    id_column(),
    # Unique: a job that is done twice, which the outbox allows, still makes one mail.
    Column("job_id", Uuid, ForeignKey("jobs.id", ondelete="SET NULL"), unique=True),
    required_text("to_address"),
    required_text("subject"),
    required_text("text_body"),
    required_text("html_body"),
    created_at(),
    length("to_address", at_least=3, at_most=320),
    length("subject", at_least=1, at_most=998),
    Index(None, "created_at", "id"),
)
