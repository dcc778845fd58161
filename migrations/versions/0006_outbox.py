"""The outbox of jobs, and the mails it makes.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_by", sa.Text()),
        sa.Column("locked_until", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("dead_at", sa.DateTime(timezone=True)),
        sa.Column("dedupe_key", sa.Text(), comment="While a job with this key is open, another one is refused."),
        sa.CheckConstraint("jsonb_typeof(payload) = 'object'", name=op.f("ck_jobs_payload_is_object")),
        sa.CheckConstraint("(locked_by is null) = (locked_until is null)", name=op.f("ck_jobs_lease_complete")),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_jobs_attempts_not_negative")),
        sa.CheckConstraint("char_length(dedupe_key) between 1 and 255", name=op.f("ck_jobs_dedupe_key_length")),
        sa.CheckConstraint("char_length(kind) between 1 and 100", name=op.f("ck_jobs_kind_length")),
        sa.CheckConstraint("char_length(last_error) between 0 and 4000", name=op.f("ck_jobs_last_error_length")),
        sa.CheckConstraint("finished_at is null or dead_at is null", name=op.f("ck_jobs_one_end")),
        sa.CheckConstraint("max_attempts >= 1", name=op.f("ck_jobs_max_attempts_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_dead_at", "jobs", ["dead_at"], postgresql_where=sa.text("dead_at is not null"))
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["run_at", "id"],
        postgresql_where=sa.text("finished_at is null and dead_at is null"),
    )
    op.create_index(
        "ix_jobs_finished_at",
        "jobs",
        ["finished_at"],
        postgresql_where=sa.text("finished_at is not null"),
    )
    op.create_index(
        "uq_jobs_open_dedupe_key",
        "jobs",
        ["dedupe_key"],
        unique=True,
        postgresql_where=sa.text("finished_at is null and dead_at is null"),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("job_id", sa.Uuid()),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text_body", sa.Text(), nullable=False),
        sa.Column("html_body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("char_length(subject) between 1 and 998", name=op.f("ck_mails_subject_length")),
        sa.CheckConstraint("char_length(to_address) between 3 and 320", name=op.f("ck_mails_to_address_length")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_mails_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("job_id", name=op.f("uq_mails_job_id")),
    )
    op.create_index(op.f("ix_mails_created_at_id"), "mails", ["created_at", "id"])


def downgrade() -> None:
    op.drop_table("mails")
    op.drop_table("jobs")
