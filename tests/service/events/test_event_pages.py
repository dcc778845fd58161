"""Pages of events: nothing is skipped and nothing comes twice, by page number or by cursor, while events are added."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from bilten.context import Principal
from bilten.db.database import Database
from bilten.events import queries
from bilten.events.filters import SORTS, EventsQuery
from bilten.web.lists import Pager
from bilten.web.pagination import CursorCodec
from fixtures.api import Api
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.making import make_event, titles
from support.secrets import SECRET_KEY

CODEC = CursorCodec(SECRET_KEY)
SOME_DAY = datetime(2030, 1, 1, tzinfo=UTC)

# Few different values, so that most orders are decided by the tie-breaker.
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["a", "A", "b", "Ä", "ä", "%", "\\", "'", '"', "🎉", "\x01"]),
        st.sampled_from(["draft", "published", "published", "cancelled"]),
        st.booleans(),
        st.integers(0, 3),
    ),
    max_size=25,
)
LISTS = st.tuples(
    st.sampled_from(sorted(SORTS)), st.sampled_from(["asc", "desc"]), st.sampled_from(["nobody", "owner", "admin"])
)
with_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


async def add(db: Database, owners: list[UUID], events: list[tuple[int, str, str, bool, int]]) -> list[UUID]:
    """Insert events, each of the first or the second owner."""
    ids = []
    async with db.transaction() as tx:
        for day, title, status, mine, number in events:
            result = await tx.exec_driver_sql(
                "insert into events (organizer_id, title, description, category, venue_name, timezone, start_date,"
                " end_date, status, base_price, view_count, created_at)"
                " values ($1, $2, '', 'c', 'v', 'UTC', $3, $4, $5, $6, $7, $8) returning id",
                (
                    owners[0] if mine else owners[1], title, SOME_DAY + timedelta(days=day),
                    SOME_DAY + timedelta(days=day, hours=1), status, number, number, SOME_DAY - timedelta(days=number),
                ),
            )  # fmt: skip
            ids.append(result.scalar_one())
    return ids


async def empty(db: Database) -> list[UUID]:
    """Remove every event; the accounts that can own some."""
    async with db.transaction() as tx:
        await tx.exec_driver_sql("delete from events")
    rows = await db.fetch("select id from users where role in ('organizer', 'admin') order by role desc")
    return [row["id"] for row in rows]


def viewer(who: str, owners: list[UUID]) -> Principal | None:
    kinds: dict[str, Any] = {"owner": "organizer", "admin": "admin"}
    return Principal(owners[0], kinds[who], uuid4(), uuid4(), 0.0) if who in kinds else None


async def page(db: Database, query: EventsQuery, who: Principal | None) -> tuple[list[UUID], str | None]:
    listed = queries.listing(query, who, date(2030, 1, 1))
    pager = Pager(CODEC, "events", query.sort, query)
    found = await queries.page(db, listed, query.sort, pager.window)

    async def unknown() -> int:
        return 0

    rows, pagination = await pager.describe(found, unknown)
    return [row["id"] for row in rows], pagination.nextCursor


async def walk(
    db: Database,
    who: Principal | None,
    limit: int,
    order: dict[str, str],
    between: Callable[[], Awaitable[None]] | None = None,
) -> list[UUID]:
    """Every id, page after page by cursor."""
    ids: list[UUID] = []
    cursor: str | None = None
    while True:
        query = EventsQuery.model_validate({"limit": str(limit), **order} | ({"cursor": cursor} if cursor else {}))
        found, cursor = await page(db, query, who)
        ids += found
        assert len(ids) < 1000, "a walk comes to an end"
        if cursor is None:
            return ids
        if between:
            await between()


@with_database
@given(events=EVENTS, asked=LISTS, limit=st.integers(1, 7))
async def test_pages_by_number_and_by_cursor_are_the_whole_list_in_order(
    database: Database, events: list[Any], asked: tuple[str, str, str], limit: int
):
    order = {"sort_by": asked[0], "sort_order": asked[1]}
    owners = await empty(database)
    who = viewer(asked[2], owners)
    added = await add(database, owners, events)
    whole, _ = await page(database, EventsQuery.model_validate(order | {"limit": "100"}), who)
    visible = {
        event_id
        for event_id, (_, _, status, mine, _) in zip(added, events, strict=True)
        if status == "published" or asked[2] == "admin" or (asked[2] == "owner" and mine)
    }
    assert len(whole) == len(visible)
    assert set(whole) == visible
    assert await walk(database, who, limit, order) == whole
    numbered = []
    for number in range(1, len(whole) // limit + 2):
        query = EventsQuery.model_validate(order | {"limit": str(limit), "page": str(number)})
        numbered += (await page(database, query, who))[0]
    assert numbered == whole


@with_database
@given(events=EVENTS, later=EVENTS, asked=LISTS, limit=st.integers(1, 7))
async def test_a_walk_by_cursor_meets_all_that_was_there_once_while_events_are_added(
    database: Database, events: list[Any], later: list[Any], asked: tuple[str, str, str], limit: int
):
    order = {"sort_by": asked[0], "sort_order": asked[1]}
    owners = await empty(database)
    who = viewer(asked[2], owners)
    await add(database, owners, events)
    before, _ = await page(database, EventsQuery.model_validate(order | {"limit": "100"}), who)
    coming = iter(later)

    async def somebody_adds_an_event() -> None:
        await add(database, owners, [event for event in [next(coming, None)] if event])

    met = await walk(database, who, limit, order, somebody_adds_an_event)
    assert len(met) == len(set(met))
    old = set(before)
    assert [event_id for event_id in met if event_id in old] == before


async def test_a_cursor_works_over_http_and_ends_without_one(api: Api):
    everything = titles(await api.get("/events", params={"limit": "100"}))
    walked: list[str] = []
    cursor = None
    while True:
        reply = await api.get("/events", params={"limit": "7"} | ({"cursor": cursor} if cursor else {}))
        walked += titles(reply)
        numbers = reply.data["pagination"]
        assert numbers["total"] == len(everything)
        assert numbers["hasMore"] is (numbers["nextCursor"] is not None)
        cursor = numbers["nextCursor"]
        if cursor is None:
            break
    assert walked == everything


async def test_a_cursor_of_the_longest_title_fits(api: Api):
    organizer = await api.as_organizer()
    for _ in range(2):
        await make_event(api, organizer, title="\U0010ffff" + "🎉" * 254, city="Longtown", status="published")
    ask = {"city": "longtown", "sortBy": "name", "limit": "1"}
    cursor = (await api.get("/events", params=ask)).data["pagination"]["nextCursor"]
    assert len(titles(await api.get("/events", params=ask | {"cursor": cursor}))) == 1


@pytest.mark.parametrize(
    "tamper",
    [
        lambda cursor: cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), lambda cursor: cursor[:-4],
        lambda cursor: cursor + "AAAA", lambda _: "x", lambda _: "..", lambda _: "%", lambda _: "A" * 900,
        lambda _: "WzEsMl0", lambda cursor: cursor[::-1],
    ],
)  # fmt: skip
async def test_a_changed_cursor_is_refused_by_name(api: Api, tamper: Callable[[str], str]):
    cursor = (await api.get("/events", params={"limit": "2"})).data["pagination"]["nextCursor"]
    reply = await api.get("/events", params={"limit": "2", "cursor": tamper(cursor)})
    assert (reply.status, reply.json["error"]) == (400, "VALIDATION_ERROR")
    assert reply.json["details"][0]["field"] == "cursor"


async def test_a_cursor_is_worth_nothing_in_another_order_or_list(api: Api):
    cursor = (await api.get("/events", params={"limit": "2"})).data["pagination"]["nextCursor"]
    for path, other in (("/events", {"sortOrder": "desc"}), ("/events", {"sortBy": "price"}), ("/articles", {})):
        assert (await api.get(path, params={"cursor": cursor} | other)).status == 400
    assert (await api.get("/events", params={"cursor": cursor, "sortBy": "no such order"})).status == 200


async def test_an_empty_cursor_is_the_first_page(api: Api):
    assert titles(await api.get("/events", params={"cursor": ""})) == titles(await api.get("/events"))
