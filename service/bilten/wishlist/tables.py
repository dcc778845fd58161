"""Which events a user keeps in mind."""

from sqlalchemy import Column, ForeignKey, Index, Table, Uuid
from sqlalchemy import text as sql

from bilten.db.metadata import created_at, metadata

wishlist_items = Table(
    "wishlist_items",
    metadata,
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", Uuid, ForeignKey("events.id", ondelete="CASCADE"), primary_key=True),
    created_at(),
    Index("ix_wishlist_items_newest", "user_id", sql("created_at desc"), sql("event_id desc")),
    Index(None, "event_id"),
)
