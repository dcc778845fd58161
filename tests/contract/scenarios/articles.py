"""News: read by everyone, written by administrators."""

import uuid
from collections.abc import AsyncIterator

from contract.scenarios import refuses, succeeds
from contract.world import NEW_ARTICLE, Reply, World


@succeeds("M GET /articles")
async def articles(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/articles")
    yield await world.send("GET", "/articles", query={"page": "2", "limit": "2"})
    yield await world.send("GET", "/articles", query={"category": "all", "search": "E"})
    for key in ("published_at", "title", "view_count", "no such key"):
        for order in ("asc", "desc"):
            yield await world.send("GET", "/articles", query={"sortBy": key, "sortOrder": order})


@succeeds("M GET /articles/:id")
async def article(world: World) -> AsyncIterator[Reply]:
    listed = await world.send("GET", "/articles", query={"limit": "100"})
    for entry in listed.body["data"]["articles"][:10]:
        yield await world.send("GET", f"/articles/{entry['id']}")
    for article_id in range(1, 7):  # the mock's ids
        yield await world.send("GET", f"/articles/{article_id}")


@refuses("NOT_FOUND", "M GET /articles/:id")
async def no_article(world: World) -> AsyncIterator[Reply]:
    for article_id in (str(uuid.UUID(int=7)), "999999", "0", "-1", "abc", "%20", "9" * 40):
        yield await world.send("GET", f"/articles/{article_id}")


@succeeds("F GET /articles/categories")
async def categories(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/articles/categories")


@succeeds("F GET /articles/search")
async def search(world: World) -> AsyncIterator[Reply]:
    reply = await world.send("GET", "/articles/search", query={"q": "the", "page": "1", "limit": "6"})
    assert reply.body["data"]["search_query"] == "the"
    yield reply


@refuses("VALIDATION_ERROR", "F GET /articles/search")
async def search_for_nothing(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/articles/search")
    yield await world.send("GET", "/articles/search", query={"q": ""})


@succeeds("F POST /articles")
async def create_article(world: World) -> AsyncIterator[Reply]:
    admin = await world.admin()
    reply = await world.send("POST", "/articles", json=NEW_ARTICLE | {"title": f"News {uuid.uuid4()}"}, token=admin)
    yield reply
    await world.send("DELETE", f"/articles/{reply.body['data']['article']['id']}", token=admin)


@refuses("VALIDATION_ERROR", "F POST /articles")
async def create_article_wrongly(world: World) -> AsyncIterator[Reply]:
    admin = await world.admin()
    yield await world.send("POST", "/articles", json={}, token=admin)
    for wrong in ({"title": ""}, {"content": 1}, {"tags": "hall"}):
        yield await world.send("POST", "/articles", json=NEW_ARTICLE | wrong, token=admin)


@succeeds("F PUT /articles/:id")
async def change_article(world: World) -> AsyncIterator[Reply]:
    admin = await world.admin()
    article_id = await world.article(admin)
    title = f"Other news {uuid.uuid4()}"
    reply = await world.send("PUT", f"/articles/{article_id}", json={"title": title}, token=admin)
    assert reply.body["data"]["article"]["title"] == title
    assert reply.body["data"]["article"]["excerpt"] == NEW_ARTICLE["excerpt"]
    yield reply
    await world.send("DELETE", f"/articles/{article_id}", token=admin)


@succeeds("F DELETE /articles/:id")
async def delete_article(world: World) -> AsyncIterator[Reply]:
    admin = await world.admin()
    article_id = await world.article(admin)
    yield await world.send("DELETE", f"/articles/{article_id}", token=admin)
    assert (await world.send("GET", f"/articles/{article_id}")).status == 404
