"""HEAD: what GET would answer, without the body."""

import pytest
from fixtures.api import Api

VOLATILE = {"Date", "X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset", "ETag"}


@pytest.mark.parametrize(
    "path",
    ["//livez", "//openapi.json", "//docs", "", "/events", "/events/6", "/articles", "/articles/1",
     "/events/search/filters", "/events/no-such", "//no/such/path", "/auth/me"],
)  # fmt: skip
async def test_head_is_get_without_its_body(api: Api, path: str):
    head, get = await api.request("HEAD", path), await api.get(path)
    assert head.status == get.status
    assert head.text == ""
    told = [{name: value for name, value in reply.headers.items() if name not in VOLATILE} for reply in (head, get)]
    assert told[0] == told[1]
