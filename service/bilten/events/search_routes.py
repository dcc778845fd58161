"""The calls of the search box: what to suggest, what to filter by, what others look at."""

from datetime import UTC, datetime

from bilten.db.paging import Window
from bilten.events import queries, search_queries
from bilten.events.filters import DATE_RANGES, FREE, PRICE_RANGES, EventsQuery
from bilten.events.schemas import CategoryCount, Event, LocationCount
from bilten.events.search_schemas import (
    AutocompleteQuery,
    DateRange,
    Filters,
    FiltersAnswer,
    PriceRange,
    Suggestion,
    Suggestions,
    SuggestionsAnswer,
    Trending,
    TrendingAnswer,
    TrendingQuery,
)
from bilten.services import Services
from bilten.web.endpoint import endpoint

_MOST_POPULAR = EventsQuery(sort_by="popularity_score", sort_order="desc")

_PRICES = [
    PriceRange(range=FREE, label="Free", min=0, max=0),
    *(
        PriceRange(range=word, label=f"{low} to {high}" if high else f"{low} and more", min=low, max=high)
        for word, (low, high) in PRICE_RANGES.items()
    ),
]
_DATES = [DateRange(range=word, label=word.replace("-", " ").capitalize()) for word in DATE_RANGES]


@endpoint("GET", "/events/search/autocomplete", summary="Suggest what to search for", tier="F")
async def autocomplete_events(services: Services, query: AutocompleteQuery) -> SuggestionsAnswer:
    """Titles, categories and cities that contain what was typed."""
    text = (query.q or "").strip()
    if not text:
        return SuggestionsAnswer(data=Suggestions(suggestions=[]))
    facets = await search_queries.facets(services.db)
    typed = text.casefold()
    found = [
        Suggestion(text=row[name], type=kind, count=row["count"])
        for kind, name, rows in (("category", "category", facets.categories), ("location", "city", facets.locations))
        for row in rows
        if typed in row[name].casefold()
    ]
    titles = await search_queries.titles(services.db, text, query.limit)
    # Half of the lines at least are events, as far as there are any.
    few = found[: max(query.limit // 2, query.limit - len(titles))]
    suggestions = [*few, *(Suggestion(text=title, type="event") for title in titles)]
    return SuggestionsAnswer(data=Suggestions(suggestions=suggestions[: query.limit]))


@endpoint("GET", "/events/search/filters", summary="What published events can be filtered by", tier="F")
async def event_filters(services: Services) -> FiltersAnswer:
    """The 100 most frequent categories and cities; the counts are at most a minute old."""
    facets = await search_queries.facets(services.db)
    filters = Filters(
        categories=[CategoryCount.model_validate(dict(row)) for row in facets.categories],
        locations=[LocationCount.model_validate(dict(row)) for row in facets.locations],
        price_ranges=_PRICES,
        date_ranges=_DATES,
    )
    return FiltersAnswer(data=filters)


@endpoint("GET", "/events/search/trending", summary="The most popular events", tier="F")
async def trending_events(services: Services, query: TrendingQuery) -> TrendingAnswer:
    """Registrations count most, then bookmarks, then views."""
    listed = queries.listing(_MOST_POPULAR, None, datetime.now(UTC).date())
    rows = await queries.page(services.db, listed, _MOST_POPULAR.sort, Window(limit=query.limit))
    return TrendingAnswer(data=Trending(events=[Event.of(row, None) for row in rows[: query.limit]]))
