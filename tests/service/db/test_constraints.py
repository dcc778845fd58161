"""The database refuses what the code should have refused, and names the rule."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from bilten.db.database import Database
from bilten.db.errors import violated_constraint
from bilten.db.schema import metadata
from bilten.db.seeds.rows import event_id
from sqlalchemy import CheckConstraint, exc, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from support.rows import LATER, NOW, Row, valid_rows

_MOST_CHARACTERS = {
    "users": {"email": 254, "password_hash": 500, "first_name": 100, "last_name": 100, "phone": 32, "bio": 2000,
              "address": 1000, "city": 100, "country": 100, "profile_image_url": 2000, "pending_email": 254},
    "sessions": {"user_agent": 400},
    "revoked_tokens": {"reason": 100},
    "one_time_tokens": {"email": 254},
    "events": {"title": 255, "description": 20000, "category": 100, "venue_name": 255, "venue_address": 1000,
               "city": 100, "country": 100, "timezone": 64, "cover_image_url": 2000,
               "organizer_display_first_name": 100, "organizer_display_last_name": 100},
    "ticket_types": {"code": 50, "name": 100, "description": 2000},
    "articles": {"slug": 200, "title": 255, "excerpt": 2000, "content": 200000, "category": 100, "author": 200,
                 "featured_image_url": 2000},
    "files": {"name": 255, "alt_text": 1000, "media_type": 100},
    "file_versions": {"media_type": 100, "reason": 500, "placeholder": 4000},
    "file_variants": {"name": 50, "media_type": 100, "key": 200},
    "file_verdicts": {"signature": 300, "engine": 200, "signatures": 100, "limits_profile": 100},
    "file_uploads": {"name": 255, "media_type": 100, "folder": 500},
    "jobs": {"kind": 100, "last_error": 4000, "dedupe_key": 255},
    "mails": {"to_address": 320, "subject": 998},
    "audit_log": {"action": 100, "entity": 100, "entity_id": 200, "request_id": 128},
    "idempotency_keys": {"principal": 100, "route": 200, "key": 255},
}  # fmt: skip

_SCANNED: Row = {"engine": "e", "signatures": "s", "scanned_at": NOW}
_SERVED: Row = {"status": "clean", "served_key": "k", "served_type": "t", "served_size": 1} | _SCANNED
_REVOKED = {"revoked_at": NOW, "revoked_reason": ""}
_LONG = [(table, column, most) for table, of in _MOST_CHARACTERS.items() for column, most in of.items()]

#: Table, the values that spoil a valid row, the end of the constraint's name.
BAD: list[tuple[str, Row, str]] = [
    *((table, {column: "x" * (most + 1)}, f"{column}_length") for table, column, most in _LONG),
    ("users", {"email": ""}, "email_length"),
    ("users", {"email": "Mixed@example.com"}, "email_normal"),
    ("users", {"email": " spaced@example.com"}, "email_normal"),
    ("users", {"pending_email": "Mixed@example.com"}, "pending_email_normal"),
    ("users", {"first_name": ""}, "first_name_length"),
    ("users", {"role": "root"}, "role_known"),
    ("users", {"requested_role": "admin"}, "requested_role_known"),
    ("users", {"status": "gone"}, "status_known"),
    ("users", {"token_epoch": -1}, "token_epoch_not_negative"),
    ("sessions", {"expires_at": NOW}, "expires_later"),
    ("sessions", {"revoked_at": NOW}, "revoked_with_reason"),
    ("sessions", _REVOKED, "revoked_reason_length"),
    ("refresh_tokens", {"token_hash": b"short"}, "token_hash_is_sha256"),
    ("refresh_tokens", {"expires_at": NOW}, "expires_later"),
    ("refresh_tokens", {"replaced_by": uuid4()}, "replaced_by_has_time"),
    ("one_time_tokens", {"token_hash": b"long" * 10}, "token_hash_is_sha256"),
    ("one_time_tokens", {"purpose": "open_sesame"}, "purpose_known"),
    ("one_time_tokens", {"purpose": "change_email"}, "change_names_email"),
    ("one_time_tokens", {"expires_at": NOW}, "expires_later"),
    ("events", {"end_date": NOW}, "ends_after_start"),
    ("events", {"max_attendees": 0}, "max_attendees_range"),
    ("events", {"max_attendees": 10_000_001}, "max_attendees_range"),
    ("events", {"base_price": Decimal("-0.01")}, "base_price_range"),
    ("events", {"base_price": Decimal("NaN")}, "base_price_range"),
    ("events", {"base_price": 5, "is_free": True}, "free_costs_nothing"),
    ("events", {"currency": "usd"}, "currency_iso_4217"),
    ("events", {"currency": "USDT"}, "currency_iso_4217"),
    ("events", {"status": "live"}, "status_known"),
    ("events", {"title": ""}, "title_length"),
    ("events", {"view_count": -1}, "view_count_not_negative"),
    ("events", {"bookmark_count": -1}, "bookmark_count_not_negative"),
    ("events", {"registration_count": -1}, "registration_count_not_negative"),
    ("ticket_types", {"price": -1}, "price_range"),
    ("ticket_types", {"price": Decimal("NaN")}, "price_range"),
    ("ticket_types", {"currency": "E"}, "currency_iso_4217"),
    ("ticket_types", {"sold": -1}, "sold_not_negative"),
    ("ticket_types", {"reserved": -1}, "reserved_not_negative"),
    ("ticket_types", {"sold": 6, "reserved": 5}, "not_oversold"),
    ("ticket_types", {"sold": 2_147_483_647, "reserved": 2_147_483_647}, "not_oversold"),
    ("ticket_types", {"max_per_order": 11}, "max_per_order_range"),
    ("ticket_types", {"sales_start": NOW, "sales_end": NOW}, "sales_end_after_start"),
    ("ticket_types", {"position": -1}, "position_not_negative"),
    ("articles", {"slug": "Not A Slug"}, "slug_form"),
    ("articles", {"view_count": -1}, "view_count_not_negative"),
    ("articles", {"read_time": 0}, "read_time_positive"),
    ("articles", {"tags": ["a", None]}, "tags_sound"),
    ("articles", {"tags": ["a"] * 51}, "tags_sound"),
    ("files", {"folder": "/" + "x" * 500}, "folder_length"),
    ("files", {"folder": "posters"}, "folder_form"),
    ("files", {"folder": "/posters/"}, "folder_form"),
    ("files", {"folder": "/a/../b"}, "folder_form"),
    ("files", {"tags": ["a", None]}, "tags_sound"),
    ("files", {"tags": ["a", ""]}, "tags_sound"),
    ("files", {"tags": ["a"] * 51}, "tags_sound"),
    ("files", {"visibility": "secret"}, "visibility_known"),
    ("files", {"place": "attic"}, "place_known"),
    ("files", {"retention": "lent"}, "retention_known"),
    ("files", {"link_epoch": -1}, "link_epoch_not_negative"),
    ("files", {"version": 0}, "version_positive"),
    ("files", {"status": "lost"}, "status_known"),
    ("files", {"size_bytes": -1}, "size_bytes_not_negative"),
    ("file_versions", {"number": 0}, "number_positive"),
    ("file_versions", {"status": "lost"}, "status_known"),
    ("file_versions", {"size_bytes": 0}, "size_bytes_positive"),
    ("file_versions", {"sha256": b"short"}, "sha256_is_sha256"),
    ("file_versions", _SCANNED | {"engine": "x" * 201}, "engine_length"),
    ("file_versions", _SCANNED | {"signatures": "x" * 101}, "signatures_length"),
    ("file_versions", _SERVED | {"status": "infected"}, "only_clean_is_served"),
    ("file_versions", _SERVED | {"status": "scanning"}, "only_clean_is_served"),
    ("file_versions", {"status": "clean"} | _SCANNED, "only_clean_is_served"),
    ("file_versions", _SERVED | {"served_type": None}, "served_complete"),
    ("file_versions", {"status": "infected"}, "verdict_has_time"),
    ("file_versions", {"engine": "e"}, "verdict_complete"),
    ("file_versions", _SERVED | {"served_key": "x" * 201}, "served_key_length"),
    ("file_versions", _SERVED | {"served_type": "x" * 101}, "served_type_length"),
    ("file_versions", _SERVED | {"served_size": 0}, "served_size_positive"),
    ("file_versions", {"width": 1}, "dimensions_sound"),
    ("file_versions", {"width": 1, "height": 0}, "dimensions_sound"),
    ("file_versions", {"mean_color": "red"}, "mean_color_form"),
    ("file_variants", {"width": 0}, "dimensions_positive"),
    ("file_variants", {"size_bytes": 0}, "size_bytes_positive"),
    ("file_verdicts", {"sha256": b""}, "sha256_is_sha256"),
    ("file_verdicts", {"word": "fine"}, "word_known"),
    ("file_uploads", {"size_bytes": 0}, "size_bytes_positive"),
    ("file_uploads", {"sha256": b""}, "sha256_is_sha256"),
    ("file_uploads", {"visibility": "secret"}, "visibility_known"),
    ("file_uploads", {"expires_at": NOW}, "expires_later"),
    ("file_quotas", {"used_bytes": -1}, "used_bytes_not_negative"),
    ("file_quotas", {"reserved_bytes": -1}, "reserved_bytes_not_negative"),
    ("quota_reservations", {"size_bytes": -1}, "size_bytes_not_negative"),
    ("quota_reservations", {"expires_at": NOW}, "expires_later"),
    ("file_references", {"purpose": "decoration"}, "purpose_known"),
    ("file_references", {"event_id": event_id(101)}, "of_one_thing"),
    ("file_references", {"user_id": None}, "of_one_thing"),
    ("jobs", {"payload": []}, "payload_is_object"),
    ("jobs", {"attempts": -1}, "attempts_not_negative"),
    ("jobs", {"max_attempts": 0}, "max_attempts_positive"),
    ("jobs", {"locked_by": "w"}, "lease_complete"),
    ("jobs", {"finished_at": NOW, "dead_at": NOW}, "one_end"),
    ("idempotency_keys", {"body_hash": b""}, "body_hash_is_sha256"),
    ("idempotency_keys", {"status": 100}, "status_range"),
    ("idempotency_keys", {"expires_at": NOW}, "expires_later"),
]  # fmt: skip


async def _insert(tx: AsyncConnection, table: str, values: Row) -> None:
    await tx.execute(metadata.tables[table].insert().values(values))


async def _refusal(tx: AsyncConnection, *inserts: tuple[str, Row]) -> str | None:
    """The constraint that refuses the last of these rows; None when it is taken. Leaves nothing behind."""
    async with tx.begin_nested() as attempt:
        for table, values in inserts[:-1]:
            await _insert(tx, table, values)
        try:
            async with tx.begin_nested():
                await _insert(tx, *inserts[-1])
                await tx.exec_driver_sql("set constraints all immediate")
        except exc.IntegrityError as error:
            return violated_constraint(error)
        finally:
            await attempt.rollback()
    return None


async def test_every_valid_row_is_taken(database: Database):
    async with database.transaction() as tx:
        for table, values in (await valid_rows(tx)).items():
            assert await _refusal(tx, (table, values)) is None, table


@pytest.mark.parametrize("table", sorted({table for table, *_ in BAD}))
async def test_a_row_that_breaks_a_rule_is_refused(database: Database, table: str):
    of_this = [(change, f"ck_{table}_{rule}") for name, change, rule in BAD if name == table]
    async with database.transaction() as tx:
        valid = (await valid_rows(tx))[table]
        refusals = [(change, await _refusal(tx, (table, valid | change))) for change, _ in of_this]
    assert refusals == of_this


def test_every_check_has_a_row_that_breaks_it():
    checks = {
        (table.name, constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    tested = {(table, f"ck_{table}_{rule}") for table, _, rule in BAD}
    # It needs the id of the row itself: see below.
    assert checks - tested == {("refresh_tokens", "ck_refresh_tokens_replaced_by_another")}


async def test_a_refresh_token_does_not_replace_itself(database: Database):
    own = uuid4()
    async with database.transaction() as tx:
        row = (await valid_rows(tx))["refresh_tokens"] | {"id": own, "replaced_at": NOW, "replaced_by": own}
        assert await _refusal(tx, ("refresh_tokens", row)) == "ck_refresh_tokens_replaced_by_another"


UNIQUE: list[tuple[str, Row, Row, str]] = [
    ("users", {}, {"legacy_id": 99}, "uq_users_email"),
    ("users", {"legacy_id": 99}, {"email": "other@example.com", "legacy_id": 99}, "uq_users_legacy_id"),
    ("refresh_tokens", {"replaced_at": NOW}, {"replaced_at": NOW}, "uq_refresh_tokens_token_hash"),
    ("refresh_tokens", {}, {"token_hash": b"u" * 32}, "uq_refresh_tokens_live"),
    ("revoked_tokens", {}, {}, "pk_revoked_tokens"),
    ("one_time_tokens", {}, {}, "uq_one_time_tokens_token_hash"),
    ("events", {"legacy_id": 99}, {"legacy_id": 99}, "uq_events_legacy_id"),
    ("ticket_types", {"legacy_id": 99}, {"legacy_id": 99}, "uq_ticket_types_legacy_id"),
    ("articles", {}, {}, "uq_articles_slug"),
    ("articles", {"legacy_id": 99}, {"slug": "b", "legacy_id": 99}, "uq_articles_legacy_id"),
    ("wishlist_items", {}, {}, "pk_wishlist_items"),
    ("file_versions", {}, {}, "uq_file_versions_file_id_number"),
    ("file_versions", _SERVED, _SERVED | {"number": 3}, "uq_file_versions_served_key"),
    ("file_variants", {}, {"key": "other"}, "pk_file_variants"),
    ("file_variants", {}, {"name": "other"}, "uq_file_variants_key"),
    ("file_quotas", {}, {}, "pk_file_quotas"),
    ("file_references", {}, {}, "uq_file_references_file_id_purpose_user_id_event_id_article_id"),
    ("jobs", {"dedupe_key": "d"}, {"dedupe_key": "d"}, "uq_jobs_open_dedupe_key"),
    ("idempotency_keys", {}, {}, "pk_idempotency_keys"),
]


async def test_a_second_row_of_the_same_name_is_refused(database: Database):
    async with database.transaction() as tx:
        rows = await valid_rows(tx)
        refusals = [
            await _refusal(tx, (table, rows[table] | first), (table, rows[table] | second))
            for table, first, second, _ in UNIQUE
        ]
    assert refusals == [rule for *_, rule in UNIQUE]


async def test_a_finished_job_frees_its_dedupe_key(database: Database):
    async with database.transaction() as tx:
        row = (await valid_rows(tx))["jobs"] | {"dedupe_key": "d"}
        done, dead = row | {"finished_at": NOW}, row | {"dead_at": NOW}
        assert await _refusal(tx, ("jobs", done), ("jobs", dead), ("jobs", row)) is None


async def test_two_mails_of_one_job_are_refused(database: Database):
    async with database.transaction() as tx:
        rows = await valid_rows(tx)
        job = rows["jobs"] | {"id": uuid4()}
        mail = rows["mails"] | {"job_id": job["id"]}
        assert await _refusal(tx, ("jobs", job), ("mails", mail), ("mails", mail)) == "uq_mails_job_id"


async def test_a_row_that_points_nowhere_is_refused(database: Database):
    keys = [(table.name, key.parent.name) for table in metadata.tables.values() for key in table.foreign_keys]
    async with database.transaction() as tx:
        rows = await valid_rows(tx)
        rows["refresh_tokens"]["replaced_at"] = NOW
        # Of what a file is used for, there is one.
        instead = {("file_references", column): {"user_id": None} for column in ("event_id", "article_id")}
        refusals = [
            await _refusal(tx, (table, rows[table] | instead.get((table, column), {}) | {column: uuid4()}))
            for table, column in keys
        ]
    assert refusals == [f"fk_{table}_{column}" for table, column in keys]
    assert len(keys) > 8


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ({}, {}, False),
        ({"sales_end": LATER}, {"sales_start": LATER}, True),
        ({"sales_end": LATER}, {"sales_start": LATER - timedelta(seconds=1)}, False),
        ({"is_active": False}, {}, True),
        ({}, {"code": "another"}, True),
        ({}, {"event_id": event_id(102)}, True),
        ({"code": None}, {"code": None}, True),
    ],
)
async def test_at_any_moment_a_code_names_one_ticket_type_of_its_event(
    database: Database, first: Row, second: Row, allowed: bool
):
    async with database.transaction() as tx:
        row = (await valid_rows(tx))["ticket_types"] | {"code": "earlyBird"}
        refusal = await _refusal(tx, ("ticket_types", row | first), ("ticket_types", row | second))
    assert refusal == (None if allowed else "ex_ticket_types_one_per_code_and_time")


async def test_rotation_may_name_a_successor_that_comes_later_in_the_transaction(database: Database):
    async with database.transaction() as tx:
        row = (await valid_rows(tx))["refresh_tokens"]
        await _insert(tx, "refresh_tokens", row)
        successor = uuid4()
        await tx.exec_driver_sql("update refresh_tokens set replaced_at = now(), replaced_by = $1", (successor,))
        await _insert(tx, "refresh_tokens", row | {"id": successor, "token_hash": b"u" * 32})


async def test_an_account_takes_its_own_rows_along_but_not_its_events(database: Database):
    async with database.transaction() as tx:
        rows = await valid_rows(tx)
        for table in ("revoked_tokens", "one_time_tokens", "refresh_tokens", "wishlist_items"):
            await _insert(tx, table, rows[table])
        await tx.exec_driver_sql("delete from users where email = 'user@bilten.com'")
        for table in ("sessions", "revoked_tokens", "one_time_tokens", "refresh_tokens", "wishlist_items"):
            left = await tx.scalar(select(func.count()).select_from(metadata.tables[table]))
            assert (table, left) == (table, 0)
        with pytest.raises(exc.IntegrityError) as refused:
            await tx.exec_driver_sql("delete from users where email = 'organizer@bilten.com'")
        await tx.rollback()
    assert violated_constraint(refused.value) == "fk_events_organizer_id"
