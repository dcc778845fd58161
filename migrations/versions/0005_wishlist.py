"""Wishlists.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wishlist_items",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_wishlist_items_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_wishlist_items_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "event_id", name=op.f("pk_wishlist_items")),
    )
    op.create_index(op.f("ix_wishlist_items_event_id"), "wishlist_items", ["event_id"])
    op.create_index(
        "ix_wishlist_items_newest",
        "wishlist_items",
        ["user_id", sa.literal_column("created_at desc"), sa.literal_column("event_id desc")],
    )


def downgrade() -> None:
    op.drop_table("wishlist_items")
