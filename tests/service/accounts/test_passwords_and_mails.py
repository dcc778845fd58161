"""Changing, forgetting and resetting passwords; verifying addresses; the profile."""

import asyncio
import hashlib
import json
import re

from fixtures.api import Api, StartApi
from support.jobs import all_done, until, working_on_all
from support.links import a_minute_passes
from support.rows import stored_text


async def _mailed_token(api: Api, to: str) -> str:
    """The token in the newest mail to an address, delivered by a real worker."""
    async with working_on_all(api.db, api.settings):
        await until(lambda: all_done(api.db))
    mails = json.loads((await api.get("//dev/mail.json")).text)
    text = next(mail["text"] for mail in mails if mail["to"] == to)
    match = re.search(r"token=([\w-]+)", text)
    assert match, text
    return match[1]


async def test_a_changed_password_ends_every_other_session_and_leaves_the_callers(api: Api):
    mine, other = (
        await api.as_user(),
        await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"}),
    )
    reply = await api.put(
        "/auth/change-password", token=mine, json={"currentPassword": "user123", "newPassword": "Secret1"}
    )
    assert (reply.status, reply.json["success"], reply.json["message"]) == (200, True, "Password changed successfully")
    assert (await api.get("/auth/me", token=mine)).status == 200
    assert (await api.get("/auth/me", token=other.data["token"])).status == 401
    assert (await api.post("/auth/refresh", json={"refreshToken": other.data["refreshToken"]})).status == 401
    assert (await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"})).status == 401
    assert await api.login("user@bilten.com", "Secret1")


async def test_a_wrong_current_password_is_400_so_that_nobody_is_signed_out(api: Api):
    token = await api.as_user()
    reply = await api.put("/auth/change-password", token=token, json={"currentPassword": "x", "newPassword": "Secret1"})
    assert (reply.status, reply.json["error"], reply.json["message"]) == (
        400,
        "INVALID_PASSWORD",
        "Current password is incorrect",
    )


async def test_a_weak_new_password_is_named_under_the_field_it_came_in(api: Api):
    token = await api.as_user()
    reply = await api.put(
        "/auth/change-password", token=token, json={"currentPassword": "user123", "newPassword": "weak"}
    )
    assert (reply.status, reply.json["details"][0]["field"]) == (400, "new_password")


async def test_a_forgotten_password_is_reset_by_mail_once_and_ends_every_session(api: Api):
    token = await api.as_user()
    reply = await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    assert (reply.status, reply.json["message"]) == (200, "Password reset email sent")
    link = await _mailed_token(api, "user@bilten.com")
    bodies = {"token": link, "newPassword": "Secret1"}
    replies = await asyncio.gather(*(api.post("/auth/reset-password", json=bodies) for _ in range(4)))
    assert sorted(r.status for r in replies) == [200, 400, 400, 400]
    refused = next(r for r in replies if r.status == 400)
    assert (refused.json["error"], refused.json["message"]) == ("INVALID_TOKEN", "Invalid or expired reset token")
    assert (await api.get("/auth/me", token=token)).status == 401
    assert await api.login("user@bilten.com", "Secret1")


async def test_only_the_newest_reset_link_works(api: Api):
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    first = await _mailed_token(api, "user@bilten.com")
    await a_minute_passes(api.db)
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    second = await _mailed_token(api, "user@bilten.com")
    assert (await api.post("/auth/reset-password", json={"token": first, "newPassword": "Secret1"})).status == 400
    assert (await api.post("/auth/reset-password", json={"token": second, "newPassword": "Secret1"})).status == 200


async def test_a_link_of_one_kind_is_no_link_of_another(api: Api):
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    reset = await _mailed_token(api, "user@bilten.com")
    assert (await api.post("/auth/verify-email", json={"token": reset})).status == 400
    await api.post("/auth/register", json={"email": "ada@example.com", "password": "Secret1", "name": "Ada"})
    verify = await _mailed_token(api, "ada@example.com")
    assert (await api.post("/auth/reset-password", json={"token": verify, "newPassword": "Secret1"})).status == 400


async def test_an_expired_link_is_refused(api: Api):
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    link = await _mailed_token(api, "user@bilten.com")
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql(
            "update one_time_tokens set created_at = now() - interval '2 h', expires_at = now() - interval '1 s'"
        )
    assert (await api.post("/auth/reset-password", json={"token": link, "newPassword": "Secret1"})).status == 400


async def test_an_unknown_address_is_told_or_not_as_the_setting_says(api: Api, start_api: StartApi):
    told = await api.post("/auth/forgot-password", json={"email": "nobody@example.com"})
    assert (told.status, told.json["error"], told.json["message"]) == (404, "USER_NOT_FOUND", "User not found")
    discreet = await start_api(forgot_password_reveals=False)
    reply = await discreet.post("/auth/forgot-password", json={"email": "nobody@example.com"})
    known = await discreet.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    assert (
        (reply.status, reply.json)
        == (known.status, known.json)
        == (200, {"success": True, "message": "Password reset email sent"})
    )


async def test_an_address_is_verified_by_mail_and_the_twin_call_succeeds_too(api: Api):
    reply = await api.post("/auth/register", json={"email": "ada@example.com", "password": "Secret1", "name": "Ada"})
    link = await _mailed_token(api, "ada@example.com")
    twins = await asyncio.gather(*(api.post("/auth/verify-email", json={"token": link}) for _ in range(2)))
    assert [twin.status for twin in twins] == [200, 200]
    assert twins[0].json["message"] == "Email verified successfully"
    user = (await api.get("/auth/me", token=reply.data["token"])).data["user"]
    assert user["is_verified"] is True
    wrong = await api.post("/auth/verify-email", json={"token": "nonsense"})
    assert (wrong.status, wrong.json["error"], wrong.json["message"]) == (
        400,
        "INVALID_TOKEN",
        "Invalid or expired verification token",
    )


async def test_a_resent_link_replaces_the_first(api: Api):
    await api.post("/auth/register", json={"email": "ada@example.com", "password": "Secret1", "name": "Ada"})
    first = await _mailed_token(api, "ada@example.com")
    await a_minute_passes(api.db)
    await api.post("/auth/resend-verification", json={"email": "ada@example.com"})
    second = await _mailed_token(api, "ada@example.com")
    assert first != second
    assert (await api.post("/auth/verify-email", json={"token": first})).status == 400
    assert (await api.post("/auth/verify-email", json={"token": second})).status == 200


async def test_the_profile_changes_what_was_sent_and_nothing_else(api: Api):
    token = await api.as_user()
    reply = await api.put(
        "/users/profile",
        token=token,
        json={"firstName": "Neu", "phone": "+49 1", "role": "admin", "is_verified": False},
    )
    assert (reply.status, reply.json["success"]) == (200, True)
    user = (await api.get("/users/profile", token=token)).data["user"]
    assert (user["first_name"], user["phone"], user["role"], user["is_verified"]) == ("Neu", "+49 1", "user", True)
    assert user["last_name"]
    await api.put("/users/profile", token=token, json={"phone": None})
    assert (await api.get("/users/profile", token=token)).data["user"]["phone"] is None


async def test_a_new_address_counts_once_its_link_was_followed(api: Api):
    token = await api.as_user()
    reply = await api.put("/users/profile", token=token, json={"email": "New@Example.com"})
    assert reply.data["user"]["email"] == "user@bilten.com"
    link = await _mailed_token(api, "new@example.com")
    assert (await api.post("/auth/verify-email", json={"token": link})).status == 200
    assert (await api.get("/auth/me", token=token)).data["user"]["email"] == "new@example.com"
    assert await api.login("new@example.com", "user123")


async def test_an_address_that_is_taken_is_refused_now_or_when_it_is_confirmed(api: Api):
    token = await api.as_user()
    taken = await api.put("/users/profile", token=token, json={"email": "admin@bilten.com"})
    assert (taken.status, taken.json["error"]) == (409, "USER_EXISTS")
    await api.put("/users/profile", token=token, json={"email": "race@example.com"})
    link = await _mailed_token(api, "race@example.com")
    await api.post("/auth/register", json={"email": "race@example.com", "password": "Secret1", "name": "Ada"})
    assert (await api.post("/auth/verify-email", json={"token": link})).status == 409


async def test_no_one_time_token_and_no_address_lies_readable_in_the_outbox(api: Api):
    await api.post("/auth/register", json={"email": "ada@example.com", "password": "Secret1", "name": "Ada"})
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    queued = json.dumps([str(dict(row)) for row in await api.db.fetch("select * from jobs")])
    assert "sealed" in queued
    link = await _mailed_token(api, "ada@example.com")
    for secret in (link, "ada@example.com", "user@bilten.com"):
        assert secret not in queued
    stored = await stored_text(api.db, but={"mails"})
    assert hashlib.sha256(link.encode()).hexdigest() in stored
    assert link not in stored
    assert "Secret1" not in stored
