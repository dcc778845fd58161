"""Articles.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("legacy_id", sa.Integer()),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("featured_image_url", sa.Text()),
        sa.Column("view_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("read_time", sa.Integer(), server_default=sa.text("1"), nullable=False, comment="Minutes."),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("search_text", sa.Text(), sa.Computed("lower(title || chr(10) || excerpt)", persisted=True)),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_articles_slug_form")),
        sa.CheckConstraint(
            "cardinality(tags) <= 50 and array_position(tags, null) is null", name=op.f("ck_articles_tags_sound")
        ),
        sa.CheckConstraint("char_length(author) between 1 and 200", name=op.f("ck_articles_author_length")),
        sa.CheckConstraint("char_length(category) between 1 and 100", name=op.f("ck_articles_category_length")),
        sa.CheckConstraint("char_length(content) between 0 and 200000", name=op.f("ck_articles_content_length")),
        sa.CheckConstraint("char_length(excerpt) between 0 and 2000", name=op.f("ck_articles_excerpt_length")),
        sa.CheckConstraint(
            "char_length(featured_image_url) between 0 and 2000", name=op.f("ck_articles_featured_image_url_length")
        ),
        sa.CheckConstraint("char_length(slug) between 1 and 200", name=op.f("ck_articles_slug_length")),
        sa.CheckConstraint("char_length(title) between 1 and 255", name=op.f("ck_articles_title_length")),
        sa.CheckConstraint("read_time >= 1", name=op.f("ck_articles_read_time_positive")),
        sa.CheckConstraint("view_count >= 0", name=op.f("ck_articles_view_count_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("legacy_id", name=op.f("uq_articles_legacy_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_articles_slug")),
    )
    op.create_index(
        "ix_articles_listed_category",
        "articles",
        [sa.literal_column("lower(category)"), "published_at", "id"],
        postgresql_where=sa.text("deleted_at is null"),
        postgresql_include=["category"],
    )
    op.create_index(
        "ix_articles_listed_published_at",
        "articles",
        ["published_at", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_articles_listed_title",
        "articles",
        [sa.literal_column("lower(title)"), "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_articles_search",
        "articles",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.execute(
        "create trigger set_updated_at before update on articles for each row"
        " execute function set_updated_at("
        "'view_count', 'search_text')"
    )


def downgrade() -> None:
    op.drop_table("articles")
