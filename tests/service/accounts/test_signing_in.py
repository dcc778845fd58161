"""Login, register, logout, me."""

import asyncio

import jwt
import pytest
from fixtures.api import Api, StartApi
from support.secrets import TOKEN_KEYS, key_set, new_key


async def test_a_seeded_account_signs_in_and_its_token_works_everywhere(api: Api):
    token = await api.as_user()
    for path in ("/api/v1/auth/me", "/api/auth/me", "/v1/users/profile"):
        reply = await api.get(f"/{'/'}{path[1:]}", token=token)
        assert reply.status == 200, reply.text
        assert reply.data["user"]["email"] == "user@bilten.com"


async def test_unknown_account_and_wrong_password_cannot_be_told_apart(api: Api):
    unknown = await api.post("/auth/login", json={"email": "nobody@bilten.com", "password": "user123"})
    wrong = await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user124"})
    assert unknown.status == wrong.status == 401
    bodies = [{k: v for k, v in reply.json.items() if k != "requestId"} for reply in (unknown, wrong)]
    assert bodies[0] == bodies[1]
    assert bodies[0]["error"] == "AUTHENTICATION_FAILED"
    assert bodies[0]["message"] == "Invalid email or password"


async def test_an_address_signs_in_in_any_case(api: Api):
    assert await api.login(" User@Bilten.COM ", "user123")


@pytest.mark.parametrize(
    "body", [{}, {"email": "user@bilten.com"}, {"email": 5, "password": "x"}, {"email": "a", "password": ""}]
)
async def test_a_login_that_is_not_filled_in_names_the_field(api: Api, body: dict[str, object]):
    reply = await api.post("/auth/login", json=body)
    assert (reply.status, reply.json["error"], reply.json["message"]) == (400, "VALIDATION_ERROR", "Invalid input data")
    assert {item["field"] for item in reply.json["details"]} <= {"email", "password"}
    assert reply.json["details"]


async def test_the_token_says_what_the_frontends_read_and_is_signed_with_ed25519(api: Api):
    token = await api.as_organizer()
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": "test-1"}
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iss"], claims["aud"], claims["type"]) == ("bilten-api", "bilten-client", "access")
    assert (claims["email"], claims["role"]) == ("organizer@bilten.com", "organizer")
    assert claims["exp"] - claims["iat"] == 7 * 86400


async def test_a_new_account_is_signed_in_at_once_unverified_and_gets_a_mail(api: Api):
    reply = await api.post(
        "/auth/register", json={"email": "Ada@Example.com", "password": "Secret1", "firstName": "Ada", "lastName": "L"}
    )
    assert reply.status == 201, reply.text
    user = reply.data["user"]
    assert (user["email"], user["is_verified"], user["role"], user["name"]) == (
        "ada@example.com",
        False,
        "user",
        "Ada L",
    )
    assert (await api.get("/auth/me", token=reply.data["token"])).status == 200
    assert await api.db.fetchval("select count(*) from jobs where kind = 'mail.send'") == 1


async def test_an_address_is_registered_once_however_many_try_at_once(api: Api):
    body = {"email": "ada@example.com", "password": "Secret1", "name": "Ada L"}
    replies = await asyncio.gather(*(api.post("/auth/register", json=body) for _ in range(6)))
    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409, 409]
    refused = next(reply for reply in replies if reply.status == 409)
    assert (refused.json["error"], refused.json["message"]) == ("USER_EXISTS", "User with this email already exists")


@pytest.mark.parametrize("password", ["Ab1", "alllower1", "ALLUPPER1", "NoDigits", "x" * 1025])
async def test_a_weak_password_is_refused_with_the_whole_rule(api: Api, password: str):
    reply = await api.post("/auth/register", json={"email": "ada@example.com", "password": password, "name": "Ada"})
    assert reply.status == 400
    assert reply.json["details"][0]["field"] == "password"


async def test_registering_as_organizer_makes_one_where_that_is_open(api: Api, start_api: StartApi):
    body = {"password": "Secret12", "name": "Ada", "role": "organizer"}
    open_reply = await api.post("/auth/register", json={**body, "email": "a@example.com"})
    assert open_reply.data["user"]["role"] == "organizer"
    asking = await start_api(organizer_signup="request")
    reply = await asking.post("/auth/register", json={**body, "email": "b@example.com"})
    assert reply.data["user"]["role"] == "user"
    assert await api.db.fetchval("select requested_role from users where email = 'b@example.com'") == "organizer"


async def test_registration_takes_no_field_that_is_not_the_applicants(api: Api):
    body = {
        "email": "a@example.com",
        "password": "Secret12",
        "name": "A",
        "is_verified": True,
        "isVerified": True,
        "id": 1,
        "status": "x",
    }
    user = (await api.post("/auth/register", json=body)).data["user"]
    assert user["is_verified"] is False
    row = await api.db.fetchrow("select id, status from users where email = 'a@example.com'")
    assert row is not None
    assert (str(row["id"]), row["status"]) == (user["id"], "active")


