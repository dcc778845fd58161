"""Fills a database as a few busy years would: rows as wide as real ones, values spread as real ones are."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

EVENTS = ARTICLES = 200_000
FILES = 100_000
WISHES = USERS = SESSIONS = JOBS = 50_000

#: The user with the long wishlist, and with half of all files.
USER = UUID("5eedface-0000-4000-8000-000100000002")

_PHRASES = """
create unlogged table phrases as
select n, initcap(string_agg(substr(md5((n * 31 + w % 7)::text), 1 + w % 5, 3 + (n + w) % 7), ' ')) as phrase
from generate_series(0, 6999) n, generate_series(1, 4) w group by n
"""

_ORGANIZERS = """
insert into users (email, password_hash, first_name, last_name, role)
select 'organizer' || i || '@example.com', 'x', 'Organizer', i::text, 'organizer' from generate_series(1, 2000) i
"""

# Wide, but with few words, said twice: half of the time goes into the trigrams of the searchable texts.
_EVENTS = """
insert into events (organizer_id, title, description, category, venue_name, venue_address, city, country, start_date,
    end_date, timezone, max_attendees, base_price, status, is_featured, view_count, bookmark_count, created_at,
    deleted_at)
select
    (select array_agg(id order by id) from users where role = 'organizer')[1 + i % 2000],
    a.phrase, rpad(a.phrase, 160, ' .'),
    (array['Techno','House','Concert','Jazz','Theatre','Technology','Art','Food','Comedy','Sports'])[1 + i % 10],
    left(b.phrase, 20), (i % 300) || ' ' || left(c.phrase, 9) || ' Street',
    (array['Cairo','Giza','Alexandria','Luxor','Aswan','Suez','Tanta','Hurghada'])[1 + i % 8], 'Egypt',
    timestamptz '2022-01-01Z' + i * interval '10 minutes',
    timestamptz '2022-01-01Z' + i * interval '10 minutes' + interval '4 hours',
    'Africa/Cairo', 100 + i % 5000, i * 7::bigint % 3000, (array['published','published','published','published',
    'published','published','published','draft','cancelled','completed'])[1 + (i / 10) % 10],
    i % 500 = 0, i * 7919::bigint % 20000, i % 50, timestamptz '2021-01-01Z' + i * interval '9 minutes',
    case when i % 100 = 3 then now() end
from generate_series(1, $1::int) i
join phrases a on a.n = i % 7000 join phrases b on b.n = i % 4999 join phrases c on c.n = i % 997
"""

# One event in eight: each of these rows is checked against the exclusion constraint, the slowest part of all.
_TICKET_TYPES = """
insert into ticket_types (event_id, code, name, price, quantity)
select id, 'general', 'General', base_price, 100 from events
where max_attendees % 8 = 0 and not exists (select from ticket_types where event_id = events.id)
"""

_ARTICLES = """
insert into articles (slug, title, excerpt, content, category, author, published_at, view_count, read_time, tags)
select 'article-' || i, a.phrase, rpad(a.phrase, 80, ' .'), repeat(b.phrase || E'\\n' || c.phrase || E'\\n', 9),
    (array['music','culture','food','guides','people'])[1 + i % 5], 'Author ' || i % 400,
    timestamptz '2015-01-01Z' + i * interval '25 minutes', i * 7919::bigint % 30000, 1 + i % 15,
    array['a' || i % 50, 'b' || i % 70]
from generate_series(1, $1::int) i
join phrases a on a.n = i % 7000 join phrases b on b.n = i % 4999 join phrases c on c.n = i % 997
"""

_WISHES = """
insert into wishlist_items (user_id, event_id, created_at)
select $1, id, now() - row_number() over (order by start_date) * interval '1 minute'
from (select id, start_date from events order by id limit $2) chosen
"""

_USERS = """
insert into users (email, password_hash, first_name, last_name)
select 'user' || i || '@example.com', repeat('x', 97), 'User', i::text from generate_series(1, $1::int) i
"""

# What expires did so, or will, within a month around now; one row in fifty has, and waits for the clean-up.
_TIMES = "now() - interval '40 days', now() + (i % 50 - 1) * interval '14 hours'"

_SESSIONS = f"""
insert into sessions (user_id, created_at, expires_at, user_agent)
select (select array_agg(id) from users where role = 'user')[1 + i % {USERS}], {_TIMES}, repeat('agent ', 20)
from generate_series(1, $1::int) i
"""  # noqa: S608 numbers

# Of each session the token in use and one before it.
_REFRESH_TOKENS = """
insert into refresh_tokens (session_id, token_hash, created_at, expires_at, replaced_at)
select id, sha256(convert_to(id::text || n, 'UTF8')), created_at, expires_at, case when n > 1 then now() end
from sessions, generate_series(1, 2) n
"""

_ONE_TIME_TOKENS = f"""
insert into one_time_tokens (user_id, purpose, token_hash, created_at, expires_at)
select id, 'reset_password', sha256(convert_to(id::text, 'UTF8')), {_TIMES}
from (select id, row_number() over () as i from users) numbered
"""  # noqa: S608 numbers

_REVOKED_TOKENS = f"""
insert into revoked_tokens (jti, user_id, reason, created_at, expires_at)
select gen_random_uuid(), id, 'signed out', {_TIMES} from (select id, row_number() over () as i from users) numbered
"""  # noqa: S608 numbers

# Done, but for one in a thousand that waits and one in a thousand that was given up.
_JOBS = """
insert into jobs (kind, payload, max_attempts, run_at, finished_at, dead_at)
select 'mail.send', '{}', 8, now() - i * interval '15 seconds',
    case when i % 1000 > 1 then now() - i * interval '15 seconds' end,
    case when i % 1000 = 1 then now() - i * interval '5 minutes' end
