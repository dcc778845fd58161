"""Uploads to the whole API: who may send one is settled before a byte is read, and a repeated one is done once."""

import json
from typing import Any

import pytest
from bilten import app
from bilten.web.endpoint import endpoints_of
from fixtures.api import Api, StartApi
from support import byte_routes
from support.byte_routes import LIMIT
from support.forms import FILE, Part, form, head, request
from support.raw import exchange
from support.shape import assert_error

PATH = "/api/v1/guarded"
BODY = form(FILE)


@pytest.fixture
async def api(start_api: StartApi, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The whole API, and endpoints that take forms beside it."""
    served = [*app.all_endpoints(), *endpoints_of(byte_routes)]
    monkeypatch.setattr(app, "all_endpoints", lambda: served)
    return await start_api()


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


async def send(api: Api, sent: bytes) -> Any:
    (answer,) = await exchange(api.url, sent)
    return answer


async def test_refusals_come_in_their_order_and_before_the_body(api: Api):
    organizer, user = bearer(await api.as_organizer()), bearer(await api.as_user())
    # Each lacks what the next has; none of them sends its body.
    too_long, unread = "Content-Length: 900000000", "Content-Length: 1000"
    encoded = "Content-Encoding: gzip"
    wrong = f"{PATH}?wait=soon"
    nobody = await send(api, head(wrong, boundary="@", headers=[too_long, encoded]))
    assert_error(nobody, 401, "UNAUTHORIZED")
    assert_error(await send(api, head(wrong, boundary="@", headers=[too_long, encoded, user])), 403, "FORBIDDEN")
    assert_error(await send(api, head(wrong, boundary="@", headers=[too_long, encoded, organizer])), 413)
    assert_error(await send(api, head(wrong, boundary="@", headers=[unread, encoded, organizer])), 415)
    assert_error(await send(api, head(wrong, boundary="@", headers=[unread, organizer])), 400)
    assert_error(await send(api, head(wrong, headers=[unread, organizer])), 400)
    assert (await send(api, request(BODY, path=PATH, headers=[organizer]))).status == 201


async def test_a_refused_sender_who_goes_on_sending_reads_the_refusal(api: Api):
    whole = [head(PATH, headers=["Content-Length: 3000000"]), *[bytes(65536)] * 46]
    (answer,) = await exchange(api.url, whole)
    assert_error(answer, 401)


async def test_the_same_upload_with_the_same_key_is_done_once(api: Api):
    organizer, key = bearer(await api.as_organizer()), "Idempotency-Key: once"
    first = await send(api, request(BODY, path=PATH, headers=[organizer, key]))
    # Another boundary, as every browser makes a new one.
    again = await send(api, request(form(FILE, boundary="b2"), path=PATH, boundary="b2", headers=[organizer, key]))
    assert first.status == again.status == 201
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert json.loads(again.text) == json.loads(first.text)


@pytest.mark.parametrize(
    "other",
    [
        [Part('name="file"; filename="a.png"', b"other bytes", ["Content-Type: image/png"])],
        [Part('name="file"; filename="b.png"', FILE.data, ["Content-Type: image/png"])],
        [FILE, Part('name="folder"', b"/another")],
    ],
    ids=["other bytes", "another name", "another field"],
)
async def test_another_upload_with_the_same_key_is_422(api: Api, other: list[Part]):
    organizer, key = bearer(await api.as_organizer()), "Idempotency-Key: once"
    assert (await send(api, request(BODY, path=PATH, headers=[organizer, key]))).status == 201
    refused = await send(api, request(form(*other), path=PATH, headers=[organizer, key]))
    assert_error(refused, 422, "IDEMPOTENCY_KEY_REUSED")


async def test_the_description_tells_of_forms_and_bytes(api: Api):
    paths = (await api.get("//openapi.json")).json["paths"]
    sent = paths["/api/v1/guarded"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert sent["schema"]["required"] == ["file"]
    assert sent["schema"]["properties"]["file"] == {"type": "string", "format": "binary", "minLength": 1}
    assert sent["encoding"] == {"file": {"contentType": "image/png"}}
    assert "Also taken as `altText`." in sent["schema"]["properties"]["alt_text"]["description"]
    assert "FILE_TOO_LARGE" in paths["/api/v1/guarded"]["post"]["responses"]["413"]["description"]
    pictures = paths["/api/v1/pictures"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert (pictures["properties"]["images"]["minItems"], pictures["properties"]["images"]["maxItems"]) == (1, 3)
    assert "NO_FILE" in paths["/api/v1/pictures"]["post"]["responses"]["400"]["description"]
    shown = paths["/api/v1/private"]["get"]
    assert {"200", "206", "304", "412", "416"} <= shown["responses"].keys()
    assert shown["responses"]["206"]["content"] == {
        "application/pdf": {"schema": {"type": "string", "format": "binary"}}
    }
    assert {"Range", "If-Range", "If-None-Match"} <= {parameter["name"] for parameter in shown["parameters"]}


async def test_a_stranger_reads_no_more_of_the_limit_than_it_says(api: Api):
    organizer = bearer(await api.as_organizer())
    refused = await send(api, head(PATH, headers=["Content-Length: 900000000", organizer]))
    assert str(LIMIT) in assert_error(refused, 413, "FILE_TOO_LARGE")["message"]
