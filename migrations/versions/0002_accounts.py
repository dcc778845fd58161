"""Accounts: users, sessions, refresh tokens, revocations and one-time tokens.

Undone by dropping the tables, and with them everything in them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("legacy_id", sa.Integer()),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), server_default=sa.text("'user'"), nullable=False),
        sa.Column("requested_role", sa.Text()),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pending_email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("bio", sa.Text()),
        sa.Column("date_of_birth", sa.Date()),
        sa.Column("address", sa.Text()),
        sa.Column("city", sa.Text()),
        sa.Column("country", sa.Text()),
        sa.Column("profile_image_url", sa.Text()),
        sa.Column("token_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("requested_role in ('organizer')", name=op.f("ck_users_requested_role_known")),
        sa.CheckConstraint("role in ('user', 'organizer', 'admin')", name=op.f("ck_users_role_known")),
        sa.CheckConstraint("status in ('active', 'suspended', 'deleted')", name=op.f("ck_users_status_known")),
        sa.CheckConstraint("char_length(address) between 0 and 1000", name=op.f("ck_users_address_length")),
        sa.CheckConstraint("char_length(bio) between 0 and 2000", name=op.f("ck_users_bio_length")),
        sa.CheckConstraint("char_length(city) between 0 and 100", name=op.f("ck_users_city_length")),
        sa.CheckConstraint("char_length(country) between 0 and 100", name=op.f("ck_users_country_length")),
        sa.CheckConstraint("char_length(email) between 3 and 254", name=op.f("ck_users_email_length")),
        sa.CheckConstraint("char_length(first_name) between 1 and 100", name=op.f("ck_users_first_name_length")),
        sa.CheckConstraint("char_length(last_name) between 0 and 100", name=op.f("ck_users_last_name_length")),
        sa.CheckConstraint("char_length(password_hash) between 1 and 500", name=op.f("ck_users_password_hash_length")),
        sa.CheckConstraint("char_length(pending_email) between 3 and 254", name=op.f("ck_users_pending_email_length")),
        sa.CheckConstraint("char_length(phone) between 0 and 32", name=op.f("ck_users_phone_length")),
        sa.CheckConstraint(
            "char_length(profile_image_url) between 0 and 2000", name=op.f("ck_users_profile_image_url_length")
        ),
        sa.CheckConstraint("email = lower(btrim(email))", name=op.f("ck_users_email_normal")),
        sa.CheckConstraint("pending_email = lower(btrim(pending_email))", name=op.f("ck_users_pending_email_normal")),
        sa.CheckConstraint("token_epoch >= 0", name=op.f("ck_users_token_epoch_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("legacy_id", name=op.f("uq_users_legacy_id")),
    )
    op.create_table(
        "one_time_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("email", sa.Text(), comment="The address this token proves; it may have changed since."),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "purpose <> 'change_email' or email is not null", name=op.f("ck_one_time_tokens_change_names_email")
        ),
        sa.CheckConstraint(
            "purpose in ('verify_email', 'reset_password', 'change_email')",
            name=op.f("ck_one_time_tokens_purpose_known"),
        ),
        sa.CheckConstraint("char_length(email) between 3 and 254", name=op.f("ck_one_time_tokens_email_length")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_one_time_tokens_expires_later")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_one_time_tokens_token_hash_is_sha256")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_one_time_tokens_token_hash")),
    )
    op.create_index(op.f("ix_one_time_tokens_expires_at"), "one_time_tokens", ["expires_at"])
    op.create_index(op.f("ix_one_time_tokens_user_id_purpose"), "one_time_tokens", ["user_id", "purpose"])
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("char_length(reason) between 1 and 100", name=op.f("ck_revoked_tokens_reason_length")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_revoked_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_revoked_tokens")),
    )
    op.create_index(op.f("ix_revoked_tokens_expires_at"), "revoked_tokens", ["expires_at"])
    op.create_index(op.f("ix_revoked_tokens_user_id"), "revoked_tokens", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_agent", sa.Text()),
        sa.Column("address", postgresql.INET()),
        sa.Column("revoked_at", sa.DateTime(timezone=True)),
        sa.Column("revoked_reason", sa.Text()),
        sa.CheckConstraint(
            "(revoked_at is null) = (revoked_reason is null)", name=op.f("ck_sessions_revoked_with_reason")
        ),
        sa.CheckConstraint(
            "char_length(revoked_reason) between 1 and 100", name=op.f("ck_sessions_revoked_reason_length")
        ),
        sa.CheckConstraint("char_length(user_agent) between 0 and 400", name=op.f("ck_sessions_user_agent_length")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_sessions_expires_later")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])
    op.create_index(op.f("ix_sessions_user_id_created_at"), "sessions", ["user_id", "created_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True)),
        sa.Column("replaced_by", sa.Uuid()),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_refresh_tokens_expires_later")),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_refresh_tokens_token_hash_is_sha256")),
        sa.CheckConstraint("replaced_by <> id", name=op.f("ck_refresh_tokens_replaced_by_another")),
        sa.CheckConstraint(
            "replaced_by is null or replaced_at is not null", name=op.f("ck_refresh_tokens_replaced_by_has_time")
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            ["refresh_tokens.id"],
            name=op.f("fk_refresh_tokens_replaced_by"),
            ondelete="SET NULL",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_refresh_tokens_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_tokens")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_refresh_tokens_token_hash")),
    )
    op.create_index(op.f("ix_refresh_tokens_replaced_by"), "refresh_tokens", ["replaced_by"])
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"])
    op.create_index(
        "uq_refresh_tokens_live",
        "refresh_tokens",
        ["session_id"],
        unique=True,
        postgresql_where=sa.text("replaced_at is null"),
    )
    op.execute("create trigger set_updated_at before update on users for each row execute function set_updated_at()")


def downgrade() -> None:
    op.drop_table("one_time_tokens")
    op.drop_table("revoked_tokens")
    op.drop_table("refresh_tokens")
    op.drop_table("sessions")
    op.drop_table("users")
