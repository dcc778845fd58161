"""A page of an allowed origin can read every answer there is; a page of any other can read none."""

import pytest
from fixtures.api import ORIGIN, Api, Reply, StartApi, make_settings, serve
from support.provoke import PROVOCATIONS, SETTINGS, Provocation

ALLOW = "Access-Control-Allow-Origin"
NAMES = [f"{status} {provocation.__name__}" for status, _, provocation in PROVOCATIONS]
FOREIGN = [
    "http://localhost:3000.evil.example",
    "http://evil.example/http://localhost:3000",
    "http://localhost:30001",
    "http://localhost",
    "https://localhost:3000",
    "http://evil.localhost:3000",
    "http://localhost:3000@evil.example",
    "http://LOCALHOST:3000",
    "http://localhost:3000/",
    "null",
    "file://",
    "*",
    "",
    "http://127.0.0.1:3000",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def asks(method: str, origin: str = ORIGIN) -> dict[str, str]:
    """What a browser sends before the request proper."""
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,x-anything",
    }


@pytest.mark.parametrize(("status", "_code", "provocation"), PROVOCATIONS, ids=NAMES)
async def test_an_allowed_origin_may_read_every_status(
    start_api: StartApi, status: int, _code: str | None, provocation: Provocation
):
    api = await start_api(anonymous_requests_per_minute=20, **SETTINGS)
    reply = await provocation(api, {"Origin": ORIGIN})
    assert reply.status == status
    assert reply.headers[ALLOW] == ORIGIN
    assert reply.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in reply.headers
    exposed = reply.headers["Access-Control-Expose-Headers"].lower()
    assert {"x-request-id", "retry-after", "ratelimit-remaining", "etag"} <= set(exposed.replace(" ", "").split(","))


@pytest.mark.parametrize("path", ["//livez", "/events", "//no/such/path", "/auth/me"])
async def test_no_other_origin_may_read_anything(api: Api, path: str):
    for origin in FOREIGN:
        reply = await api.get(path, headers={"Origin": origin})
        assert ALLOW not in reply.headers, origin
        assert reply.headers["Vary"] == "Origin"
        reply = await api.request("OPTIONS", path, headers=asks("GET", origin))
        assert ALLOW not in reply.headers, origin
        assert reply.status >= 400


@pytest.mark.parametrize("method", METHODS)
async def test_a_preflight_is_answered_for_every_method_and_every_path(api: Api, method: str):
    for path in ("/events", "/auth/me", "//no/such/path", "/wishlist/1", "//livez"):
        assert_permission(await api.request("OPTIONS", path, headers=asks(method)), method)


def assert_permission(reply: Reply, method: str) -> None:
    assert reply.status in (200, 204)
    assert reply.headers[ALLOW] == ORIGIN
    assert method in reply.headers["Access-Control-Allow-Methods"]
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed.replace(" ", "").split(","))
    assert int(reply.headers["Access-Control-Max-Age"]) >= 600
    assert "Access-Control-Allow-Credentials" not in reply.headers


async def test_a_method_that_nothing_takes_is_not_allowed_by_a_preflight(api: Api):
    reply = await api.request("OPTIONS", "/events", headers=asks("TRACE"))
    assert reply.status == 403
    assert "TRACE" not in reply.headers.get("Access-Control-Allow-Methods", "")


async def test_a_preflight_comes_before_limits_and_costs_nothing(start_api: StartApi):
    api = await start_api(anonymous_requests_per_minute=3)
    for _ in range(10):
        assert (await api.request("OPTIONS", "/events", headers=asks("GET"))).status in (200, 204)
    assert int((await api.get("/events")).headers["RateLimit-Remaining"]) == 2
    while (await api.get("/events")).status != 429:
        pass
    assert (await api.request("OPTIONS", "/events", headers=asks("GET"))).status in (200, 204)


async def test_an_origin_twice_or_with_a_list_is_not_believed(api: Api):
    reply = await api.get("/events", headers={"Origin": f"{ORIGIN}, http://evil.example"})
    assert ALLOW not in reply.headers


@pytest.mark.parametrize(
    ("path", "readable"), [("/events", False), ("/articles", False), ("/articles/categories", True)]
)
async def test_only_the_outage_of_a_mocked_call_is_hidden_and_only_where_set(path: str, readable: bool):
    gone = "postgresql://bilten@127.0.0.1:1/bilten"
    async with serve(make_settings(gone)) as api:
        reply = await api.get(path, headers={"Origin": ORIGIN})
        assert reply.status == 503
        assert (ALLOW in reply.headers) == readable
        assert (await api.request("OPTIONS", path, headers=asks("GET"))).status in (200, 204)
    async with serve(make_settings(gone, outage_drops_cors=False)) as api:
        assert ALLOW in (await api.get(path, headers={"Origin": ORIGIN})).headers


async def test_all_origins_where_a_deployment_says_so_but_never_with_credentials(start_api: StartApi):
    api = await start_api(cors_origins=["*"])
    reply = await api.get("/events", headers={"Origin": "http://anywhere.example"})
    assert reply.headers[ALLOW] in ("*", "http://anywhere.example")
    assert "Access-Control-Allow-Credentials" not in reply.headers
