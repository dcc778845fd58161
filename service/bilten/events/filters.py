"""What a list of events can be filtered and ordered by: the words of three frontends (contract §4 item 35), and for
each order the SQL expression it follows.

A value that cannot be read is no filter, as in the frontends' mock; the schema says so at each parameter.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from bilten.db.paging import Sort
from bilten.db.text_search import MAX_WORDS
from bilten.web.pagination import PageQuery

#: Longest text that is searched for, in characters.
MAX_SEARCH = 200

_PRICE = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

#: Word → lowest price, and the first that is too high; None is no bound.
PRICE_RANGES: dict[str, tuple[int, int | None]] = {
    "0-25": (0, 25),
    "25-50": (25, 50),
    "50-100": (50, 100),
    "100+": (100, None),
}
FREE = "free"
DATE_RANGES = ("today", "tomorrow", "this-week", "this-month", "next-month")

SORTS: dict[str, Sort] = {
    "start_date": Sort("start_date", "e.start_date", "time", key="e.id"),
    "base_price": Sort("base_price", "e.base_price", "number", key="e.id"),
    "title": Sort("title", "lower(e.title)", "text", key="e.id"),
    "created_at": Sort("created_at", "e.created_at", "time", key="e.id"),
    "popularity_score": Sort("popularity_score", "e.popularity_score", "integer", key="e.id"),
}
_SORT_WORDS = {"date": "start_date", "price": "base_price", "name": "title", "popularity": "popularity_score"}


def _price(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and _PRICE.fullmatch(value) else None


def _flag(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if _DAY.fullmatch(str(value)) else None
    except ValueError:
        return None


def _lenient(kind: Any, read: Any, description: str, **schema: Any) -> Any:
    sentence = f"{description} Anything else is no filter."
    return Annotated[
        kind | None, BeforeValidator(read), WithJsonSchema({"type": "string", "description": sentence, **schema})
    ]


Price = _lenient(Decimal, _price, "An amount such as 25 or 12.50.", examples=["25"])
Flag = _lenient(bool, _flag, "`true` or `false`.", examples=["true"])
Day = _lenient(date, _day, "A day, as YYYY-MM-DD, in UTC.", examples=["2025-03-15"])


class EventsQuery(PageQuery):
    """Filters and order of `GET /events`; all filters together must hold."""

    search: str | None = Field(
        None,
        max_length=MAX_SEARCH,
        description=f"Words that title, description, venue, city or category contain; the first {MAX_WORDS} count."
        " One or two letters are looked for where a word begins.",
    )
    q: str | None = Field(None, max_length=MAX_SEARCH, description="The same as `search`; `search` wins.")
    category: str | None = Field(None, max_length=100, description="Upper and lower case are the same; `all` is any.")
    status: str | None = Field(
        None,
        max_length=100,
        description="`all` is any. Only the owner and admins get other events than published ones.",
    )
    location: str | None = Field(None, max_length=MAX_SEARCH, description="Words of venue, address, city or country.")
    city: str | None = Field(None, max_length=100, description="Upper and lower case are the same; `all` is any.")
    country: str | None = Field(None, max_length=100, description="Upper and lower case are the same; `all` is any.")
    date_range: str | None = Field(
        None,
        max_length=100,
        description=f"When the event starts: {', '.join(DATE_RANGES)}; days are UTC, weeks begin on Monday."
        " Anything else is no filter.",
    )
    start_date: Day = Field(  # type: ignore[valid-type]
        None, description="Starts on this day (YYYY-MM-DD, UTC) or later. Anything else is no filter."
    )
    end_date: Day = Field(  # type: ignore[valid-type]
        None, description="Starts on this day (YYYY-MM-DD, UTC) or earlier. Anything else is no filter."
    )
    price_range: str | None = Field(
        None,
        max_length=100,
        description=f"{FREE}, {', '.join(PRICE_RANGES)}; the upper bound belongs to the next range."
        " Anything else is no filter.",
    )
    price_min: Price = None  # type: ignore[valid-type]
    price_max: Price = None  # type: ignore[valid-type]
    is_free: Flag = None  # type: ignore[valid-type]
    is_featured: Flag = None  # type: ignore[valid-type]
    sort_by: str | None = Field(
        None,
        max_length=100,
        description=f"{', '.join(SORTS)}; also {', '.join(_SORT_WORDS)}. Anything else means start_date.",
    )
    sort_order: str | None = Field(None, max_length=100, description="`desc`; anything else means `asc`.")

    @property
    def text(self) -> str | None:
        """What is searched for; None when nothing is."""
        return (self.search or self.q or "").strip() or None

    @property
    def sort(self) -> Sort:
        """The order asked for."""
        word = (self.sort_by or "").lower()
        sort = SORTS.get(_SORT_WORDS.get(word, word), SORTS["start_date"])
        descending = (self.sort_order or "").lower() == "desc"
        return Sort(sort.name, sort.column, sort.kind, descending=descending, key=sort.key)


def days_of(word: str, today: date) -> tuple[date, date] | None:
    """The first day of a range named by a word, and the first day after it."""
    first_of_month = today.replace(day=1)
    next_month = (first_of_month + timedelta(days=32)).replace(day=1)
    monday = today - timedelta(days=today.weekday())
    day = timedelta(days=1)
    return {
        "today": (today, today + day),
        "tomorrow": (today + day, today + 2 * day),
        "this-week": (monday, monday + 7 * day),
        "this-month": (first_of_month, next_month),
        "next-month": (next_month, (next_month + timedelta(days=32)).replace(day=1)),
    }.get(word)


def midnight(day: date) -> datetime:
    """When a day begins, in UTC."""
    return datetime.combine(day, time.min, tzinfo=UTC)
