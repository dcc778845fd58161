"""Refresh tokens found by their end, which the worker's clean-up asks for; a column of mails that nothing wrote.

Undone by dropping the index and adding the column again, empty as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_refresh_tokens_expires_at"), "refresh_tokens", ["expires_at"])
    op.drop_column("mails", "sent_at")


def downgrade() -> None:
    op.add_column("mails", sa.Column("sent_at", sa.DateTime(timezone=True)))
    op.drop_index(op.f("ix_refresh_tokens_expires_at"), "refresh_tokens")
