"""How many rows a list says it has: exact where that is cheap, at most a minute old where it is not."""

import pytest
from bilten.db import memory, paging
from fixtures.api import Api

LIMIT = 10


async def total(api: Api, **params: str) -> int:
    count: int = (await api.get("/articles", params={"limit": "1"} | params)).data["pagination"]["total"]
    return count


async def add(api: Api, number: int) -> None:
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            "insert into articles (slug, title, excerpt, content, category, author)"
            " select 'more-' || gen_random_uuid(), 'More', '', '', 'more', 'A' from generate_series(1, $1)",
            (number,),
        )


async def remove(api: Api, number: int) -> None:
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            "delete from articles where id in (select id from articles where category = 'more' limit $1)", (number,)
        )


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "EXACT_TOTAL", LIMIT)


async def test_a_total_up_to_the_limit_is_exact_at_every_moment(api: Api):
    for number in (0, 1, 1, 2):
        await add(api, number)
    assert await total(api) == LIMIT
    await remove(api, 1)
    assert await total(api) == LIMIT - 1
    await add(api, 2)
    assert await total(api) == LIMIT + 1
    await remove(api, 1)
    assert await total(api) == LIMIT


async def test_beyond_the_limit_a_total_is_counted_once_a_minute(api: Api, monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr(memory, "monotonic", lambda: now)
    await add(api, 30)
    assert await total(api) == 36
    await add(api, 1)
    assert await total(api) == 36
    assert await total(api, category="more") == 31
    now += paging.STALE_TOTAL_S + 1
    assert await total(api) == 37


async def test_a_page_that_shows_the_end_needs_no_counting(api: Api):
    await add(api, 30)
    assert await total(api) == 36
    await add(api, 2)
    assert await total(api, limit="100") == 38
    assert await total(api, limit="7", page="6") == 38
    assert await total(api, limit="7", page="7") == 36


async def test_a_long_list_that_shrinks_below_the_limit_is_exact_again(api: Api):
    await add(api, 12)
    assert await total(api) == 18
    await remove(api, 10)
    assert await total(api) == 8
