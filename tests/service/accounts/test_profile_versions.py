"""`ETag` and `If-Match` of the caller's account."""

import asyncio
from typing import Any

import pytest
from fixtures.api import Api


async def _put(api: Api, token: str, name: str, if_match: str) -> Any:
    return await api.put("/users/profile", json={"firstName": name}, token=token, headers={"If-Match": if_match})


@pytest.mark.parametrize("path", ["/users/profile", "/auth/me"])
async def test_an_account_has_a_tag_and_no_browser_keeps_it(api: Api, path: str):
    token = await api.as_user()
    first = await api.get(path, token=token)
    assert first.headers["Cache-Control"] == "no-store"
    known = {"If-None-Match": first.headers["ETag"]}
    again = await api.get(path, token=token, headers=known)
    assert (again.status, again.text, again.headers["Cache-Control"]) == (304, "", "no-store")
    changed = await api.put("/users/profile", json={"firstName": "New"}, token=token)
    assert changed.headers["ETag"] != first.headers["ETag"]
    after = await api.get(path, token=token, headers=known)
    assert (after.status, after.headers["ETag"]) == (200, changed.headers["ETag"])


async def test_a_change_for_another_version_is_refused_and_changes_nothing(api: Api):
    token = await api.as_user()
    first = (await api.get("/users/profile", token=token)).headers["ETag"]
    assert (await _put(api, token, "One", first)).status == 200
    reply = await _put(api, token, "Two", first)
    assert (reply.status, reply.json["error"]) == (412, "PRECONDITION_FAILED")
    now = await api.get("/users/profile", token=token)
    assert now.data["user"]["first_name"] == "One"
    assert (await _put(api, token, "Two", now.headers["ETag"])).status == 200


async def test_of_two_changes_for_one_version_one_is_made(api: Api):
    token = await api.as_user()
    version = (await api.get("/users/profile", token=token)).headers["ETag"]
    replies = await asyncio.gather(*(_put(api, token, name, version) for name in ("a", "b", "c")))
    assert sorted(reply.status for reply in replies) == [200, 412, 412]
