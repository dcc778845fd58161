"""/metrics: labels are route templates and status classes, so that no caller can make new ones up."""

import re

import pytest
from fixtures.api import Api, StartApi
from support.counted import counted
from support.shape import assert_error


async def test_requests_are_counted_by_template_and_status_class(api: Api):
    before = await counted(api)
    for path in ("/events/1a", "/events/2b", "/events/3c"):
        await api.get(path)
    for path in ("//no/such/path", "//some/other/path", "/tickets/77"):
        await api.get(path)
    await api.request("BREWED", "/events")
    after = await counted(api)
    new = {labels: count - before.get(labels, 0) for labels, count in after.items() if count != before.get(labels)}
    assert new["GET", "/api/v1/events/{event_id}", "4xx"] == 3
    assert new["GET", "unmatched", "4xx"] == 3
    assert not [route for _, route, _ in after if re.search(r"1a|such|other|77", route)]
    assert not [method for method, _, _ in after if method == "BREWED"]


async def test_durations_are_in_seconds_with_buckets(api: Api):
    await api.get("/articles")
    exposition = (await api.get("//metrics")).text
    assert 'bilten_http_request_duration_seconds_bucket{le="0.005"' in exposition
    assert "bilten_http_requests_in_flight 1.0" in exposition


async def test_who_is_not_in_the_networks_finds_no_metrics(start_api: StartApi):
    api = await start_api(metrics_networks=["192.0.2.0/24"])
    assert_error(await api.get("//metrics"), 404, "NOT_FOUND")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
async def test_who_comes_through_a_proxy_finds_no_metrics(api: Api, header: str):
    assert_error(await api.get("//metrics", headers={header: "for=203.0.113.9"}), 404, "NOT_FOUND")
