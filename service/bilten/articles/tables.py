"""News articles. `view_count` is a cache and does not move `updated_at`."""

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Computed, Index, Integer, Table, Text
from sqlalchemy import text as sql

from bilten.db.metadata import (
    at_least_zero,
    counter,
    created_at,
    id_column,
    legacy_id_column,
    length,
    metadata,
    required_text,
    timestamp,
    updated_at,
)

_LISTED = sql("deleted_at is null")

articles = Table(
    "articles",
    metadata,
    id_column(),
    legacy_id_column(),
    required_text("slug", unique=True),
    required_text("title"),
    required_text("excerpt"),
    required_text("content"),
    required_text("category"),
    required_text("author"),
    timestamp("published_at", nullable=False, server_default=sql("now()")),
    Column("featured_image_url", Text),
    counter("view_count", BigInteger),
    Column("read_time", Integer, nullable=False, server_default=sql("1"), comment="Minutes."),
    Column("tags", ARRAY(Text), nullable=False, server_default=sql("'{}'")),
    created_at(),
    updated_at(),
    timestamp("deleted_at"),
    Column("search_text", Text, Computed("lower(title || chr(10) || excerpt)", persisted=True)),
    CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug_form"),
    length("slug", at_least=1, at_most=200),
    length("title", at_least=1, at_most=255),
    length("excerpt", at_most=2000),
    length("content", at_most=200000),
    length("category", at_least=1, at_most=100),
    length("author", at_least=1, at_most=200),
    length("featured_image_url", at_most=2000),
    at_least_zero("view_count"),
    CheckConstraint("read_time >= 1", name="read_time_positive"),
    CheckConstraint("cardinality(tags) <= 50 and array_position(tags, null) is null", name="tags_sound"),
    Index("ix_articles_listed_published_at", "published_at", "id", postgresql_where=_LISTED),
    Index("ix_articles_listed_title", sql("lower(title)"), "id", postgresql_where=_LISTED),
    Index(
        "ix_articles_listed_category",
        sql("lower(category)"),
        "published_at",
        "id",
        postgresql_where=_LISTED,
        # Counting by category is an index-only scan.
        postgresql_include=["category"],
    ),
    Index(
        "ix_articles_search",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=_LISTED,
    ),
)
