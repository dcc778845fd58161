"""Every route and every kind of caller. The table is written by hand: a route that it lacks fails the first test."""

import asyncio
import re
from typing import Any

import pytest
from bilten.app import all_endpoints
from bilten.web.endpoint import Endpoint
from contract.world import NEW_EVENT
from fixtures.api import Api
from support.shape import assert_error

ANYONE, SIGNED_IN, ORGANIZERS, ADMINS = "anyone", "signed in", "organizers", "admins"
LEAST = {
    "POST /auth/login": ANYONE,
    "POST /auth/register": ANYONE,
    "POST /auth/logout": ANYONE,
    "PUT /auth/change-password": SIGNED_IN,
    "POST /auth/forgot-password": ANYONE,
    "POST /auth/reset-password": ANYONE,
    "POST /auth/verify-email": ANYONE,
    "POST /auth/resend-verification": ANYONE,
    "POST /auth/refresh": ANYONE,
    "POST /auth/refresh-token": ANYONE,
    "GET /auth/me": SIGNED_IN,
    "GET /users/profile": SIGNED_IN,
    "PUT /users/profile": SIGNED_IN,
    "GET /events": ANYONE,
    "GET /events/{event_id}": ANYONE,
    "POST /events": ORGANIZERS,
    "PUT /events/{event_id}": ORGANIZERS,
    "DELETE /events/{event_id}": ORGANIZERS,
    "GET /events/search/autocomplete": ANYONE,
    "GET /events/search/filters": ANYONE,
    "GET /events/search/trending": ANYONE,
    "GET /articles": ANYONE,
    "GET /articles/categories": ANYONE,
    "GET /articles/search": ANYONE,
    "GET /articles/{article_id}": ANYONE,
    "POST /articles": ADMINS,
    "PUT /articles/{article_id}": ADMINS,
    "DELETE /articles/{article_id}": ADMINS,
    "GET /wishlist": SIGNED_IN,
    "POST /wishlist": SIGNED_IN,
    "DELETE /wishlist/{event_id}": SIGNED_IN,
    "GET /wishlist/check": SIGNED_IN,
    "GET /files": SIGNED_IN,
    "POST /files": SIGNED_IN,
    "GET /files/quota": SIGNED_IN,
    "GET /files/{file_id}": SIGNED_IN,
    "GET /files/{file_id}/content": SIGNED_IN,
    "PATCH /files/{file_id}": SIGNED_IN,
    "DELETE /files/{file_id}": SIGNED_IN,
    "GET /files/{file_id}/url": SIGNED_IN,
    "DELETE /files/{file_id}/url": SIGNED_IN,
    "GET /files/signed/{file_id}": ANYONE,
    "POST /files/uploads": SIGNED_IN,
    "POST /files/uploads/{upload_id}/complete": SIGNED_IN,
    "POST /files/{file_id}/versions": SIGNED_IN,
    "GET /files/{file_id}/versions": SIGNED_IN,
    "POST /uploads/profile-image": SIGNED_IN,
    "POST /uploads/event-image": SIGNED_IN,
    "POST /uploads/event-gallery": SIGNED_IN,
    "GET /uploads/optimize": ANYONE,
    "DELETE /uploads/delete": SIGNED_IN,
    "GET /uploads/{place}/{filename}": ANYONE,
    "GET /livez": ANYONE,
    "GET /readyz": ANYONE,
    "GET /health": ANYONE,
    "GET ": ANYONE,
}
#: Who is refused, with which status, by what a route asks for.
REFUSED: dict[str, dict[str, int]] = {
    ANYONE: {},
    SIGNED_IN: {"nobody": 401},
    ORGANIZERS: {"nobody": 401, "user": 403},
    ADMINS: {"nobody": 401, "user": 403, "organizer": 403},
}


def name(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def test_every_route_says_who_may_call_it():
    assert {name(endpoint) for endpoint in all_endpoints()} == LEAST.keys()


async def test_each_route_refuses_exactly_whom_it_should(api: Api):
    tokens = {"nobody": None, "user": await api.as_user(), "organizer": await api.as_organizer()}
    tokens["admin"] = await api.as_admin()
    for endpoint in all_endpoints():
        path = ("/" if endpoint.at_root else "") + re.sub(r"\{\w+\}", "999999", endpoint.path)
        for caller, token in tokens.items():
            if endpoint.path == "/auth/logout":
                continue  # it would end the session of the next call
            reply = await api.request(endpoint.method, path, token=token, json={})
            refused = reply.status if reply.status in (401, 403) else None
            assert refused == REFUSED[LEAST[name(endpoint)]].get(caller), (caller, name(endpoint), reply.text)


@pytest.mark.parametrize("change", [{"method": "PUT", "json": {"title": "Mine now"}}, {"method": "DELETE"}])
async def test_what_belongs_to_another_organizer_stays_as_it_is(api: Api, change: dict[str, Any]):
    owner = await api.as_organizer()
    draft = (await api.post("/events", json=NEW_EVENT, token=owner)).data["event"]["id"]
    account = {"email": "rival@example.com", "password": "Secret-123", "name": "Rival", "role": "organizer"}
    rival = (await api.post("/auth/register", json=account)).data["token"]
    # A draft of somebody else is not there; a published event is, but is not theirs to change.
    assert_error(await api.request(path=f"/events/{draft}", token=rival, **change), 404, "NOT_FOUND")
    assert (await api.get(f"/events/{draft}", token=rival)).status == 404
    await api.put(f"/events/{draft}", json={"status": "published"}, token=owner)
    assert_error(await api.request(path=f"/events/{draft}", token=rival, **change), 403, "FORBIDDEN")
    assert (await api.get(f"/events/{draft}")).data["event"]["title"] == NEW_EVENT["title"]


async def test_an_organizer_cannot_make_an_event_anothers_or_more_than_a_draft(api: Api):
    owner = await api.as_organizer()
    grabbed = {"id": 1, "organizer_id": "1", "organizer_name": "x", "status": "published", "is_featured": True,
               "view_count": 99, "attendee_count": 99, "registration_count": 99, "available_tickets": 99}  # fmt: skip
    event = (await api.post("/events", json=NEW_EVENT | grabbed, token=owner)).data["event"]
    plain = (await api.post("/events", json=NEW_EVENT, token=owner)).data["event"]
    changed = {field for field in plain if event[field] != plain[field]}
    assert changed <= {"id", "created_at", "updated_at", "tickets"}
    assert event["status"] == "draft"


async def test_a_token_is_worth_nothing_once_its_session_or_role_has_ended(api: Api):
    token = await api.as_user()
    assert (await api.get("/auth/me", token=token)).status == 200
    await api.post("/auth/logout", token=token)
    replies = await asyncio.gather(*(api.get("/auth/me", token=token) for _ in range(5)))
    assert {reply.status for reply in replies} == {401}
