"""Paths that try to climb, queries that cannot be read, ids that name nothing."""

import pytest
from fixtures.api import Api
from support.raw import exchange
from support.shape import assert_error

HEADERS = b" HTTP/1.1\r\nHost: bilten\r\n\r\n"


CLIMBING = [
    "/api/v1/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/api/v1/../../etc/passwd",
    "/api/v1/..%5c..%5cwindows",
    "/docs/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/docs/../../../../etc/passwd",
    "/docs/%2e%2e/%2e%2e/etc/passwd",
    "/docs/%252e%252e%252fetc",
    "/docs/swagger-ui.css%00.png",
    "/docs//etc/passwd",
    "/docs/__init__.py",
    "/api/v1/%ff",
    "/api/v1/%00",
    "/api/v1/%zz",
    "/api/v1/auth/login/",
    "/API/V1/auth/me",
    "/api/v1/events;jsessionid=1",
]
ODD_IDS = [
    "%ff", "%00", "%zz", "%ed%a0%80", "%F0%9F%98%80", "%D9%A1", "%C2%B2", "'%20or%201=1%20--", "1%20or%201=1",
    "1e3", "0x1", "-1", "+1", "00", "a" * 3000,
]  # fmt: skip
#: None of the seeded events or articles has such words; as a pattern `%` and `_` would match every one of them.
WORDS = [
    "' or '1'='1", "'; drop table events; --", "\\", "%", "_", "%%%", "\\%", "a\\", '"', "$1", "{}", "&&|!()", ":*",
    "a" * 90, "<script>alert(1)</script>", "\u202e", "\U0001f600", "\ufb00",
]  # fmt: skip


async def test_a_path_that_leads_nowhere_is_404(api: Api):
    for path in CLIMBING:
        (answer,) = await exchange(api.url, b"GET " + path.encode() + HEADERS)
        assert_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("collection", ["events", "articles"])
async def test_an_odd_id_is_not_found_like_any_unknown_one(api: Api, collection: str):
    for odd in ODD_IDS:
        (answer,) = await exchange(api.url, f"GET /api/v1/{collection}/{odd}".encode() + HEADERS)
        assert_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/events", "/articles", "/articles/search", "/events/search/autocomplete"])
async def test_a_query_that_is_no_text_is_400(api: Api, path: str):
    for query in ("search=%ff", "search=a%00b", "%00=a", "page=1&q=%c0%ae", "%ff=1"):
        (answer,) = await exchange(api.url, f"GET /api/v1{path}?q=a&{query}".encode() + HEADERS)
        assert_error(answer, 400, "VALIDATION_ERROR")


async def test_a_query_of_very_many_parameters_is_400(api: Api):
    (answer,) = await exchange(api.url, b"GET /api/v1/events?" + b"&".join([b"a=1"] * 500) + HEADERS)
    assert_error(answer, 400, "VALIDATION_ERROR")


async def test_a_page_or_limit_that_is_no_positive_integer_means_the_default(api: Api):
    digits = "\u0661\u0662"
    for value in ("0", "-1", "1.5", "1e9", "abc", "", "9" * 30, digits, "NaN", "1_0", "+1", " 1", "null"):
        reply = await api.get("/events", params={"page": value, "limit": value})
        assert reply.status == 200, value
        assert (reply.data["pagination"]["page"], reply.data["pagination"]["limit"]) == (1, 10), value


async def test_a_limit_beyond_a_hundred_means_a_hundred_and_a_far_page_is_empty(api: Api):
    for value in ("101", "1000000000", "999999999999999999"):
        reply = await api.get("/events", params={"page": value, "limit": value})
        assert reply.status == 200
        assert reply.data["pagination"]["limit"] == 100
        assert reply.data["events"] == []


async def test_of_a_repeated_parameter_the_last_counts(api: Api):
    reply = await api.get("/events?limit=3&limit=4&limit=2")
    assert reply.data["pagination"]["limit"] == 2


@pytest.mark.parametrize("parameter", ["search", "location", "category", "q", "city", "country", "status"])
async def test_search_words_are_words_and_not_sql_or_patterns(api: Api, parameter: str):
    for words in WORDS:
        reply = await api.get("/events", params={parameter: words})
        assert reply.status == 200, (words, reply.text)
        assert reply.data["events"] == [], words


async def test_search_words_for_articles_and_suggestions_are_no_patterns_either(api: Api):
    for words in WORDS:
        assert (await api.get("/articles", params={"search": words})).data["articles"] == [], words
        assert (await api.get("/articles/search", params={"q": words})).data["articles"] == [], words
        assert (await api.get("/events/search/autocomplete", params={"q": words})).data["suggestions"] == [], words


async def test_a_sort_key_that_is_not_offered_means_the_start_date(api: Api):
    by_date = [event["id"] for event in (await api.get("/events")).data["events"]]
    for sort in ("password_hash", "id; drop table events", "(select 1)", "title,id", "1", "organizer_id desc --"):
        for spelling in ("sortBy", "sort_by"):
            reply = await api.get("/events", params={spelling: sort, "sortOrder": f"asc; {sort}"})
            assert [event["id"] for event in reply.data["events"]] == by_date, sort


@pytest.mark.parametrize("path", ["/events", "/articles"])
async def test_a_cursor_that_we_did_not_sign_is_400(api: Api, path: str):
    for cursor in ("a", "====", "\u00e9", "A" * 999, "A" * 5000, "eyJhIjoxfQ", "' or 1=1"):
        assert_error(await api.get(path, params={"cursor": cursor}), 400, "VALIDATION_ERROR")


async def test_a_cursor_of_another_list_or_order_or_with_a_changed_sign_is_400(api: Api):
    cursor = (await api.get("/events", params={"limit": "3"})).data["pagination"]["nextCursor"]
    assert (await api.get("/events", params={"limit": "3", "cursor": cursor})).status == 200
    middle = len(cursor) // 2
    changed = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    for path, query in (
        ("/events", {"cursor": changed}),
        ("/events", {"cursor": cursor + "A"}),
        ("/events", {"cursor": cursor, "sortBy": "name"}),
        ("/articles", {"cursor": cursor}),
    ):
        assert_error(await api.get(path, params=query), 400, "VALIDATION_ERROR")
