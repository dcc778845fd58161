"""Sizes of files found without looking at their rows: lists of a range of sizes are in the order of their making.

Undone by the indexes as they were before; either way they are made beside the old ones, which serve until then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_INDEXES = {"ix_files_owner_size": ["owner_id", "size_bytes", "id"], "ix_files_size": ["size_bytes", "id"]}


def upgrade() -> None:
    _make_anew(include=["created_at"])


def downgrade() -> None:
    _make_anew(include=[])


def _make_anew(*, include: list[str]) -> None:
    for name, columns in _INDEXES.items():
        op.create_index(f"{name}_new", "files", columns, postgresql_include=include)
        op.drop_index(name, "files")
        op.execute(sa.text(f"alter index {name}_new rename to {name}"))
