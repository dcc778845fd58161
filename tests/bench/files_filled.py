"""A database with as many files as a busy installation has after years: most of few owners, words as in a language.

All is drawn by chance from one seed, so that every run has the same.
"""

import asyncio

from bilten.db import migrations
from support.large import bare, run

OWNERS, WORDS = 20_000, 3_000
_TABLES = (
    "files", "file_versions", "file_variants",
    "file_uploads", "file_quotas", "quota_reservations", "file_references",
)  # fmt: skip

# Of two or three syllables: their trigrams are as many, and as often shared, as those of words.
_WORDS = """
create unlogged table words as
select n, s[1 + n % k] || s[1 + n * 7 / k % k] || case when n % 3 > 0 then s[1 + n * 31 % k] else '' end as word
from generate_series(0, $1::int - 1) n, (select string_to_array('ba be bi bo bra cal cen cha clo con da del den dis do '
    'el en fe fi for ga ger go ha hel in ja ka ken la len li lon ma men mi mon na nel no or pa per po ra ren ri ro sa '
    'sen si sta ta ten tra ul va ven vi wa', ' ') as s) syllables,
    cardinality(s) as k
"""

_OWNERS = """
insert into users (email, password_hash, first_name, last_name)
select 'owner' || i || '@example.com', repeat('x', 97), 'Owner', i::text from generate_series(0, $1::int - 1) i
"""

_NUMBERED = """
create unlogged table owners as select last_name::int as n, id from users where first_name = 'Owner'
"""

# The first owner of 20,000 has one file in twelve, the one in the middle twenty; words come as unevenly. `offset 0`
# keeps each number of chance the same wherever it is used.
_FILES = f"""
insert into files (owner_id, name, folder, tags, alt_text, visibility, version, status, media_type, size_bytes,
    created_at)
select owners.id, a.word || '-' || b.word || '-' || i || '.' || kind[2],
    (array['/', '/', '/', '/posters', '/events/2025', '/events/2026', '/contracts', '/gallery/' || i % 12])[1 + (q * 8)::int % 8],
    (array[d.word, e.word, f.word])[1:(r * 4)::int % 4], case when i % 5 < 3 then concat_ws(' ', b.word, c.word, d.word, e.word) end,
    (array['private', 'private', 'private', 'public', 'public'])[1 + i % 5], 1,
    case i % 1000 when 1 then 'infected' when 2 then 'infected' when 3 then 'unscannable' when 4 then 'scanning'
        else 'clean' end,
    kind[1], power(10, 4 + 3 * s)::bigint, timestamptz '2023-01-01Z' + i * interval '95 seconds' + q * interval '1 day'
from (
    select i, floor({OWNERS} * power(random(), 4))::int as owner, random() as q, random() as r, random() as s,
        array(select floor({WORDS} * power(random(), 3))::int from generate_series(1, 6) where i > 0) as w,
        string_to_array((array['image/jpeg jpg', 'image/png png', 'image/jpeg jpg', 'application/pdf pdf',
            'image/jpeg jpg', 'image/webp webp', 'image/jpeg jpg', 'image/png png'])[1 + (random() * 8)::int % 8], ' ') as kind
    from generate_series(1, $1::int) i offset 0
) drawn
join owners on owners.n = owner
join words a on a.n = w[1] join words b on b.n = w[2] join words c on c.n = w[3]
join words d on d.n = w[4] join words e on e.n = w[5] join words f on f.n = w[6]
"""  # noqa: S608, E501 numbers

_VERSIONS = """
insert into file_versions (file_id, number, status, media_type, size_bytes, sha256, engine, signatures, scanned_at,
    served_key, served_type, served_size, width, height, placeholder, mean_color, created_at)
select id, 1, status, media_type, size_bytes, sha256(convert_to(id::text, 'UTF8')), 'clamav 1.4.3', '27400', created_at,
    case when status = 'clean' then id || repeat('0', 64) end, case when status = 'clean' then media_type end,
    case when status = 'clean' then size_bytes end, 4000, 3000, repeat('placeholder ', 20), '#a1b2c3', created_at
from files
"""

#: Of the pictures among these versions, what every picture has.
_MADE = """
insert into file_variants (version_id, name, media_type, width, height, size_bytes, key)
select id, name, type, side, side, side * 100, replace(id::text, '-', '') || repeat('0', 64) || name || type
from file_versions,
    (values ('large', 1200), ('event', 800), ('medium', 600), ('gallery', 600), ('small', 300), ('profile', 300),
        ('thumbnail', 150)) presets(name, side),
    (values ('image/webp'), ('image/jpeg')) types(type)
where status = 'clean' and media_type like 'image/%' and
"""
#: One picture in ten, so that the table is as large as the others; the pages that are read have all of theirs.
VARIANTS = f"{_MADE} ('x' || left(id::text, 8))::bit(32)::bigint % 10 = 0"
VARIANTS_OF = f"{_MADE} id = any($1) on conflict do nothing"


async def fill(url: str, files: int) -> None:
    """Make the schema in an empty database, and so many files."""
    await asyncio.to_thread(migrations.upgrade, url)
    async with bare(url, _TABLES):
        seeded = ("select setseed(0.5)",)
        await run(url, [(_WORDS, WORDS), (_OWNERS, OWNERS), (_NUMBERED,), ("analyze words",), ("analyze owners",)])
        await run(url, [seeded, (_FILES, files), ("analyze files",), (_VERSIONS,), (VARIANTS,)])
