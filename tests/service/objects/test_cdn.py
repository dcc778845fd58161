"""What was purged is gone from a real cache; what was not confirmed to be gone is an error."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from bilten.objects.cdn import Cdn, NoCdn, cdn_of
from bilten.objects.errors import CdnUnavailable
from fixtures.api import make_settings
from fixtures.cache import TOKEN, Cache
from pydantic import ValidationError

A, B, C = "/uploads/media/v1/aa.webp", "/uploads/media/v1/bb.webp?w=1&h=%2F", "/uploads/media/v2/cc.webp"


Connect = Callable[..., Cdn]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Makes ways to the caches of a CDN; they are closed with the test."""
    async with AsyncExitStack() as stack:

        def cdn(base: str, mode: str = "urls", **overrides: object) -> Cdn:
            values = {"cdn_base_url": base, "cdn_purge": mode, "cdn_purge_token": TOKEN, **overrides}
            made = cdn_of(make_settings("postgresql://nobody@127.0.0.1/none", **values))
            stack.push_async_callback(made.close)
            return made

        yield cdn


@pytest.fixture(params=["urls", "keys"])
def cdn(request: pytest.FixtureRequest, connect: Connect, cache: Cache) -> Cdn:
    """Each of the two ways, of a CDN in which the origin's answers have keys."""
    return connect(cache.url, request.param)


async def test_a_purge_makes_a_hit_a_miss_and_leaves_others(cdn: Cdn, cache: Cache):
    for path, keys in ((A, ["v1", "file-1"]), (B, ["v1", "file-1"]), (C, ["v2", "file-2"])):
        cache.headers = dict(cdn.headers(keys))
        assert await cache.get(path) == "MISS"
        assert await cache.get(path) == "HIT"
    await cdn.purge([cache.url + A, cache.url + B], ["v1"])
    assert await cache.get(A) == "MISS"
    assert await cache.get(A) == "HIT"
    assert await cache.get(B) == "MISS"
    assert await cache.get(C) == "HIT"
    assert cache.asked == [A, B, C, A, B]


async def test_a_purge_of_what_no_cache_has_is_done(cdn: Cdn, cache: Cache):
    await cdn.purge([cache.url + A], ["v1"])
    await cdn.purge([], [])


async def test_more_keys_than_fit_a_header_are_all_purged(connect: Connect, cache: Cache):
    cdn = connect(cache.url, "keys")
    cache.headers = dict(cdn.headers(["v999"]))
    assert await cache.get(A) == "MISS"
    await cdn.purge([], [f"v{number}" for number in range(1000)])
    assert await cache.get(A) == "MISS"


@pytest.mark.parametrize("mode", ["urls", "keys"])
async def test_every_node_forgets_what_it_had_under_the_cdns_name(
    mode: str, connect: Connect, cache: Cache, second_cache: Cache
):
    nodes = [cache, second_cache]
    cdn = connect("https://cdn.example.org/", mode, cdn_purge_urls=[node.url for node in nodes])
    for node in nodes:
        node.headers = dict(cdn.headers(["v1"]))
        assert await node.get(A, host="cdn.example.org") == "MISS"
        assert await node.get(A, host="cdn.example.org") == "HIT"
    await cdn.purge(["https://cdn.example.org" + A], ["v1"])
    for node in nodes:
        assert await node.get(A, host="cdn.example.org") == "MISS"


@pytest.mark.parametrize("mode", ["urls", "keys"])
async def test_a_cache_that_refuses_the_token_is_an_error_that_does_not_tell_it(
    mode: str, connect: Connect, cache: Cache
):
    cdn = connect(cache.url, mode, cdn_purge_token="not-the-token")
    cache.headers = dict(cdn.headers(["v1"]))
    await cache.get(A)
    with pytest.raises(
        CdnUnavailable, match=r"1 of 1 purges failed; .*did not confirm a purge \(status 403\)"
    ) as failure:
        await cdn.purge([cache.url + A], ["v1"])
    assert "not-the-token" not in str(failure.value)
    assert await cache.get(A) == "HIT"


@pytest.mark.parametrize("mode", ["urls", "keys"])
async def test_one_node_that_is_down_is_an_error_and_the_others_are_told_all_the_same(
    mode: str, connect: Connect, cache: Cache
):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    cdn = connect(cache.url, mode, cdn_purge_urls=[nobody, cache.url])
    cache.headers = dict(cdn.headers(["v1"]))
    await cache.get(A)
    with pytest.raises(CdnUnavailable, match="1 of 2 purges failed"):
        await cdn.purge([cache.url + A], ["v1"])
    assert await cache.get(A) == "MISS"


async def test_a_cache_that_never_answers_is_given_up_in_time(connect: Connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cdn = connect(f"http://127.0.0.1:{silent.getsockname()[1]}", cdn_timeout_s=0.3)
        async with asyncio.timeout(10):
            with pytest.raises(CdnUnavailable, match="TimeoutError"):
                await cdn.purge(["http://cdn.example.org/x"], [])


async def test_without_a_cdn_there_is_nothing_to_purge():
    cdn = cdn_of(make_settings("postgresql://nobody@127.0.0.1/none"))
    assert isinstance(cdn, NoCdn)
    assert cdn.headers(["v1"]) == {}
    await cdn.purge(["http://127.0.0.1:9/x"], ["v1"])


def test_purges_without_a_cdn_are_refused_at_start():
    with pytest.raises(ValidationError, match="BILTEN_CDN_PURGE needs BILTEN_CDN_BASE_URL"):
        make_settings("postgresql://nobody@127.0.0.1/none", cdn_purge="urls")
