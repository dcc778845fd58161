"""What the search box of the newest frontend reads: suggestions, the filters there are, what is looked at most."""

from typing import Literal

from pydantic import Field

from bilten.events.schemas import CategoryCount, Event, LocationCount
from bilten.web.answers import Answer, Wire
from bilten.web.pagination import lenient_positive
from bilten.web.spelling import Query

MAX_SUGGESTIONS = 20
MAX_TRENDING = 50


class AutocompleteQuery(Query):
    """What has been typed so far."""

    q: str | None = Field(None, max_length=200, description="What has been typed; without it nothing is suggested.")
    limit: lenient_positive(8, MAX_SUGGESTIONS) = 8  # type: ignore[valid-type]


class TrendingQuery(Query):
    """How many."""

    limit: lenient_positive(12, MAX_TRENDING) = 12  # type: ignore[valid-type]


class Suggestion(Wire):
    """One line below the search box."""

    text: str
    type: Literal["event", "category", "location"]
    count: int | None = Field(
        None, exclude_if=lambda count: count is None, description="How many events; only for categories and locations."
    )


class Suggestions(Wire):
    """The lines below the search box."""

    suggestions: list[Suggestion]


class SuggestionsAnswer(Answer):
    """`GET /events/search/autocomplete`."""

    data: Suggestions


class PriceRange(Wire):
    """A word for `price_range`, what to show for it, and its bounds; `max` is the first price above it."""

    range: str
    label: str
    min: float | None
    max: float | None


class DateRange(Wire):
    """A word for `date_range`, and what to show for it."""

    range: str
    label: str


class Filters(Wire):
    """The values that published events have, the most frequent first."""

    categories: list[CategoryCount]
    locations: list[LocationCount]
    price_ranges: list[PriceRange]
    date_ranges: list[DateRange]


class FiltersAnswer(Answer):
    """`GET /events/search/filters`."""

    data: Filters


class Trending(Wire):
    """The most popular events."""

    events: list[Event]


class TrendingAnswer(Answer):
    """`GET /events/search/trending`."""

    data: Trending
