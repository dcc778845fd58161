"""Who may sign in, where they are signed in, and what ends that.

Secrets are stored as hashes only. The access tokens themselves are nowhere: `users.token_epoch`, a session's
`revoked_at` and `revoked_tokens` say which of them are void.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import INET

from bilten.db.metadata import (
    at_least_zero,
    counter,
    created_at,
    id_column,
    legacy_id_column,
    length,
    metadata,
    one_of,
    required_text,
    sha256_sized,
    timestamp,
    updated_at,
)

ROLES = ("user", "organizer", "admin")
STATUSES = ("active", "suspended", "deleted")
ONE_TIME_PURPOSES = ("verify_email", "reset_password", "change_email")

users = Table(
    "users",
    metadata,
    id_column(),
    legacy_id_column(),
    required_text("email", unique=True),
    required_text("password_hash"),
    required_text("first_name"),
    required_text("last_name"),
    required_text("role", server_default=sql("'user'")),
    Column("requested_role", Text),
    required_text("status", server_default=sql("'active'")),
    Column("is_verified", Boolean, nullable=False, server_default=sql("false")),
    Column("pending_email", Text),
    Column("phone", Text),
    Column("bio", Text),
    Column("date_of_birth", Date),
    Column("address", Text),
    Column("city", Text),
    Column("country", Text),
    Column("profile_image_url", Text),
    counter("token_epoch", Integer),
    created_at(),
    updated_at(),
    length("email", at_least=3, at_most=254),
    CheckConstraint("email = lower(btrim(email))", name="email_normal"),
    length("password_hash", at_least=1, at_most=500),
    length("first_name", at_least=1, at_most=100),
    length("last_name", at_most=100),
    one_of("role", *ROLES),
    one_of("requested_role", "organizer"),
    one_of("status", *STATUSES),
    length("pending_email", at_least=3, at_most=254),
    CheckConstraint("pending_email = lower(btrim(pending_email))", name="pending_email_normal"),
    length("phone", at_most=32),
    length("bio", at_most=2000),
    length("address", at_most=1000),
    length("city", at_most=100),
    length("country", at_most=100),
    length("profile_image_url", at_most=2000),
    at_least_zero("token_epoch"),
)

sessions = Table(
    "sessions",
    metadata,
    id_column(),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    created_at(),
    timestamp("last_used_at", nullable=False, server_default=sql("now()")),
    timestamp("expires_at", nullable=False),
    Column("user_agent", Text),
    Column("address", INET),
    timestamp("revoked_at"),
    Column("revoked_reason", Text),
    length("user_agent", at_most=400),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    CheckConstraint("(revoked_at is null) = (revoked_reason is null)", name="revoked_with_reason"),
    length("revoked_reason", at_least=1, at_most=100),
    Index(None, "user_id", "created_at"),
    Index(None, "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    id_column(),
    Column("session_id", Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    created_at(),
    timestamp("expires_at", nullable=False),
    timestamp("replaced_at"),
    # Deferred, because rotation marks the old row, in one conditional update, before its successor exists.
    Column(
        "replaced_by",
        Uuid,
        ForeignKey("refresh_tokens.id", ondelete="SET NULL", deferrable=True, initially="DEFERRED"),
    ),
    sha256_sized("token_hash"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    CheckConstraint("replaced_by is null or replaced_at is not null", name="replaced_by_has_time"),
    CheckConstraint("replaced_by <> id", name="replaced_by_another"),
    Index("uq_refresh_tokens_live", "session_id", unique=True, postgresql_where=sql("replaced_at is null")),
    Index(None, "session_id"),
    Index(None, "replaced_by"),
    Index(None, "expires_at"),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("jti", Uuid, primary_key=True),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    timestamp("expires_at", nullable=False),
    required_text("reason"),
    created_at(),
    length("reason", at_least=1, at_most=100),
    Index(None, "expires_at"),
    Index(None, "user_id"),
)

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    id_column(),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    required_text("purpose"),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("email", Text, comment="The address this token proves; it may have changed since."),
    created_at(),
    timestamp("expires_at", nullable=False),
    timestamp("used_at"),
    one_of("purpose", *ONE_TIME_PURPOSES),
    sha256_sized("token_hash"),
    length("email", at_least=3, at_most=254),
    CheckConstraint("purpose <> 'change_email' or email is not null", name="change_names_email"),
    CheckConstraint("expires_at > created_at", name="expires_later"),
    Index(None, "user_id", "purpose"),
    Index(None, "expires_at"),
)
