"""How searches are refined: counts by category, place and price, suggestions, and the most popular."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import asyncpg

from bilten.db.database import Database
from bilten.db.memory import memory_of
from bilten.db.paging import Listing
from bilten.db.statement import Arguments
from bilten.db.text_search import containing_all
from bilten.events.filters import FREE, PRICE_RANGES

#: Counts over everything that is published cost a walk along an index; so old may they be, in seconds.
FACETS_MAX_AGE_S = 60.0
#: Most values of one facet; the frontends show far fewer.
MAX_VALUES = 100
#: A search is divided by its first matches only: beyond, the shares hardly move.
MAX_MATCHES = 10_000

_PUBLISHED = "status = 'published' and deleted_at is null"

CATEGORIES = f"""
select min(category) as category, count(*) as count from events
where {_PUBLISHED} group by lower(category) order by count desc, category limit {MAX_VALUES}
"""  # noqa: S608 constants
LOCATIONS = f"""
select min(city) as city, min(country) as country, count(*) as count from events
where {_PUBLISHED} and lower(city) > '' group by lower(city), lower(country)
order by count desc, city, country limit {MAX_VALUES}
"""  # noqa: S608 constants


@dataclass(frozen=True)
class Facets:
    """Each value with its count, the most frequent first."""

    categories: Sequence[asyncpg.Record]
    locations: Sequence[asyncpg.Record]


async def facets(db: Database) -> Facets:
    """Categories and places of everything that is published, at most `FACETS_MAX_AGE_S` old."""

    async def load() -> Facets:
        return Facets(await db.fetch(CATEGORIES), await db.fetch(LOCATIONS))

    return await memory_of(db).recall("event facets", FACETS_MAX_AGE_S, load)


def _price_ranges() -> str:
    """The ranges as rows of SQL; they overlap, as the filters do: what is free costs between 0 and 25, too."""
    ranges = {FREE: (Decimal(0), Decimal("0.01")), **PRICE_RANGES}
    return ", ".join(f"('{word}', {lowest}, {too_high or 'null'})" for word, (lowest, too_high) in ranges.items())


def aggregation_statement(listed: Listing) -> str:
    """SQL with a row per `facet`, `name` and `country`: how many of the first matches there are of each."""
    matches = listed.first("e.category, e.city, e.country, e.base_price", MAX_MATCHES)
    return f"""
    with matched as materialized ({matches})
    select 'category' as facet, min(category) as name, null as country, count(*) as count
      from matched group by lower(category)
    union all
    select 'location', min(city), min(country), count(*)
      from matched where city > '' group by lower(city), lower(country)
    union all
    select 'price', word, null, count(*)
      from matched join (values {_price_ranges()}) as ranges (word, lowest, too_high)
        on base_price >= lowest and (too_high is null or base_price < too_high)
      group by word
    order by count desc, name, country
    """  # noqa: S608 no part is input


async def aggregations(db: Database, listed: Listing) -> list[asyncpg.Record]:
    """How the matches divide; nothing when nothing can match."""
    return await db.fetch(aggregation_statement(listed), *listed.values) if listed.branches else []


def titles_statement(text: str, limit: int) -> tuple[str, list[object]]:
    """SQL that reads titles of published events that contain all words of `text`, the most popular first."""
    arguments = Arguments()
    # The searchable text holds the title: its index finds the candidates, the title itself decides.
    found = containing_all("search_text", text, arguments) + containing_all("lower(title)", text, arguments)
    conditions = " and ".join([_PUBLISHED, *found])
    end = f"limit {arguments.add(limit)}"
    statement = f"select title from events where {conditions} order by popularity_score desc, id desc {end}"  # noqa: S608 as above
    return statement, arguments.values


async def titles(db: Database, text: str, limit: int) -> list[str]:
    """Titles to suggest, each once."""
    statement, values = titles_statement(text, limit)
    return list(dict.fromkeys(row["title"] for row in await db.fetch(statement, *values)))
