"""The audit log.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.Uuid()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text()),
        sa.Column("address", postgresql.INET()),
        sa.Column("before", postgresql.JSONB(none_as_null=True)),
        sa.Column("after", postgresql.JSONB(none_as_null=True)),
        sa.CheckConstraint("char_length(action) between 1 and 100", name=op.f("ck_audit_log_action_length")),
        sa.CheckConstraint("char_length(entity) between 1 and 100", name=op.f("ck_audit_log_entity_length")),
        sa.CheckConstraint("char_length(entity_id) between 1 and 200", name=op.f("ck_audit_log_entity_id_length")),
        sa.CheckConstraint("char_length(request_id) between 1 and 128", name=op.f("ck_audit_log_request_id_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_actor_id_id"), "audit_log", ["actor_id", "id"])
    op.create_index(op.f("ix_audit_log_entity_entity_id_id"), "audit_log", ["entity", "entity_id", "id"])
    op.execute(
        "create trigger append_only before update or delete or truncate on audit_log"
        " for each statement execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("audit_log")
