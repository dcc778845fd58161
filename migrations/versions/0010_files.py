"""Files, their versions and variants, verdicts, uploads under way, quotas and references.

Undone by dropping the tables, and with them everything in them: the objects in the buckets are orphans from then on,
which the sweep of the version that knows files removes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_verdicts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), comment="The name of what was found."),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("signatures", sa.Text(), nullable=False),
        sa.Column("limits_profile", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("word in ('clean', 'infected', 'unscannable')", name=op.f("ck_file_verdicts_word_known")),
        sa.CheckConstraint("char_length(engine) between 1 and 200", name=op.f("ck_file_verdicts_engine_length")),
        sa.CheckConstraint(
            "char_length(limits_profile) between 1 and 100", name=op.f("ck_file_verdicts_limits_profile_length")
        ),
        sa.CheckConstraint("char_length(signature) between 1 and 300", name=op.f("ck_file_verdicts_signature_length")),
        sa.CheckConstraint(
            "char_length(signatures) between 1 and 100", name=op.f("ck_file_verdicts_signatures_length")
        ),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_file_verdicts_sha256_is_sha256")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_verdicts")),
    )
    op.create_index("ix_file_verdicts_newest", "file_verdicts", ["sha256", sa.literal_column("at desc")])
    op.create_table(
        "file_quotas",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), comment="When the owner last got a mail about a file."),
        sa.CheckConstraint("reserved_bytes >= 0", name=op.f("ck_file_quotas_reserved_bytes_not_negative")),
        sa.CheckConstraint("used_bytes >= 0", name=op.f("ck_file_quotas_used_bytes_not_negative")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_file_quotas_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_file_quotas")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), server_default=sa.text("'/'"), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("alt_text", sa.Text()),
        sa.Column("visibility", sa.Text(), server_default=sa.text("'private'"), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("'files'"), nullable=False),
        sa.Column("retention", sa.Text(), server_default=sa.text("'kept'"), nullable=False),
        sa.Column(
            "link_epoch",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Signed links of others are void.",
        ),
        sa.Column(
            "version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
            comment="The number of the current one.",
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("media_type", sa.Text(collation="C"), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "search_text",
            sa.Text(),
            sa.Computed(
                "lower(name || chr(10) || coalesce(alt_text, '') || chr(10)"
                " || translate(array_to_tsvector(array_remove(array_remove(tags, null), ''))::text, chr(39), ' '))",
                persisted=True,
            ),
        ),
        sa.CheckConstraint(
            "folder = '/' or (folder ~ '^(/[^/]+)+$' and folder !~ '/[.]{1,2}(/|$)')", name=op.f("ck_files_folder_form")
        ),
        sa.CheckConstraint("place in ('files', 'profiles', 'events', 'gallery')", name=op.f("ck_files_place_known")),
        sa.CheckConstraint("retention in ('kept', 'referenced')", name=op.f("ck_files_retention_known")),
        sa.CheckConstraint(
            "status in ('pending', 'scanning', 'clean', 'infected', 'unscannable', 'error')",
            name=op.f("ck_files_status_known"),
        ),
        sa.CheckConstraint("visibility in ('private', 'public')", name=op.f("ck_files_visibility_known")),
        sa.CheckConstraint(
            "cardinality(tags) <= 50 and array_position(tags, null) is null and array_position(tags, '') is null",
            name=op.f("ck_files_tags_sound"),
        ),
        sa.CheckConstraint("char_length(alt_text) between 0 and 1000", name=op.f("ck_files_alt_text_length")),
        sa.CheckConstraint("char_length(folder) between 1 and 500", name=op.f("ck_files_folder_length")),
        sa.CheckConstraint("char_length(media_type) between 1 and 100", name=op.f("ck_files_media_type_length")),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_files_name_length")),
        sa.CheckConstraint("link_epoch >= 0", name=op.f("ck_files_link_epoch_not_negative")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_files_size_bytes_not_negative")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_files_version_positive")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_files_owner_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index("ix_files_created_at", "files", ["created_at", "id"], postgresql_include=["visibility", "status"])
    op.create_index("ix_files_folder", "files", ["folder", "created_at", "id"])
    op.create_index("ix_files_media_type", "files", ["media_type", "created_at", "id"])
    op.create_index(
        "ix_files_not_clean", "files", ["status", "created_at", "id"], postgresql_where=sa.text("status <> 'clean'")
    )
    op.create_index("ix_files_name", "files", [sa.literal_column("lower(name)"), "id"])
    op.create_index(
        "ix_files_owner_created_at",
        "files",
        ["owner_id", "created_at", "id"],
        postgresql_include=["visibility", "status"],
    )
    op.create_index("ix_files_owner_folder", "files", ["owner_id", "folder", "created_at", "id"])
    op.create_index("ix_files_owner_media_type", "files", ["owner_id", "media_type", "created_at", "id"])
    op.create_index("ix_files_owner_name", "files", ["owner_id", sa.literal_column("lower(name)"), "id"])
    op.create_index("ix_files_owner_size", "files", ["owner_id", "size_bytes", "id"])
    op.create_index("ix_files_size", "files", ["size_bytes", "id"])
    op.create_index(
        "ix_files_search",
        "files",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )
    op.create_index("ix_files_tags", "files", ["tags"], postgresql_using="gin")
    op.create_table(
        "file_references",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid()),
        sa.Column("event_id", sa.Uuid()),
        sa.Column("article_id", sa.Uuid()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("purpose in ('profile', 'cover', 'article')", name=op.f("ck_file_references_purpose_known")),
        sa.CheckConstraint(
            "num_nonnulls(user_id, event_id, article_id) = 1", name=op.f("ck_file_references_of_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_file_references_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_file_references_event_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_file_references_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_file_references_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_references")),
        sa.UniqueConstraint(
            "file_id",
            "purpose",
            "user_id",
            "event_id",
            "article_id",
            name=op.f("uq_file_references_file_id_purpose_user_id_event_id_article_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_file_references_article_id"), "file_references", ["article_id"])
    op.create_index(op.f("ix_file_references_event_id"), "file_references", ["event_id"])
    op.create_index(op.f("ix_file_references_user_id"), "file_references", ["user_id"])
    op.create_table(
        "file_uploads",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), comment="What it became."),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("alt_text", sa.Text()),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("visibility in ('private', 'public')", name=op.f("ck_file_uploads_visibility_known")),
        sa.CheckConstraint("char_length(folder) between 1 and 500", name=op.f("ck_file_uploads_folder_length")),
        sa.CheckConstraint("char_length(media_type) between 1 and 100", name=op.f("ck_file_uploads_media_type_length")),
        sa.CheckConstraint("char_length(name) between 1 and 255", name=op.f("ck_file_uploads_name_length")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_file_uploads_expires_later")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_file_uploads_sha256_is_sha256")),
        sa.CheckConstraint("size_bytes >= 1", name=op.f("ck_file_uploads_size_bytes_positive")),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_file_uploads_file_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_file_uploads_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_uploads")),
    )
    op.create_index(op.f("ix_file_uploads_expires_at"), "file_uploads", ["expires_at"])
    op.create_index(op.f("ix_file_uploads_file_id"), "file_uploads", ["file_id"])
    op.create_index(op.f("ix_file_uploads_owner_id"), "file_uploads", ["owner_id"])
    op.create_table(
        "file_versions",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), comment="Why it is not clean, in words for its owner."),
        sa.Column("engine", sa.Text()),
        sa.Column("signatures", sa.Text(), comment="The version of the engine's signatures."),
        sa.Column("scanned_at", sa.DateTime(timezone=True)),
        sa.Column("served_key", sa.Text(), comment="In the media bucket; what its address serves."),
        sa.Column("served_type", sa.Text()),
        sa.Column("served_size", sa.BigInteger()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("placeholder", sa.Text()),
        sa.Column("mean_color", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(status = 'clean') = (served_key is not null)", name=op.f("ck_file_versions_only_clean_is_served")
        ),
        sa.CheckConstraint(
            "(status in ('clean', 'infected')) <= (scanned_at is not null)",
            name=op.f("ck_file_versions_verdict_has_time"),
        ),
        sa.CheckConstraint("mean_color ~ '^#[0-9a-f]{6}$'", name=op.f("ck_file_versions_mean_color_form")),
        sa.CheckConstraint(
            "status in ('pending', 'scanning', 'clean', 'infected', 'unscannable', 'error')",
            name=op.f("ck_file_versions_status_known"),
        ),
        sa.CheckConstraint("char_length(engine) between 1 and 200", name=op.f("ck_file_versions_engine_length")),
        sa.CheckConstraint(
            "char_length(media_type) between 1 and 100", name=op.f("ck_file_versions_media_type_length")
        ),
        sa.CheckConstraint(
            "char_length(placeholder) between 1 and 4000", name=op.f("ck_file_versions_placeholder_length")
        ),
        sa.CheckConstraint("char_length(reason) between 1 and 500", name=op.f("ck_file_versions_reason_length")),
        sa.CheckConstraint(
            "char_length(served_key) between 1 and 200", name=op.f("ck_file_versions_served_key_length")
        ),
        sa.CheckConstraint(
            "char_length(served_type) between 1 and 100", name=op.f("ck_file_versions_served_type_length")
        ),
        sa.CheckConstraint(
            "char_length(signatures) between 1 and 100", name=op.f("ck_file_versions_signatures_length")
        ),
        sa.CheckConstraint(
            "num_nonnulls(engine, signatures, scanned_at) in (0, 3)", name=op.f("ck_file_versions_verdict_complete")
        ),
        sa.CheckConstraint(
            "num_nonnulls(served_key, served_type, served_size) in (0, 3)",
            name=op.f("ck_file_versions_served_complete"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(width, height) in (0, 2) and width >= 1 and height >= 1",
            name=op.f("ck_file_versions_dimensions_sound"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_file_versions_number_positive")),
        sa.CheckConstraint("octet_length(sha256) = 32", name=op.f("ck_file_versions_sha256_is_sha256")),
        sa.CheckConstraint("served_size >= 1", name=op.f("ck_file_versions_served_size_positive")),
        sa.CheckConstraint("size_bytes >= 1", name=op.f("ck_file_versions_size_bytes_positive")),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_file_versions_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_versions")),
        sa.UniqueConstraint("file_id", "number", name=op.f("uq_file_versions_file_id_number")),
        sa.UniqueConstraint("served_key", name=op.f("uq_file_versions_served_key")),
    )
    op.create_index(
        "ix_file_versions_clean", "file_versions", ["created_at", "id"], postgresql_where=sa.text("status = 'clean'")
    )
    op.create_index(
        "ix_file_versions_open",
        "file_versions",
        ["created_at"],
        postgresql_where=sa.text("status in ('pending', 'scanning')"),
    )
    op.create_index(op.f("ix_file_versions_sha256"), "file_versions", ["sha256"])
    op.create_table(
        "quota_reservations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_quota_reservations_expires_later")),
        sa.CheckConstraint("size_bytes >= 0", name=op.f("ck_quota_reservations_size_bytes_not_negative")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["file_quotas.owner_id"], name=op.f("fk_quota_reservations_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_reservations")),
    )
    op.create_index(op.f("ix_quota_reservations_expires_at"), "quota_reservations", ["expires_at"])
    op.create_index(op.f("ix_quota_reservations_owner_id"), "quota_reservations", ["owner_id"])
    op.create_table(
        "file_variants",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.CheckConstraint("char_length(key) between 1 and 200", name=op.f("ck_file_variants_key_length")),
        sa.CheckConstraint(
            "char_length(media_type) between 1 and 100", name=op.f("ck_file_variants_media_type_length")
        ),
        sa.CheckConstraint("char_length(name) between 1 and 50", name=op.f("ck_file_variants_name_length")),
        sa.CheckConstraint("size_bytes >= 1", name=op.f("ck_file_variants_size_bytes_positive")),
        sa.CheckConstraint("width >= 1 and height >= 1", name=op.f("ck_file_variants_dimensions_positive")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["file_versions.id"], name=op.f("fk_file_variants_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "name", "media_type", name=op.f("pk_file_variants")),
        sa.UniqueConstraint("key", name=op.f("uq_file_variants_key")),
    )
    op.execute(
        "create trigger set_updated_at before update on files"
        " for each row execute function set_updated_at('search_text')"
    )


def downgrade() -> None:
    op.drop_table("file_variants")
    op.drop_table("quota_reservations")
    op.drop_table("file_versions")
    op.drop_table("file_uploads")
    op.drop_table("file_references")
    op.drop_table("files")
    op.drop_table("file_quotas")
    op.drop_table("file_verdicts")