async def test_logout_ends_the_session_and_succeeds_without_one(api: Api):
    token = await api.as_user()
    other = await api.as_user()
    for sent in (token, token, None, "undefined"):
        reply = await api.post("/auth/logout", token=sent)
        assert (reply.status, reply.json["success"], reply.json["message"]) == (200, True, "Logout successful")
    assert (await api.get("/auth/me", token=token)).status == 401
    assert (await api.get("/auth/me", token=other)).status == 200
    assert await api.db.fetchval("select count(*) from revoked_tokens") == 1


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer undefined",
        "Bearer null",
        "Bearer mock_jwt_token_1_2",
        "Basic eDp5",
        "Bearer a.b.c",
        "Bearer " + "x" * 8000,
    ],
)
async def test_what_is_no_token_is_none(api: Api, header: str):
    sent = {"Authorization": header}
    reply = await api.get("/auth/me", headers=sent)
    assert (reply.status, reply.json["error"], reply.json["message"]) == (
        401,
        "UNAUTHORIZED",
        "Authentication required",
    )
    assert (await api.post("/auth/logout", headers=sent)).status == 200


async def test_tokens_of_another_issuer_key_or_kind_are_void(api: Api, start_api: StartApi):
    token = await api.as_user()
    key = api.services.tokens._signing.key  # noqa: SLF001 the attacker of this test has the key
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"kid": "test-1"}

    def forged(changes: dict[str, object], *, drop: str = "") -> str:
        body = {k: v for k, v in {**claims, **changes}.items() if k != drop}
        return jwt.encode(body, key, "EdDSA", headers=header)

    assert (await api.get("/auth/me", token=forged({}))).status == 200, "an unchanged copy is the control"
    void = [
        forged({"aud": "other"}),
        forged({"iss": "other"}),
        forged({"type": "refresh"}),
        forged({"exp": 1}),
        forged({"exp": "soon"}),
        forged({"epoch": 7}),
        forged({"sid": "550e8400-e29b-41d4-a716-446655440000"}),
        forged({"sub": "not a uuid"}),
        *(forged({}, drop=name) for name in ("exp", "aud", "iss", "sub", "sid", "jti", "type", "epoch")),
        jwt.encode(claims, key, "EdDSA", headers={"kid": "../../etc/passwd"}),
        jwt.encode(claims, key, "EdDSA"),
        jwt.encode(claims, None, "none", headers=header),
        jwt.encode(claims, "x" * 64, "HS256", headers=header),
        token[:-4] + "AAAA",
    ]
    statuses = [(await api.get("/auth/me", token=sent)).status for sent in void]
    assert statuses == [401] * len(void)
    other_key = await start_api(token_keys=key_set(new_key("test-1")))
    assert (await other_key.get("/auth/me", token=token)).status == 401


async def test_a_second_key_signs_new_tokens_and_the_old_one_still_verifies(api: Api, start_api: StartApi):
    old = await api.as_user()
    import json  # noqa: PLC0415

    rotated = await start_api(token_keys=key_set(new_key("test-2"), *json.loads(TOKEN_KEYS)["keys"]))
    assert (await rotated.get("/auth/me", token=old)).status == 200
    new = await rotated.as_user()
    assert jwt.get_unverified_header(new)["kid"] == "test-2"


async def test_a_suspended_account_is_signed_out_at_once_and_stays_out(api: Api):
    token = await api.as_user()
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql("update users set status = 'suspended' where email = 'user@bilten.com'")
    assert (await api.get("/auth/me", token=token)).status == 401
    assert (await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"})).status == 401


async def test_a_changed_role_counts_at_once_whatever_the_token_says(api: Api):
    token = await api.as_user()
    event = {
        "title": "T",
        "description": "D",
        "category": "c",
        "venue_name": "V",
        "venue_address": "A",
        "start_date": "2030-01-01T20:00:00Z",
        "end_date": "2030-01-01T23:00:00Z",
        "max_attendees": 5,
        "is_free": True,
    }
    assert (await api.post("/events", json=event, token=token)).status == 403
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql("update users set role = 'organizer' where email = 'user@bilten.com'")
    assert (await api.post("/events", json=event, token=token)).status == 201


async def test_a_login_rehashes_a_password_hashed_with_older_parameters(api: Api):
    import argon2  # noqa: PLC0415

    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("user123")
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql("update users set password_hash = $1 where email = 'user@bilten.com'", (old,))
    await api.as_user()
    stored = await api.db.fetchval("select password_hash from users where email = 'user@bilten.com'")
    assert "m=19456,t=2,p=1" in stored
    assert await api.as_user()


async def test_every_sign_in_leaves_an_audit_row_with_the_requests_id(api: Api):
    reply = await api.post(
        "/auth/login", json={"email": "user@bilten.com", "password": "user123"}, headers={"X-Request-ID": "trace-me"}
    )
    assert reply.headers["X-Request-ID"] == "trace-me"
    row = await api.db.fetchrow("select action, request_id from audit_log order by id desc limit 1")
    assert row is not None
    assert (row["action"], row["request_id"]) == ("session.start", "trace-me")
