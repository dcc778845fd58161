"""JSON as an attacker sends it: refused with 400 and a reason, before any of it reaches an account or the database."""

import json

import pytest
from fixtures.api import Api
from support.shape import assert_error

LOGIN = {"email": "user@bilten.com", "password": "user123"}
JSON = {"Content-Type": "application/json"}


def deep(levels: int) -> str:
    """A login with a member nested so deep that the body has this many levels."""
    return json.dumps(LOGIN)[:-1] + ', "more": ' + "[" * (levels - 1) + "]" * (levels - 1) + "}"


@pytest.mark.parametrize(
    "body",
    [
        deep(65),
        deep(100_000),
        '{"a":' * 50_000,
        '{"email": "user@bilten.com", "email": "admin@bilten.com", "password": "user123"}',
        '{"email": "user@bilten.com", "password": "user123", "more": {"a": 1, "a": 2}}',
        '{"email": "user@bilten.com", "password": "user123", "n": NaN}',
        '{"email": "user@bilten.com", "password": "user123", "n": -Infinity}',
        '{"email": "user@bilten.com", "password": "user123", "n": 1e400}',
        '{"email": "user@bilten.com", "password": "user123", "n": 1' + "0" * 400 + "}",
        '{"email": "user@bilten.com", "password": "user123", "n": ' + "9" * 5000 + "}",
        '{"email": "user@bilten.com", "password": "\\ud800"}',
        '{"email": "user@bilten.com", "password": "user123", "\\udfff": 1}',
        '{"email": "user@bilten.com\\u0000", "password": "user123"}',
        '{"email": "user@bilten.com", "password": "user123", "\\u0000": 1}',
        '{"email": "user@bilten.com", "password": "user123"',
        '{"email": "user@bilten.com", "password": "user123"} {}',
        "{'email': 'user@bilten.com', 'password': 'user123'}",
        '{"email": "user@bilten.com", "password": "user123",}',
        '{"email": "user@bilten.com", "password": "a\nb"}',
        '\ufeff{"email": "user@bilten.com", "password": "user123"}',
        "",
        "   ",
        "null",
        "[]",
        '"text"',
        "1",
    ],
    ids=lambda body: repr(body[:40]) + f" of {len(body)}",
)
async def test_a_body_that_is_not_sane_json_is_refused(api: Api, body: str):
    reply = await api.post("/auth/login", data=body.encode("utf-8", "surrogatepass"), headers=JSON)
    refused = assert_error(reply, 400, "VALIDATION_ERROR")
    assert refused["message"] == "Invalid input data"
    assert refused["details"]


@pytest.mark.parametrize("body", [b'{"email": "\xff"}', b"\xff\xfe{\x00}\x00", b'{"email": "\xed\xa0\x80"}'])
async def test_a_body_that_is_not_utf_8_is_refused(api: Api, body: bytes):
    reply = await api.post("/auth/login", data=body, headers=JSON)
    assert assert_error(reply, 400, "VALIDATION_ERROR")["details"][0]["message"] == "The body is not valid UTF-8"


async def test_nesting_within_the_bound_and_large_numbers_within_a_double_are_fine(api: Api):
    assert (await api.post("/auth/login", data=deep(64), headers=JSON)).status == 200
    with_numbers = json.dumps(LOGIN | {"n": 10**308, "m": 1.7e308})
    assert (await api.post("/auth/login", data=with_numbers, headers=JSON)).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application",
        "",
    ],
)
async def test_a_body_of_another_content_type_is_refused(api: Api, content_type: str):
    reply = await api.post("/auth/login", data=json.dumps(LOGIN), headers={"Content-Type": content_type})
    assert_error(reply, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
async def test_parameters_and_case_of_the_content_type_do_not_matter(api: Api, content_type: str):
    reply = await api.post("/auth/login", data=json.dumps(LOGIN), headers={"Content-Type": content_type})
    assert reply.status == 200


@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "text/plain"}])
async def test_a_call_that_takes_no_body_needs_none_and_no_content_type(api: Api, headers: dict[str, str]):
    assert (await api.post("/auth/logout", headers=headers)).status == 200


async def test_members_of_the_wrong_type_are_named_each(api: Api):
    reply = await api.post("/auth/register", json={"email": 1, "password": ["a"], "first_name": {}, "role": True})
    refused = assert_error(reply, 400, "VALIDATION_ERROR")
    assert {detail["field"] for detail in refused["details"]} == {"email", "password", "first_name", "role"}


async def test_what_was_sent_is_not_repeated(api: Api):
    reply = await api.post("/auth/register", json={"email": "hidden-value", "password": "a", "first_name": "x"})
    assert "hidden-value" not in reply.text


async def test_members_that_nobody_asked_for_change_nothing(api: Api):
    body = {
        "email": "grabber@example.com", "password": "Secret-123", "first_name": "G", "last_name": "R",
        "is_verified": True, "isVerified": True, "id": 1, "status": "active", "token_epoch": 99,
        "requested_role": "admin",
    }  # fmt: skip
    user = (await api.post("/auth/register", json=body)).data["user"]
    assert (user["role"], user["is_verified"]) == ("user", False)
    assert user["id"] != 1
    for field, value in (("role", "admin"), ("is_verified", True), ("isOrganizer", True)):
        token = await api.login("grabber@example.com", "Secret-123")
        reply = await api.put("/users/profile", json={field: value, "bio": "b"}, token=token)
        assert reply.status == 200
        assert (reply.data["user"]["role"], reply.data["user"]["is_verified"]) == ("user", False)
