"""No hot query reads a large table from end to end, however it is filtered, ordered or continued."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from bilten.articles import queries as articles
from bilten.context import Principal, Role
from bilten.db.paging import Listing, Sort, Window, bounded_count
from bilten.events import queries as events
from bilten.events import search_queries
from bilten.events.filters import SORTS, EventsQuery
from bilten.files import list_queries as files
from bilten.files.filters import FilesQuery
from bilten.wishlist import queries as wishlist
from support.large import USER
from support.plans import Plan, plan_of, refuse_scans

TODAY = date(2025, 3, 15)
AN_ID = UUID("550e8400-e29b-41d4-a716-446655440101")

#: A value of each kind of order, somewhere in the middle of the list.
MIDDLE: dict[str, Any] = {
    "start_date": datetime(2024, 1, 1, tzinfo=UTC),
    "created_at": datetime(2023, 1, 1, tzinfo=UTC),
    "published_at": datetime(2020, 1, 1, tzinfo=UTC),
    "base_price": 1500,
    "popularity_score": 120,
    "title": "m",
    "name": "m",
    "size": 5_000_000,
}
EVENT_FILTERS: list[dict[str, str]] = [
    {},
    {"status": "published"},
    {"status": "draft"},
    {"category": "Jazz"},
    {"category": "no such category"},
    {"city": "cairo"},
    {"city": "no such city"},
    {"country": "egypt"},
    {"country": "no such country"},
    {"search": "jazz"},
    {"search": "no-such-word"},
    {"search": "two words"},
    {"search": "e"},
    {"search": "qz"},
    {"search": "²²²"},
    {"location": "cairo street"},
    {"location": "atlantis"},
    {"date_range": "this-week"},
    {"start_date": "2024-06-01", "end_date": "2024-06-30"},
    {"start_date": "2099-01-01"},
    {"price_range": "free"},
    {"price_range": "50-100"},
    {"price_range": "100+"},
    {"price_min": "2990", "price_max": "2995"},
    {"is_free": "true"},
    {"is_free": "false"},
    {"is_featured": "true"},
    {"category": "jazz", "city": "giza", "sort_by": "price", "sort_order": "desc"},
    {"search": "no-such-word", "sort_by": "popularity_score", "sort_order": "desc"},
]
ARTICLE_FILTERS: list[dict[str, str]] = [
    {},
    {"category": "music"},
    {"category": "no such category"},
    {"text": "the"},
    {"text": "no-such-word"},
    {"text": "qz"},
    {"category": "food", "text": "two words"},
]
FILE_FILTERS: list[dict[str, str]] = [
    {},
    {"folder": "/posters/2026"},
    {"folder": "/no/such"},
    {"type": "image/png"},
    {"type": "image/*"},
    {"type": "video/mp4"},
    {"tag": "b7"},
    {"tag": "no such tag"},
    {"status": "infected"},
    {"visibility": "public"},
    {"search": "jazz"},
    {"search": "no-such-word"},
    {"search": "qz"},
    {"min_size": "8900000"},
    {"max_size": "0"},
    {"from": "2024-06-01", "to": "2024-06-30"},
    {"from": "2099-01-01"},
    {"search": "no-such-word", "sort": "-size"},
    {"type": "image/*", "tag": "b7", "sort": "name"},
]


def shown(filters: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in filters.items()) or "none"


def viewer(role: Role | None) -> Principal | None:
    return Principal(USER, role, uuid4(), uuid4(), 0.0) if role else None


async def check_page(connection: asyncpg.Connection, statement: tuple[str, Sequence[object]]) -> Plan:
    sql, values = statement
    plan = await plan_of(connection, sql, *values)
    refuse_scans(plan)
    return plan


def windows(sort: Sort) -> list[Window]:
    return [Window(10), Window(100, offset=400), Window(10, after=(MIDDLE[sort.name], AN_ID))]


async def test_a_query_that_no_index_answers_is_noticed(connection: asyncpg.Connection):
    plan = await plan_of(connection, "select id from events order by description limit 10")
    assert plan.sequential_scans == ["events"]
    with pytest.raises(AssertionError):
        refuse_scans(plan)


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("order", SORTS)
@pytest.mark.parametrize("role", [None, "user", "organizer", "admin"])
async def test_every_order_of_events_follows_an_index_on_every_page(
    connection: asyncpg.Connection, role: Role | None, order: str, direction: str
):
    query = EventsQuery(sort_by=order, sort_order=direction)
    listed = events.listing(query, viewer(role), TODAY)
    for window in windows(query.sort):
        plan = await check_page(connection, events.page_statement(listed, query.sort, window))
        # The few events of one's own may be sorted; the list itself may not.
        assert plan.rows_sorted < 1000, str(plan)


@pytest.mark.parametrize("filters", EVENT_FILTERS, ids=shown)
@pytest.mark.parametrize("role", [None, "organizer", "admin"])
async def test_every_filter_of_events_is_answered_by_an_index_and_so_is_its_count(
    connection: asyncpg.Connection, role: Role | None, filters: dict[str, str]
):
    query = EventsQuery.model_validate(filters)
    listed = events.listing(query, viewer(role), TODAY)
    if not listed.branches:
        assert role is None
        return
    for window in windows(query.sort):
        await check_page(connection, events.page_statement(listed, query.sort, window))
    refuse_scans(await plan_of(connection, bounded_count(listed), *listed.values))
    refuse_scans(await plan_of(connection, search_queries.aggregation_statement(listed), *listed.values))


@pytest.mark.parametrize("statement", [search_queries.CATEGORIES, search_queries.LOCATIONS], ids=["category", "city"])
async def test_counting_all_events_by_category_or_city_reads_an_index_only(
    connection: asyncpg.Connection, statement: str
):
    plan = await plan_of(connection, statement)
    assert "Index Only Scan" in {node["Node Type"] for node in plan.nodes}, str(plan)
    refuse_scans(plan)


@pytest.mark.parametrize("text", ["jazz", "no-such-word", "q", "e"])
async def test_suggesting_titles_does_not_read_the_table(connection: asyncpg.Connection, text: str):
    sql, values = search_queries.titles_statement(text, 8)
    refuse_scans(await plan_of(connection, sql, *values))


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        (events.ONE_BY_ID, AN_ID),
        (events.ONE_BY_LEGACY_ID, 7),
        (articles.ONE_BY_ID, AN_ID),
        (articles.ONE_BY_LEGACY_ID, 3),
        (articles.ONE_BY_SLUG, "article-7"),
    ],
    ids=["event by id", "event by small id", "article by id", "article by small id", "article by slug"],
)
async def test_one_row_is_found_by_its_index(connection: asyncpg.Connection, statement: str, value: object):
    plan = await plan_of(connection, statement, value)
    refuse_scans(plan)
    assert plan.cost < 100, str(plan)


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_a_long_wishlist_is_paged_and_counted_by_index(connection: asyncpg.Connection, role: Role):
    owner = viewer(role)
    assert owner
    listed = wishlist.listing(owner)
    for window in (Window(12), Window(100, offset=400), Window(12, after=(datetime(2026, 1, 1, tzinfo=UTC), AN_ID))):
        await check_page(connection, wishlist.page_statement(listed, window))
    refuse_scans(await plan_of(connection, bounded_count(listed), *listed.values))


async def test_looking_for_events_on_a_wishlist_reads_their_rows_only(connection: asyncpg.Connection):
    refuse_scans(await plan_of(connection, wishlist.CHECK, USER, [uuid4() for _ in range(100)], list(range(100))))


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("order", ["published_at", "title"])
async def test_every_order_of_articles_follows_an_index_on_every_page(
    connection: asyncpg.Connection, order: str, direction: str
):
    sort = articles.order(order, direction)
    for window in windows(sort):
        plan = await check_page(connection, articles.page_statement(articles.listing(), sort, window))
        assert plan.rows_sorted == 0, str(plan)


@pytest.mark.parametrize("filters", ARTICLE_FILTERS, ids=shown)
async def test_every_filter_of_articles_is_answered_by_an_index_and_so_is_its_count(
    connection: asyncpg.Connection, filters: dict[str, str]
):
    listed: Listing = articles.listing(**filters)
    sort = articles.order(None, None)
    for window in windows(sort):
        await check_page(connection, articles.page_statement(listed, sort, window))
    refuse_scans(await plan_of(connection, bounded_count(listed), *listed.values))


async def test_related_articles_are_the_first_of_an_index(connection: asyncpg.Connection):
    plan = await plan_of(connection, articles.RELATED, "music", AN_ID)
    refuse_scans(plan)
    assert plan.rows_sorted == 0, str(plan)


async def test_counting_articles_by_category_reads_an_index_only(connection: asyncpg.Connection):
    plan = await plan_of(connection, articles.CATEGORIES)
    assert "Index Only Scan" in {node["Node Type"] for node in plan.nodes}, str(plan)
    refuse_scans(plan)


@pytest.mark.parametrize("order", ["created_at", "-created_at", "name", "-name", "size", "-size"])
async def test_every_order_of_ones_own_files_follows_an_index_on_every_page(connection: asyncpg.Connection, order: str):
    query = FilesQuery.model_validate({"sort": order})
    owner = viewer("user")
    assert owner
    listed = files.listing(query, owner)
    for window in windows(query.order):
        plan = await check_page(connection, files.page_statement(listed, query.order, window))
        # The few variants of a file may be sorted; the list itself may not.
        assert plan.rows_sorted < 100, str(plan)


@pytest.mark.parametrize("filters", FILE_FILTERS, ids=shown)
@pytest.mark.parametrize("role", ["user", "admin"])
async def test_every_filter_of_files_is_answered_by_an_index_and_so_is_its_count(
    connection: asyncpg.Connection, role: Role, filters: dict[str, str]
):
    query = FilesQuery.model_validate(filters)
    owner = viewer(role)
    assert owner
    listed = files.listing(query, owner)
    for window in windows(query.order):
        await check_page(connection, files.page_statement(listed, query.order, window))
    refuse_scans(await plan_of(connection, bounded_count(listed), *listed.values))


async def test_the_file_of_an_address_is_found_by_its_index(connection: asyncpg.Connection):
    plan = await plan_of(connection, files.SERVED_BY_KEY, "no such key")
    refuse_scans(plan)
    assert plan.cost < 100, str(plan)
