"""Articles as everyone reads them: the list, one article, categories and search."""

from typing import Any

import pytest
from fixtures.api import Api

SHOWN = {
    "id": str, "title": str, "excerpt": str, "content": str, "category": str, "author": str, "published_at": str,
    "featured_image_url": str, "view_count": int, "read_time": int, "tags": list, "slug": str, "created_at": str,
    "updated_at": str,
}  # fmt: skip


async def make(api: Api, **fields: Any) -> dict[str, Any]:
    body = {"title": "A title", "content": "Some words.", "category": "news"} | fields
    reply = await api.post("/articles", json=body, token=await api.as_admin())
    assert reply.status == 201, reply.text
    article: dict[str, Any] = reply.data["article"]
    return article


async def found(api: Api, path: str = "/articles", **params: str) -> list[str]:
    reply = await api.get(path, params={"limit": "100"} | params)
    assert reply.status == 200, reply.text
    return [article["title"] for article in reply.data["articles"]]


async def walk(api: Api, path: str, **params: str) -> list[str]:
    """Every title, page after page by cursor, while articles that would be found are added."""
    walked: list[str] = []
    while True:
        reply = await api.get(path, params=params)
        walked += [article["title"] for article in reply.data["articles"]]
        assert len(walked) < 100, "a walk comes to an end"
        if (cursor := reply.data["pagination"]["nextCursor"]) is None:
            return walked
        await make(api, title="Newer than all", excerpt="Searched for")
        params["cursor"] = cursor


async def test_the_six_sample_articles_come_newest_first_with_every_field(api: Api):
    reply = await api.get("/articles")
    assert (reply.status, reply.json["success"]) == (200, True)
    articles = reply.data["articles"]
    assert len(articles) == reply.data["pagination"]["total"] == 6
    assert [a["published_at"] for a in articles] == sorted((a["published_at"] for a in articles), reverse=True)
    for article in articles:
        assert article.keys() == SHOWN.keys()
        assert {name: kind for name, kind in SHOWN.items() if not isinstance(article[name], kind)} == {}
        assert all(isinstance(tag, str) for tag in article["tags"])


async def test_articles_are_ordered_by_what_is_known_and_else_by_date(api: Api):
    await make(api, title="zebra")
    await make(api, title="Aardvark")
    by_title = await found(api, sortBy="title", sortOrder="asc")
    assert by_title == sorted(by_title, key=str.lower)
    assert await found(api, sort_by="title") == by_title[::-1]
    assert await found(api, sortBy="password", sortOrder="up") == await found(api)
    assert await found(api, sortOrder="asc") == (await found(api))[::-1]


async def test_a_category_is_compared_in_any_case_and_all_means_any(api: Api):
    await make(api, title="Elsewhere", category="Travel")
    assert await found(api, category="TRAVEL") == ["Elsewhere"]
    assert len(await found(api, category="music")) == 6
    assert len(await found(api, category="all")) == len(await found(api, category=" ")) == 7


async def test_a_search_looks_into_title_and_excerpt_only(api: Api):
    await make(api, title="About 100%_Cotton", excerpt="soft Things zqa", content="needle")
    for path, name in (("/articles", "search"), ("/articles/search", "q")):
        for text in ("cotton", "COTTON soft", "100%_c", "zq"):
            assert await found(api, path, **{name: text}) == ["About 100%_Cotton"], text
        for text in ("needle", "%", "cotton_", "1__%", "'", "cotton silk"):
            assert await found(api, path, **{name: text}) == [], text


async def test_a_search_says_what_was_searched_for_and_wants_to_know(api: Api):
    reply = await api.get("/articles/search", params={"q": " night ", "page": "1", "limit": "6"})
    assert reply.data["search_query"] == "night"
    assert reply.data["pagination"]["totalPages"] == 1
    for params in ({}, {"q": ""}, {"q": "  "}):
        reply = await api.get("/articles/search", params=params)
        assert (reply.status, reply.json["error"], reply.json["message"]) == (
            400,
            "VALIDATION_ERROR",
            "Search query is required",
        )


async def test_articles_are_paged_for_real_by_number_and_by_cursor(api: Api):
    everything = await found(api)
    for number in (1, 2, 3):
        reply = await api.get("/articles", params={"limit": "2", "page": str(number)})
        assert [a["title"] for a in reply.data["articles"]] == everything[2 * number - 2 : 2 * number]
        assert (reply.data["pagination"]["pages"], reply.data["pagination"]["hasMore"]) == (3, number < 3)
    assert await walk(api, "/articles", limit="4") == everything


async def test_what_a_search_finds_is_walked_by_cursor_to_its_end(api: Api):
    for number in range(5):
        await make(api, title=f"Newer {number}", excerpt="Searched for")
    whole = [f"Newer {number}" for number in (4, 3, 2, 1, 0)]
    assert await walk(api, "/articles/search", limit="2", q="newer searched") == whole


async def test_one_article_comes_with_up_to_three_of_its_category(api: Api):
    reply = await api.get("/articles/1")
    article, related = reply.data["article"], reply.data["relatedArticles"]
    assert len(related) == 3
    assert all(other["category"] == article["category"] and other["id"] != article["id"] for other in related)
    assert all(other.keys() == SHOWN.keys() for other in related)
    alone = await make(api, category="Alone")
    assert (await api.get(f"/articles/{alone['id']}")).data["relatedArticles"] == []


async def test_an_article_is_named_by_id_small_id_or_slug(api: Api):
    article = (await api.get("/articles/2")).data["article"]
    for name in (article["id"], article["id"].upper(), article["slug"]):
        assert (await api.get(f"/articles/{name}")).data["article"]["title"] == article["title"]
    year = await make(api, title="2025")
    assert year["slug"] == "2025"
    assert (await api.get("/articles/2025")).data["article"]["id"] == year["id"]
    odd = await make(api, title="550e8400-e29b-41d4-a716-446655440101")
    assert (await api.get("/articles/550e8400-e29b-41d4-a716-446655440101")).data["article"]["id"] == odd["id"]


@pytest.mark.parametrize("name", ["0", "-1", "7000", "9" * 40, "..%2F..", "null", "Search", "a_b", "x" * 300])
async def test_an_odd_or_unknown_name_is_simply_not_found(api: Api, name: str):
    reply = await api.get(f"/articles/{name}")
    assert (reply.status, reply.json["error"], reply.json["message"]) == (404, "NOT_FOUND", "Article not found")


async def test_each_read_counts_as_a_view(api: Api):
    before = (await api.get("/articles/3")).data["article"]
    await api.services.views.flush()
    after = (await api.get("/articles/3")).data["article"]
    assert after.pop("view_count") == before.pop("view_count") + 1
    assert after == before


async def test_categories_are_counted_in_any_case(api: Api):
    await make(api, category="Travel")
    await make(api, category="travel")
    reply = await api.get("/articles/categories")
    assert reply.data["categories"] == [
        {"id": "music", "name": "music", "count": 6},
        {"id": "travel", "name": "Travel", "count": 2},
    ]


@pytest.mark.parametrize(
    ("path", "name"), [("/articles", "search"), ("/articles", "category"), ("/articles/search", "q")]
)
async def test_an_overlong_filter_is_refused_by_name(api: Api, path: str, name: str):
    reply = await api.get(path, params={name: "x" * 2000})
    assert (reply.status, reply.json["details"][0]["field"]) == (400, name)
