"""Events and their ticket types.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("legacy_id", sa.Integer()),
        sa.Column("organizer_id", sa.Uuid(), nullable=False),
        sa.Column("organizer_display_first_name", sa.Text(), comment="Shown instead of the account's name."),
        sa.Column("organizer_display_last_name", sa.Text(), comment="Shown instead of the account's name."),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("venue_name", sa.Text(), nullable=False),
        sa.Column("venue_address", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("start_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("max_attendees", sa.Integer()),
        sa.Column("is_free", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("base_price", sa.Numeric(precision=12, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("is_featured", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cover_image_url", sa.Text()),
        sa.Column("view_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("bookmark_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("registration_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed(
                "lower(title || chr(10) || description || chr(10) || venue_name || chr(10) || coalesce(city, '')"
                " || chr(10) || category)",
                persisted=True,
            ),
        ),
        sa.Column(
            "location_text",
            sa.Text(),
            sa.Computed(
                "lower(venue_name || chr(10) || coalesce(venue_address, '') || chr(10) || coalesce(city, '')"
                " || chr(10) || coalesce(country, ''))",
                persisted=True,
            ),
        ),
        sa.Column(
            "popularity_score",
            sa.BigInteger(),
            sa.Computed(
                "registration_count * 20 + bookmark_count * 5"
                " + floor(ln((greatest(view_count, 0) + 1)::double precision) / ln(2::double precision))::bigint",
                persisted=True,
            ),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_events_currency_iso_4217")),
        sa.CheckConstraint(
            "status in ('draft', 'published', 'cancelled', 'completed')", name=op.f("ck_events_status_known")
        ),
        sa.CheckConstraint("base_price between 0 and 9999999999.99", name=op.f("ck_events_base_price_range")),
        sa.CheckConstraint("bookmark_count >= 0", name=op.f("ck_events_bookmark_count_not_negative")),
        sa.CheckConstraint("char_length(category) between 1 and 100", name=op.f("ck_events_category_length")),
        sa.CheckConstraint("char_length(city) between 0 and 100", name=op.f("ck_events_city_length")),
        sa.CheckConstraint("char_length(country) between 0 and 100", name=op.f("ck_events_country_length")),
        sa.CheckConstraint(
            "char_length(cover_image_url) between 0 and 2000", name=op.f("ck_events_cover_image_url_length")
        ),
        sa.CheckConstraint("char_length(description) between 0 and 20000", name=op.f("ck_events_description_length")),
        sa.CheckConstraint(
            "char_length(organizer_display_first_name) between 1 and 100",
            name=op.f("ck_events_organizer_display_first_name_length"),
        ),
        sa.CheckConstraint(
            "char_length(organizer_display_last_name) between 0 and 100",
            name=op.f("ck_events_organizer_display_last_name_length"),
        ),
        sa.CheckConstraint("char_length(timezone) between 1 and 64", name=op.f("ck_events_timezone_length")),
        sa.CheckConstraint("char_length(title) between 1 and 255", name=op.f("ck_events_title_length")),
        sa.CheckConstraint(
            "char_length(venue_address) between 0 and 1000", name=op.f("ck_events_venue_address_length")
        ),
        sa.CheckConstraint("char_length(venue_name) between 1 and 255", name=op.f("ck_events_venue_name_length")),
        sa.CheckConstraint("end_date > start_date", name=op.f("ck_events_ends_after_start")),
        sa.CheckConstraint("max_attendees between 1 and 10000000", name=op.f("ck_events_max_attendees_range")),
        sa.CheckConstraint("not is_free or base_price = 0", name=op.f("ck_events_free_costs_nothing")),
        sa.CheckConstraint("registration_count >= 0", name=op.f("ck_events_registration_count_not_negative")),
        sa.CheckConstraint("view_count >= 0", name=op.f("ck_events_view_count_not_negative")),
        sa.ForeignKeyConstraint(
            ["organizer_id"], ["users.id"], name=op.f("fk_events_organizer_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("legacy_id", name=op.f("uq_events_legacy_id")),
    )
    op.create_index(
        "ix_events_featured",
        "events",
        ["status", "start_date", "id"],
        postgresql_where=sa.text("is_featured and deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_base_price",
        "events",
        ["status", "base_price", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_category",
        "events",
        ["status", sa.literal_column("lower(category)"), "start_date", "id"],
        postgresql_where=sa.text("deleted_at is null"),
        postgresql_include=["category"],
    )
    op.create_index(
        "ix_events_listed_city",
        "events",
        ["status", sa.literal_column("lower(city)"), "start_date", "id"],
        postgresql_where=sa.text("deleted_at is null"),
        postgresql_include=["city", "country"],
    )
    op.create_index(
        "ix_events_listed_country",
        "events",
        ["status", sa.literal_column("lower(country)"), "start_date", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_created_at",
        "events",
        ["status", "created_at", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_popularity",
        "events",
        ["status", "popularity_score", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_start_date",
        "events",
        ["status", "start_date", "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_listed_title",
        "events",
        ["status", sa.literal_column("lower(title)"), "id"],
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index(
        "ix_events_location",
        "events",
        ["location_text"],
        postgresql_using="gin",
        postgresql_ops={"location_text": "gin_trgm_ops"},
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_index("ix_events_organizer_start_date", "events", ["organizer_id", "start_date", "id"])
    op.create_index(
        "ix_events_search",
        "events",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=sa.text("deleted_at is null"),
    )
    op.create_table(
        "ticket_types",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("legacy_id", sa.Integer()),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), comment="Names this kind within its event, as in `vipStanding`."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("price", sa.Numeric(precision=12, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), server_default=sa.text("'USD'"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("sold", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_per_order", sa.Integer(), server_default=sa.text("10"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sales_start", sa.DateTime(timezone=True)),
        sa.Column("sales_end", sa.DateTime(timezone=True)),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("event_id"), "="),
            (sa.column("code"), "="),
            (sa.text("tstzrange(sales_start, sales_end)"), "&&"),
            where=sa.text("is_active"),
            using="gist",
            name="ex_ticket_types_one_per_code_and_time",
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_ticket_types_currency_iso_4217")),
        sa.CheckConstraint("char_length(code) between 1 and 50", name=op.f("ck_ticket_types_code_length")),
        sa.CheckConstraint(
            "char_length(description) between 0 and 2000", name=op.f("ck_ticket_types_description_length")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 100", name=op.f("ck_ticket_types_name_length")),
        sa.CheckConstraint("max_per_order between 1 and 10", name=op.f("ck_ticket_types_max_per_order_range")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_ticket_types_position_not_negative")),
        sa.CheckConstraint("price between 0 and 9999999999.99", name=op.f("ck_ticket_types_price_range")),
        sa.CheckConstraint("reserved >= 0", name=op.f("ck_ticket_types_reserved_not_negative")),
        sa.CheckConstraint("sales_end > sales_start", name=op.f("ck_ticket_types_sales_end_after_start")),
        sa.CheckConstraint("sold >= 0", name=op.f("ck_ticket_types_sold_not_negative")),
        sa.CheckConstraint("sold::bigint + reserved <= quantity", name=op.f("ck_ticket_types_not_oversold")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_ticket_types_event_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_types")),
        sa.UniqueConstraint("legacy_id", name=op.f("uq_ticket_types_legacy_id")),
    )
    op.create_index(
        op.f("ix_ticket_types_event_id_price_position_id"),
        "ticket_types",
        ["event_id", "price", "position", "id"],
    )
    op.execute(
        "create trigger set_updated_at before update on events for each row"
        " execute function set_updated_at("
        "'view_count', 'bookmark_count', 'registration_count', 'search_text', 'location_text', 'popularity_score')"
    )
    op.execute(
        "create trigger set_updated_at before update on ticket_types for each row execute function set_updated_at()"
    )


def downgrade() -> None:
    op.drop_table("ticket_types")
    op.drop_table("events")
