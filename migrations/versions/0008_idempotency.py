"""Answers kept for repeated requests.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text(), nullable=False, comment="A user's id, or `anonymous`."),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(key) between 1 and 255", name=op.f("ck_idempotency_keys_key_length")),
        sa.CheckConstraint(
            "char_length(principal) between 1 and 100", name=op.f("ck_idempotency_keys_principal_length")
        ),
        sa.CheckConstraint("char_length(route) between 1 and 200", name=op.f("ck_idempotency_keys_route_length")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_idempotency_keys_expires_later")),
        sa.CheckConstraint("octet_length(body_hash) = 32", name=op.f("ck_idempotency_keys_body_hash_is_sha256")),
        sa.CheckConstraint("status between 200 and 599", name=op.f("ck_idempotency_keys_status_range")),
        sa.PrimaryKeyConstraint("principal", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"])


def downgrade() -> None:
    op.drop_table("idempotency_keys")
