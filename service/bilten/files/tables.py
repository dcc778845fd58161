"""Files, their versions, what was found in them, and what their owners may store.

The bytes lie in two buckets. `file_versions.status` alone decides whether any of them may be served: only a version
that is clean has a key in the media bucket, and the database refuses one that has a key and is not clean.

`files` repeats of its current version what lists filter and sort by, so that a page of a list is one walk of an index.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy import text as sql

from bilten.db.metadata import (
    at_least_zero,
    counter,
    created_at,
    id_column,
    length,
    metadata,
    one_of,
    required_text,
    sha256_sized,
    timestamp,
    updated_at,
)

STATUSES = ("pending", "scanning", "clean", "infected", "unscannable", "error")
VISIBILITIES = ("private", "public")
VERDICTS = ("clean", "infected", "unscannable")
#: The last part but one of its public addresses.
PLACES = ("files", "profiles", "events", "gallery")
#: Whether a file stays until it is deleted, or goes when nothing refers to it any more.
RETENTIONS = ("kept", "referenced")

# chr(10) between the parts: a phrase must not match across the end of one and the start of the next. What joins the
# parts of an array is not immutable, so tags become text by way of a tsvector, which puts quotes around each.
_TAGS_TEXT = "translate(array_to_tsvector(array_remove(array_remove(tags, null), ''))::text, chr(39), ' ')"
_SEARCH_TEXT = f"lower(name || chr(10) || coalesce(alt_text, '') || chr(10) || {_TAGS_TEXT})"
_FOLDER = "folder = '/' or (folder ~ '^(/[^/]+)+$' and folder !~ '/[.]{1,2}(/|$)')"


def _type_and_size() -> list[Column[object]]:
    return [required_text("media_type"), Column("size_bytes", BigInteger, nullable=False)]


files = Table(
    "files",
    metadata,
    id_column(),
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="RESTRICT"), nullable=False),
    required_text("name"),
    required_text("folder", server_default=sql("'/'")),
    Column("tags", ARRAY(Text), nullable=False, server_default=sql("'{}'")),
    Column("alt_text", Text),
    required_text("visibility", server_default=sql("'private'")),
    required_text("place", server_default=sql("'files'")),
    required_text("retention", server_default=sql("'kept'")),
    Column("link_epoch", Integer, nullable=False, server_default=sql("0"), comment="Signed links of others are void."),
    Column("version", Integer, nullable=False, server_default=sql("1"), comment="The number of the current one."),
    required_text("status", server_default=sql("'pending'")),
    # In the order of bytes, so that an index finds all of `image/`.
    Column("media_type", Text(collation="C"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    created_at(),
    updated_at(),
    Column("search_text", Text, Computed(_SEARCH_TEXT, persisted=True)),
    length("name", at_least=1, at_most=255),
    length("folder", at_least=1, at_most=500),
    CheckConstraint(_FOLDER, name="folder_form"),
    CheckConstraint(
        "cardinality(tags) <= 50 and array_position(tags, null) is null and array_position(tags, '') is null",
        name="tags_sound",
    ),
    length("alt_text", at_most=1000),
    one_of("visibility", *VISIBILITIES),
    one_of("place", *PLACES),
    one_of("retention", *RETENTIONS),
    at_least_zero("link_epoch"),
    CheckConstraint("version >= 1", name="version_positive"),
    one_of("status", *STATUSES),
    length("media_type", at_least=1, at_most=100),
    at_least_zero("size_bytes"),
    # What most lists are filtered by is in the index, so that counting them reads nothing else.
    Index("ix_files_owner_created_at", "owner_id", "created_at", "id", postgresql_include=["visibility", "status"]),
    Index("ix_files_owner_name", "owner_id", sql("lower(name)"), "id"),
    Index("ix_files_owner_size", "owner_id", "size_bytes", "id", postgresql_include=["created_at"]),
    Index("ix_files_owner_folder", "owner_id", "folder", "created_at", "id"),
    Index("ix_files_owner_media_type", "owner_id", "media_type", "created_at", "id"),
    # Admins list the files of all.
    Index("ix_files_created_at", "created_at", "id", postgresql_include=["visibility", "status"]),
    Index("ix_files_name", sql("lower(name)"), "id"),
    Index("ix_files_size", "size_bytes", "id", postgresql_include=["created_at"]),
    Index("ix_files_folder", "folder", "created_at", "id"),
    Index("ix_files_media_type", "media_type", "created_at", "id"),
    Index("ix_files_not_clean", "status", "created_at", "id", postgresql_where=sql("status <> 'clean'")),
    Index("ix_files_search", "search_text", postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"}),
    Index("ix_files_tags", "tags", postgresql_using="gin"),
)

file_versions = Table(
    "file_versions",
    metadata,
    id_column(),
    Column("file_id", Uuid, ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    required_text("status", server_default=sql("'pending'")),
    *_type_and_size(),
    Column("sha256", LargeBinary, nullable=False),
    Column("reason", Text, comment="Why it is not clean, in words for its owner."),
    Column("engine", Text),
    Column("signatures", Text, comment="The version of the engine's signatures."),
    timestamp("scanned_at"),
    Column("served_key", Text, unique=True, comment="In the media bucket; what its address serves."),
    Column("served_type", Text),
    Column("served_size", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("placeholder", Text),
    Column("mean_color", Text),
    created_at(),
    UniqueConstraint("file_id", "number"),
    CheckConstraint("number >= 1", name="number_positive"),
    one_of("status", *STATUSES),
    length("media_type", at_least=1, at_most=100),
    CheckConstraint("size_bytes >= 1", name="size_bytes_positive"),
    sha256_sized("sha256"),
    length("reason", at_least=1, at_most=500),
    length("engine", at_least=1, at_most=200),
    length("signatures", at_least=1, at_most=100),
    CheckConstraint("(status = 'clean') = (served_key is not null)", name="only_clean_is_served"),
    CheckConstraint("num_nonnulls(served_key, served_type, served_size) in (0, 3)", name="served_complete"),
    CheckConstraint("(status in ('clean', 'infected')) <= (scanned_at is not null)", name="verdict_has_time"),
    CheckConstraint("num_nonnulls(engine, signatures, scanned_at) in (0, 3)", name="verdict_complete"),
    length("served_key", at_least=1, at_most=200),
    length("served_type", at_least=1, at_most=100),
    CheckConstraint("served_size >= 1", name="served_size_positive"),
    CheckConstraint("num_nonnulls(width, height) in (0, 2) and width >= 1 and height >= 1", name="dimensions_sound"),
    length("placeholder", at_least=1, at_most=4000),
    CheckConstraint("mean_color ~ '^#[0-9a-f]{6}$'", name="mean_color_form"),
    # What waits for the worker, and what new signatures have yet to see, newest first.
    Index("ix_file_versions_open", "created_at", postgresql_where=sql("status in ('pending', 'scanning')")),
    Index("ix_file_versions_clean", "created_at", "id", postgresql_where=sql("status = 'clean'")),
    Index(None, "sha256"),
)

file_variants = Table(
    "file_variants",
    metadata,
    Column("version_id", Uuid, ForeignKey("file_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("media_type", Text, primary_key=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    required_text("key", unique=True),
    length("name", at_least=1, at_most=50),
    length("media_type", at_least=1, at_most=100),
    CheckConstraint("width >= 1 and height >= 1", name="dimensions_positive"),
    CheckConstraint("size_bytes >= 1", name="size_bytes_positive"),
    length("key", at_least=1, at_most=200),
)

file_verdicts = Table(
    "file_verdicts",
    metadata,
    id_column(),
    Column("sha256", LargeBinary, nullable=False),
    required_text("word"),
    Column("signature", Text, comment="The name of what was found."),
    required_text("engine"),
    required_text("signatures"),
    required_text("limits_profile"),
    timestamp("at", nullable=False, server_default=sql("now()")),
    sha256_sized("sha256"),
    one_of("word", *VERDICTS),
    length("signature", at_least=1, at_most=300),
    length("engine", at_least=1, at_most=200),
    length("signatures", at_least=1, at_most=100),
    length("limits_profile", at_least=1, at_most=100),
    # The last word on some bytes, whoever sends them.
    Index("ix_file_verdicts_newest", "sha256", sql("at desc")),
)

file_uploads = Table(
    "file_uploads",
    metadata,
    id_column(),
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("file_id", Uuid, ForeignKey("files.id", ondelete="CASCADE"), comment="What it became."),
    required_text("name"),
    *_type_and_size(),
    Column("sha256", LargeBinary, nullable=False),
    required_text("folder"),
    Column("tags", ARRAY(Text), nullable=False, server_default=sql("'{}'")),
    Column("alt_text", Text),
    required_text("visibility"),
    created_at(),
    timestamp("expires_at", nullable=False),
    length("name", at_least=1, at_most=255),
    length("media_type", at_least=1, at_most=100),
    CheckConstraint("size_bytes >= 1", name="size_bytes_positive"),
    sha256_sized("sha256"),
    length("folder", at_least=1, at_most=500),
    one_of("visibility", *VISIBILITIES),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index(None, "owner_id"),
    Index(None, "file_id"),
    Index(None, "expires_at"),
)

file_quotas = Table(
    "file_quotas",
    metadata,
    Column("owner_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    counter("used_bytes", BigInteger),
    counter("reserved_bytes", BigInteger),
    timestamp("told_at", comment="When the owner last got a mail about a file."),
    at_least_zero("used_bytes"),
    at_least_zero("reserved_bytes"),
)

quota_reservations = Table(
    "quota_reservations",
    metadata,
    id_column(),
    Column("owner_id", Uuid, ForeignKey("file_quotas.owner_id", ondelete="CASCADE"), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    created_at(),
    timestamp("expires_at", nullable=False),
    at_least_zero("size_bytes"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index(None, "owner_id"),
    Index(None, "expires_at"),
)

file_references = Table(
    "file_references",
    metadata,
    id_column(),
    Column("file_id", Uuid, ForeignKey("files.id", ondelete="CASCADE"), nullable=False),
    required_text("purpose"),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE")),
    Column("event_id", Uuid, ForeignKey("events.id", ondelete="CASCADE")),
    Column("article_id", Uuid, ForeignKey("articles.id", ondelete="CASCADE")),
    created_at(),
    one_of("purpose", "profile", "cover", "article"),
    CheckConstraint("num_nonnulls(user_id, event_id, article_id) = 1", name="of_one_thing"),
    UniqueConstraint("file_id", "purpose", "user_id", "event_id", "article_id", postgresql_nulls_not_distinct=True),
    Index(None, "user_id"),
    Index(None, "event_id"),
    Index(None, "article_id"),
)
