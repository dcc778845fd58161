"""Every served call of the contract, made for real and compared field by field with what `endpoints.json` says."""

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from contract import scenarios
from contract.catalogue import CALLS, SERVED, Call, Refusal
from contract.scenarios import accounts, articles, events, uploads, wishlist  # noqa: F401 importing them registers them
from contract.shapes import Seen, problems
from contract.world import Reply, World
from PIL import Image
from support.shape import assert_shape

BASES = ("/api/v1", "/v1", "/api")
WALKS = [
    pytest.param(call, base, id=f"{call.key} under {base or 'the root'}")
    for call in SERVED.values()
    for base in ([""] if call.at_root else BASES)
]
#: 429 has a test of its own: limits are settings. An optional error is not given (contract §4 item 12, resending).
LISTED = [
    pytest.param(call, refusal, id=f"{call.key} {refusal.error}")
    for call in SERVED.values()
    for refusal in call.refusals
    if refusal.status != 429 and not refusal.when.startswith("optional")
]


def is_of(reply: Reply, call: Call) -> bool:
    return reply.method == call.method and call.matches(reply.path)


@pytest.mark.parametrize(("call", "base"), WALKS)
async def test_a_call_answers_field_by_field_as_the_contract_says(call: Call, base: str, world: Callable[[str], World]):
    looked_at: set[str] = set()
    sent: set[str] = set()
    asked: set[str] = set()
    async for reply in scenarios.SUCCESSES[call.key](world(base)):
        assert is_of(reply, call), reply.path
        assert reply.status == call.status, (reply.query, reply.sent, reply.body)
        assert reply.headers["Content-Type"].startswith("application/json")
        seen = Seen(reply.body, query=reply.query, sent=reply.sent, signed_in=reply.signed_in)
        wrong, found = problems(call.fields, seen)
        assert wrong == [], (reply.query, reply.sent)
        assert reply.body["success"] is True
        looked_at |= found
        sent |= reply.sent.keys()
        asked |= reply.query.keys()
    assert looked_at == set(call.fields), "these fields were in no answer"
    assert _names(call.request) <= sent, "these members of the body were never sent"
    assert _names(call.query) <= asked, "these parameters were never asked for"


def _names(described: Any) -> set[str]:
    return {name for text in described for name in re.split(r", | \| ", text) if not name.startswith("(")}


@pytest.mark.parametrize(("call", "refusal"), LISTED)
async def test_a_call_refuses_as_the_contract_says(call: Call, refusal: Refusal, world: Callable[[str], World]):
    replies = [reply async for reply in scenarios.REFUSALS[call.key, refusal.error](world("/api/v1"))]
    assert replies
    for reply in replies:
        assert is_of(reply, call), reply.path
        told = (reply.status, reply.body.get("error"), reply.body.get("message"))
        assert told == (refusal.status, refusal.error, refusal.message), (reply.path, reply.sent, reply.body)
        assert_error_shape(reply)


def assert_error_shape(reply: Reply) -> None:
    body = assert_shape(json.dumps(reply.body), reply.headers)
    if body["error"] == "VALIDATION_ERROR" and body["message"] == "Invalid input data":
        assert body["details"], "a refused body or query names its wrong fields"


async def test_each_session_call_swaps_a_refresh_token_once(world: Callable[[str], World]):
    at = world("/api/v1")
    person = await at.person()
    for path, spelling in (("/auth/refresh", "refreshToken"), ("/auth/refresh-token", "refresh_token")):
        first = await at.send("POST", path, json={spelling: person.refresh_token})
        assert first.status == 200, first.body
        assert first.body["success"] is True
        data = first.body["data"]
        assert data["token"] == data["accessToken"]
        assert data["refreshToken"] != person.refresh_token
        assert (await at.send("GET", "/auth/me", token=data["token"])).status == 200
        again = await at.send("POST", path, json={spelling: person.refresh_token})
        assert (again.status, again.body["error"]) == (409, "REFRESH_SUPERSEDED")
        person = await at.person()


@pytest.mark.usefixtures("uploads")
@pytest.mark.parametrize("base", ["", *BASES])
async def test_a_picture_is_at_its_address(base: str, world: Callable[[str], World]):
    (call,) = (call for call in CALLS if call.served and call.answers_bytes)
    at = world("/api/v1")
    token = (await at.person()).token
    for path, place in ((uploads.PROFILE, "profiles"), (uploads.EVENT, "events"), (uploads.GALLERY, "gallery")):
        reply = await at.send("POST", path, files=[uploads.part(path)], token=token)
        picture = reply.body["data"]["files"][0] if path == uploads.GALLERY else reply.body["data"]
        for name in ("url", "thumbnail_url", "optimized_url"):
            address = urlsplit(picture[name]).path
            assert call.matches(address)
            assert address.split("/")[2] == place
            status, headers, content = await at.fetch(base + address)
            assert (status, headers["Cross-Origin-Resource-Policy"]) == (call.status, "cross-origin")
            assert Image.open(io.BytesIO(content)).format
    reply = await world(base).send("GET", "/uploads/events/nothing.jpg")
    assert (reply.status, reply.body["error"], reply.body["message"]) == (404, "NOT_FOUND", "File not found")
    assert_error_shape(reply)


async def test_the_base_paths_answer_an_index(world: Callable[[str], World]):
    for base in BASES:
        reply = await world(base).send("GET", "")
        assert reply.status == 200
        assert {"message", "version", "endpoints", "documentation"} <= reply.body.keys()
