"""Fills a database as a few busy years would: rows as wide as real ones, values spread as real ones are."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg

EVENTS = ARTICLES = 200_000
WISHES = 50_000

#: The user with the long wishlist.
USER = UUID("5eedface-0000-4000-8000-000100000002")

_PHRASES = """
create temporary table phrases as
select n, initcap(string_agg(substr(md5((n * 31 + w % 7)::text), 1 + w % 5, 3 + (n + w) % 7), ' ')) as phrase
from generate_series(0, 6999) n, generate_series(1, 4) w group by n
"""

_ORGANIZERS = """
insert into users (email, password_hash, first_name, last_name, role)
select 'organizer' || i || '@example.com', 'x', 'Organizer', i::text, 'organizer' from generate_series(1, 2000) i
"""

_EVENTS = """
insert into events (organizer_id, title, description, category, venue_name, venue_address, city, country, start_date,
    end_date, timezone, max_attendees, base_price, status, is_featured, view_count, bookmark_count, created_at,
    deleted_at)
select
    (select array_agg(id order by id) from users where role = 'organizer')[1 + i % 2000],
    a.phrase, repeat(b.phrase || '. ', 5),
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
select 'article-' || i, a.phrase, repeat(b.phrase || '. ', 2), repeat(b.phrase || E'\\n' || c.phrase || E'\\n', 9),
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

_INDEXES = """
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
from pg_index where indrelid = $1::regclass and not exists (select from pg_constraint where conindid = indexrelid)
"""


async def fill(url: str) -> None:
    """Takes some 20 s on two cores, half of it for the trigram indexes: so texts are long but repeat themselves."""
    await asyncio.gather(
        _fill(url, "events", (_ORGANIZERS,), (_EVENTS, EVENTS), (_TICKET_TYPES,), (_WISHES, USER, WISHES)),
        _fill(url, "articles", (_ARTICLES, ARTICLES)),
    )
    connection = await asyncpg.connect(url)
    await connection.execute("vacuum analyze")
    await connection.close()


async def _fill(url: str, table: str, *statements: tuple[Any, ...]) -> None:
    """Run the statements while the table has no indexes: with them it would take three times as long."""
    connection = await asyncpg.connect(url)
    await connection.execute("set synchronous_commit = off; set maintenance_work_mem = '256MB'")
    indexes = await connection.fetch(_INDEXES, table)
    for index in indexes:
        await connection.execute(f"drop index {index['name']}")
    await connection.execute(_PHRASES)
    for statement in statements:
        await connection.execute(*statement)
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.close()