from generate_series(1, $1::int) i
"""

_KEYS = f"""
insert into idempotency_keys (principal, route, key, body_hash, status, body, created_at, expires_at)
select 'anonymous', 'POST /auth/register', i::text, sha256(convert_to(i::text, 'UTF8')), 201,
    convert_to(repeat('sealed ', 50), 'UTF8'), {_TIMES}
from generate_series(1, $1::int) i
"""  # noqa: S608 numbers

_FILES = """
insert into files (owner_id, name, folder, tags, alt_text, visibility, version, status, media_type, size_bytes,
    created_at)
select case when i % 2 = 0 then $2 else (select array_agg(id order by id) from users)[1 + i % 500] end,
    left(a.phrase, 20) || '.jpg', (array['/', '/posters', '/posters/2026', '/contracts'])[1 + i % 4],
    array['a' || i % 50, 'b' || i % 700], left(b.phrase, 40), (array['public', 'private'])[1 + i % 2], 1,
    case i % 1000 when 3 then 'infected' when 4 then 'scanning' else 'clean' end,
    (array['image/jpeg', 'image/png', 'image/jpeg', 'application/pdf'])[1 + i % 4], 1000 + i * 7919::bigint % 9000000,
    timestamptz '2022-01-01Z' + i * interval '20 minutes'
from generate_series(1, $1::int) i join phrases a on a.n = i % 7000 join phrases b on b.n = i % 4999
"""

_FILE_VERSIONS = """
insert into file_versions (file_id, number, status, media_type, size_bytes, sha256, engine, signatures, scanned_at,
    served_key, served_type, served_size, created_at)
select id, 1, status, media_type, size_bytes, sha256(convert_to(id::text, 'UTF8')), 'clamav 1.4.3', '27400', now(),
    case when status = 'clean' then id::text end, case when status = 'clean' then media_type end,
    case when status = 'clean' then size_bytes end, created_at
from files
"""

TABLES = (
    "files", "file_versions", "events",
    "articles", "ticket_types", "wishlist_items", "users", "sessions", "refresh_tokens", "one_time_tokens",
    "revoked_tokens", "jobs", "mails", "idempotency_keys",
)  # fmt: skip

#: Those that point to these and stay empty.
POINTING = ("file_variants", "file_uploads", "file_quotas", "quota_reservations", "file_references")

# Large indexes first, so that both connections are busy to the end.
_LATER = """
select 1 as turn, format('drop index %I', relname) as forget, pg_get_indexdef(indexrelid) as make,
    amname <> 'gin' as small
from pg_index join pg_class on pg_class.oid = indexrelid join pg_am on pg_am.oid = relam
where indrelid = any($1::text[]::regclass[]) and not exists (select from pg_constraint where conindid = indexrelid)
union all
select 2, format('alter table %s drop constraint %I', conrelid::regclass, conname),
    format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)), true
from pg_constraint where contype = 'f' and conrelid = any($1::text[]::regclass[])
order by turn, small
"""

Statement = tuple[Any, ...]


async def fill(url: str) -> None:
    """Takes some 14 s on two cores."""
    phrases = [(_PHRASES,), ("alter table phrases add primary key (n)",), ("analyze phrases",), (_ORGANIZERS,)]
    async with bare(url, (*TABLES, *POINTING)):
        await run(url, phrases)
        await asyncio.gather(
            run(url, [(_EVENTS, EVENTS), (_TICKET_TYPES,), (_WISHES, USER, WISHES), (_JOBS, JOBS), (_KEYS, SESSIONS)]),
            run(url, [
                (_ARTICLES, ARTICLES), (_USERS, USERS), (_SESSIONS, SESSIONS), (_REFRESH_TOKENS,), (_ONE_TIME_TOKENS,),
                (_REVOKED_TOKENS,),
            ]),
        )  # fmt: skip
        await run(url, [(_FILES, FILES, USER), (_FILE_VERSIONS,)])


@asynccontextmanager
async def bare(url: str, tables: Sequence[str]) -> AsyncIterator[None]:
    """The block fills tables without log, indexes and foreign keys; they get them when it ends, and are analysed."""
    (later,) = await run(url, [(_LATER, tables)])
    await run(url, [(row["forget"],) for row in reversed(later)])
    await run(url, [(f"alter table {table} set unlogged",) for table in tables])
    yield
    for turn in (1, 2):
        await _share(url, [(row["make"],) for row in later if row["turn"] == turn])
    await _share(url, [(f"vacuum analyze {table}",) for table in tables])


async def _share(url: str, statements: list[Statement]) -> None:
    """Run the statements on two connections; each takes the next when it is free."""
    waiting = iter(statements)
    await asyncio.gather(run(url, waiting), run(url, waiting))


async def run(url: str, statements: Iterable[Statement]) -> list[Any]:
    """Run the statements in turn; what each of them answered."""
    # No helpers of Postgres' own: both cores are busy.
    settings = {"maintenance_work_mem": "256MB", "max_parallel_maintenance_workers": "0"}
    connection = await asyncpg.connect(url, server_settings=settings)
    answers = [await connection.fetch(*statement) for statement in statements]
    await connection.close()
    return answers
