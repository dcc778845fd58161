"""Events and the kinds of tickets sold for them.

The counters are caches of what happens elsewhere: they do not move `updated_at`, so that neither `ETag` nor "last
changed" depends on how often a page was looked at.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from bilten.db.metadata import (
    at_least_zero,
    counter,
    created_at,
    id_column,
    legacy_id_column,
    length,
    metadata,
    money_range,
    one_of,
    required_text,
    timestamp,
    updated_at,
)

STATUSES = ("draft", "published", "cancelled", "completed")

_NOT_DELETED = sql("deleted_at is null")

# chr(10) between the parts: a phrase must not match across the end of one and the start of the next.
_SEARCH_TEXT = (
    "lower(title || chr(10) || description || chr(10) || venue_name || chr(10) || coalesce(city, '') || chr(10)"
    " || category)"
)
_LOCATION_TEXT = (
    "lower(venue_name || chr(10) || coalesce(venue_address, '') || chr(10) || coalesce(city, '') || chr(10)"
    " || coalesce(country, ''))"
)
# Views count by their logarithm: the score is indexed, and a view that does not change it leaves every index alone.
_POPULARITY = (
    "registration_count * 20 + bookmark_count * 5"
    " + floor(ln((greatest(view_count, 0) + 1)::double precision) / ln(2::double precision))::bigint"
)

events = Table(
    "events",
    metadata,
    id_column(),
    legacy_id_column(),
    Column("organizer_id", Uuid, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    Column("organizer_display_first_name", Text, comment="Shown instead of the account's name."),
    Column("organizer_display_last_name", Text, comment="Shown instead of the account's name."),
    required_text("title"),
    required_text("description"),
    required_text("category"),
    required_text("venue_name"),
    Column("venue_address", Text),
    Column("city", Text),
    Column("country", Text),
    timestamp("start_date", nullable=False),
    timestamp("end_date", nullable=False),
    required_text("timezone"),
    Column("max_attendees", Integer),
    Column("is_free", Boolean, nullable=False, server_default=sql("false")),
    counter("base_price", Numeric(12, 2)),
    required_text("currency", server_default=sql("'USD'")),
    required_text("status", server_default=sql("'draft'")),
    Column("is_featured", Boolean, nullable=False, server_default=sql("false")),
    Column("cover_image_url", Text),
    counter("view_count", BigInteger),
    counter("bookmark_count", BigInteger),
    counter("registration_count", BigInteger),
    created_at(),
    updated_at(),
    timestamp("deleted_at"),
    Column("search_text", Text, Computed(_SEARCH_TEXT, persisted=True)),
    Column("location_text", Text, Computed(_LOCATION_TEXT, persisted=True)),
    Column("popularity_score", BigInteger, Computed(_POPULARITY, persisted=True)),
    length("organizer_display_first_name", at_least=1, at_most=100),
    length("organizer_display_last_name", at_most=100),
    length("title", at_least=1, at_most=255),
    length("description", at_most=20000),
    length("category", at_least=1, at_most=100),
    length("venue_name", at_least=1, at_most=255),
    length("venue_address", at_most=1000),
    length("city", at_most=100),
    length("country", at_most=100),
    length("timezone", at_least=1, at_most=64),
    length("cover_image_url", at_most=2000),
    CheckConstraint("end_date > start_date", name="ends_after_start"),
    CheckConstraint("max_attendees between 1 and 10000000", name="max_attendees_range"),
    money_range("base_price"),
    CheckConstraint("not is_free or base_price = 0", name="free_costs_nothing"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_iso_4217"),
    one_of("status", *STATUSES),
    at_least_zero("view_count"),
    at_least_zero("bookmark_count"),
    at_least_zero("registration_count"),
    # The status comes first: whoever may see more than what is published reads one ordered run per status.
    Index("ix_events_listed_start_date", "status", "start_date", "id", postgresql_where=_NOT_DELETED),
    Index("ix_events_listed_base_price", "status", "base_price", "id", postgresql_where=_NOT_DELETED),
    Index("ix_events_listed_title", "status", sql("lower(title)"), "id", postgresql_where=_NOT_DELETED),
    Index("ix_events_listed_created_at", "status", "created_at", "id", postgresql_where=_NOT_DELETED),
    Index("ix_events_listed_popularity", "status", "popularity_score", "id", postgresql_where=_NOT_DELETED),
    # What is included makes counting by category or place an index-only scan.
    Index(
        "ix_events_listed_category",
        "status",
        sql("lower(category)"),
        "start_date",
        "id",
        postgresql_where=_NOT_DELETED,
        postgresql_include=["category"],
    ),
    Index(
        "ix_events_listed_city",
        "status",
        sql("lower(city)"),
        "start_date",
        "id",
        postgresql_where=_NOT_DELETED,
        postgresql_include=["city", "country"],
    ),
    Index(
        "ix_events_listed_country", "status", sql("lower(country)"), "start_date", "id", postgresql_where=_NOT_DELETED
    ),
    Index(
        "ix_events_featured", "status", "start_date", "id", postgresql_where=sql("is_featured and deleted_at is null")
    ),
    Index("ix_events_organizer_start_date", "organizer_id", "start_date", "id"),
    Index(
        "ix_events_search",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
        postgresql_where=_NOT_DELETED,
    ),
    Index(
        "ix_events_location",
        "location_text",
        postgresql_using="gin",
        postgresql_ops={"location_text": "gin_trgm_ops"},
        postgresql_where=_NOT_DELETED,
    ),
)

ticket_types = Table(
    "ticket_types",
    metadata,
    id_column(),
    legacy_id_column(),
    Column("event_id", Uuid, ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("code", Text, comment="Names this kind within its event, as in `vipStanding`."),
    required_text("name"),
    Column("description", Text),
    counter("price", Numeric(12, 2)),
    required_text("currency", server_default=sql("'USD'")),
    Column("quantity", Integer, nullable=False),
    counter("sold", Integer),
    counter("reserved", Integer),
    Column("max_per_order", Integer, nullable=False, server_default=sql("10")),
    Column("is_active", Boolean, nullable=False, server_default=sql("true")),
    timestamp("sales_start"),
    timestamp("sales_end"),
    counter("position", Integer),
    created_at(),
    updated_at(),
    length("code", at_least=1, at_most=50),
    length("name", at_least=1, at_most=100),
    length("description", at_most=2000),
    money_range("price"),
    CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_iso_4217"),
    at_least_zero("sold"),
    at_least_zero("reserved"),
    # bigint: the sum of two integers must be refused, not overflow.
    CheckConstraint("sold::bigint + reserved <= quantity", name="not_oversold"),
    CheckConstraint("max_per_order between 1 and 10", name="max_per_order_range"),
    CheckConstraint("sales_end > sales_start", name="sales_end_after_start"),
    at_least_zero("position"),
    # One code may be sold in turns (early, regular, late), yet at any moment it names one ticket type.
    ExcludeConstraint(
        ("event_id", "="),
        ("code", "="),
        (sql("tstzrange(sales_start, sales_end)"), "&&"),
        name="ex_ticket_types_one_per_code_and_time",
        using="gist",
        where=sql("is_active"),
    ),
    Index(None, "event_id", "price", "position", "id"),
)
