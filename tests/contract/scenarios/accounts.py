"""Signing up, in and out; passwords, mails, the profile."""

import asyncio
from collections.abc import AsyncIterator

from contract.scenarios import refuses, succeeds
from contract.world import PASSWORD, VOID_TOKENS, Reply, World

NEW_PASSWORD = "Another-456"
UNKNOWN = "nobody-of-that-name@example.com"


@succeeds("M POST /auth/login", "F POST /api/auth/login")
async def login(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    yield await world.send("POST", "/auth/login", json={"email": person.email, "password": PASSWORD})
    yield await world.send("POST", "/auth/login", json={"email": person.email.upper(), "password": PASSWORD})
    yield await world.send("POST", "/auth/login", json={"email": "user@bilten.com", "password": "user123"})


@refuses("AUTHENTICATION_FAILED", "M POST /auth/login", "F POST /api/auth/login")
async def wrong_login(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    yield await world.send("POST", "/auth/login", json={"email": person.email, "password": "Wrong-123"})
    yield await world.send("POST", "/auth/login", json={"email": UNKNOWN, "password": PASSWORD})
    yield await world.send("POST", "/auth/login", json={"email": "no address", "password": PASSWORD})


@refuses("VALIDATION_ERROR", "M POST /auth/login")
async def no_login(world: World) -> AsyncIterator[Reply]:
    for body in ({}, {"email": "user@bilten.com"}, {"email": 1, "password": PASSWORD}, {"email": "", "password": ""}):
        yield await world.send("POST", "/auth/login", json=body)


@succeeds("M POST /auth/register")
async def register(world: World) -> AsyncIterator[Reply]:
    for names in (
        {"first_name": "Nadia", "last_name": "El Sayed"},
        {"firstName": "Nadia", "lastName": "El Sayed", "role": "organizer"},
        {"name": "Nadia El Sayed", "role": "user"},
    ):
        reply = await world.send(
            "POST", "/auth/register", json={"email": world.address(), "password": PASSWORD, **names}
        )
        assert reply.body["data"]["user"]["name"] == "Nadia El Sayed"
        assert reply.body["data"]["user"]["role"] == names.get("role", "user")
        assert reply.body["data"]["user"]["is_verified"] is False
        yield reply


@succeeds("F POST /api/auth/register")
async def register_of_the_newest_frontend(world: World) -> AsyncIterator[Reply]:
    body = {"email": world.address(), "password": PASSWORD, "name": "Nadia El Sayed"}
    yield await world.send("POST", "/auth/register", json=body)


@refuses("USER_EXISTS", "M POST /auth/register")
async def register_twice(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    for email in (person.email, person.email.upper(), f" {person.email} "):
        body = {"email": email, "password": PASSWORD, "name": "A Twin"}
        yield await world.send("POST", "/auth/register", json=body)


@refuses("VALIDATION_ERROR", "M POST /auth/register")
async def register_wrongly(world: World) -> AsyncIterator[Reply]:
    right = {"email": world.address(), "password": PASSWORD, "name": "Nadia El Sayed"}
    for wrong in ({"email": "no address"}, {"password": "short"}, {"password": "alllowercase"}, {"name": ""}):
        yield await world.send("POST", "/auth/register", json=right | wrong)
    yield await world.send("POST", "/auth/register", json=right | {"role": "admin"})


@succeeds("M POST /auth/logout")
async def logout(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    yield await world.send("POST", "/auth/logout", token=person.token)
    assert (await world.send("GET", "/auth/me", token=person.token)).status == 401
    yield await world.send("POST", "/auth/logout")
    yield await world.send("POST", "/auth/logout", headers={"Content-Type": "application/json"})
    for token in VOID_TOKENS:
        yield await world.send("POST", "/auth/logout", token=token)


@succeeds("M PUT /auth/change-password")
async def change_password(world: World) -> AsyncIterator[Reply]:
    for now, then in (("currentPassword", "newPassword"), ("current_password", "new_password")):
        person = await world.person()
        body = {now: PASSWORD, then: NEW_PASSWORD}
        yield await world.send("PUT", "/auth/change-password", json=body, token=person.token)
        again = await world.send("POST", "/auth/login", json={"email": person.email, "password": NEW_PASSWORD})
        assert again.status == 200


@refuses("INVALID_PASSWORD", "M PUT /auth/change-password")
async def change_password_without_knowing_it(world: World) -> AsyncIterator[Reply]:
    body = {"currentPassword": "Wrong-123", "newPassword": NEW_PASSWORD}
    yield await world.send("PUT", "/auth/change-password", json=body, token=(await world.person()).token)


@refuses("VALIDATION_ERROR", "M PUT /auth/change-password")
async def change_to_a_weak_password(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for body in ({}, {"currentPassword": PASSWORD}, {"currentPassword": PASSWORD, "newPassword": "short"}):
        yield await world.send("PUT", "/auth/change-password", json=body, token=token)


@succeeds("M POST /auth/forgot-password")
async def forgot_password(world: World) -> AsyncIterator[Reply]:
    yield await world.send("POST", "/auth/forgot-password", json={"email": (await world.person()).email})


@refuses("USER_NOT_FOUND", "M POST /auth/forgot-password")
async def forgot_password_of_nobody(world: World) -> AsyncIterator[Reply]:
    yield await world.send("POST", "/auth/forgot-password", json={"email": UNKNOWN})


@refuses("VALIDATION_ERROR", "M POST /auth/forgot-password")
async def forgot_password_of_no_address(world: World) -> AsyncIterator[Reply]:
    for body in ({}, {"email": None}, {"email": ["a@example.com"]}):
        yield await world.send("POST", "/auth/forgot-password", json=body)


@succeeds("M POST /auth/reset-password")
async def reset_password(world: World) -> AsyncIterator[Reply]:
    for spelling in ("newPassword", "new_password"):
        person = await world.person()
        await world.send("POST", "/auth/forgot-password", json={"email": person.email})
        token = await world.mailed_token(person.email, "reset-password")
        yield await world.send("POST", "/auth/reset-password", json={"token": token, spelling: NEW_PASSWORD})
        again = await world.send("POST", "/auth/login", json={"email": person.email, "password": NEW_PASSWORD})
        assert again.status == 200


@refuses("INVALID_TOKEN", "M POST /auth/reset-password")
async def reset_password_with_a_made_up_or_used_token(world: World) -> AsyncIterator[Reply]:
    yield await world.send("POST", "/auth/reset-password", json={"token": "made-up", "newPassword": NEW_PASSWORD})
    person = await world.person()
    verification = await world.mailed_token(person.email, "verify-email")
    yield await world.send("POST", "/auth/reset-password", json={"token": verification, "newPassword": NEW_PASSWORD})
    await world.send("POST", "/auth/forgot-password", json={"email": person.email})
    token = await world.mailed_token(person.email, "reset-password")
    await world.send("POST", "/auth/reset-password", json={"token": token, "newPassword": NEW_PASSWORD})
    yield await world.send("POST", "/auth/reset-password", json={"token": token, "newPassword": PASSWORD})


@refuses("VALIDATION_ERROR", "M POST /auth/reset-password")
async def reset_to_a_weak_password(world: World) -> AsyncIterator[Reply]:
    for body in ({}, {"token": "made-up"}, {"token": "made-up", "newPassword": "short"}, {"token": 1}):
        yield await world.send("POST", "/auth/reset-password", json=body)


@succeeds("M POST /auth/verify-email")
async def verify_email(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    token = await world.mailed_token(person.email, "verify-email")
    # A development build of the frontend mounts the page twice and asks twice at once.
    twins = (world.send("POST", "/auth/verify-email", json={"token": token}) for _ in range(2))
    for reply in await asyncio.gather(*twins):
        yield reply
    me = await world.send("GET", "/auth/me", token=person.token)
    assert me.body["data"]["user"]["is_verified"] is True


@refuses("INVALID_TOKEN", "M POST /auth/verify-email")
async def verify_email_with_a_made_up_token(world: World) -> AsyncIterator[Reply]:
    yield await world.send("POST", "/auth/verify-email", json={"token": "made-up"})
    person = await world.person()
    await world.send("POST", "/auth/forgot-password", json={"email": person.email})
    token = await world.mailed_token(person.email, "reset-password")
    yield await world.send("POST", "/auth/verify-email", json={"token": token})


@succeeds("M POST /auth/resend-verification")
async def resend_verification(world: World) -> AsyncIterator[Reply]:
    yield await world.send("POST", "/auth/resend-verification", json={"email": (await world.person()).email})
    yield await world.send("POST", "/auth/resend-verification", json={"email": UNKNOWN})


@refuses("VALIDATION_ERROR", "M POST /auth/resend-verification")
async def resend_verification_to_no_address(world: World) -> AsyncIterator[Reply]:
    for body in ({}, {"email": None}, {"email": {}}):
        yield await world.send("POST", "/auth/resend-verification", json=body)


@succeeds("F GET /api/auth/me")
async def me(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/auth/me", token=(await world.person()).token)


@succeeds("F GET /users/profile")
async def profile(world: World) -> AsyncIterator[Reply]:
    yield await world.send("GET", "/users/profile", token=(await world.person()).token)


@succeeds("F PUT /users/profile")
async def change_profile(world: World) -> AsyncIterator[Reply]:
    person = await world.person()
    body = {"firstName": "Amal", "lastName": "Said", "phone": "+20 2 1234", "bio": "Plays the viola.\nAnd sings."}
    reply = await world.send("PUT", "/users/profile", json=body | {"email": world.address()}, token=person.token)
    assert [reply.body["data"]["user"][name] for name in body] == list(body.values())
    assert reply.body["data"]["user"]["email"] == person.email  # a changed address counts once it is verified
    yield reply
    yield await world.send("PUT", "/users/profile", json={"first_name": "Amal"}, token=person.token)


@refuses("VALIDATION_ERROR", "F PUT /users/profile")
async def change_profile_wrongly(world: World) -> AsyncIterator[Reply]:
    token = (await world.person()).token
    for body in ({"firstName": 1}, {"email": "no address"}, {"bio": ["a"]}, {"first_name": ""}):
        yield await world.send("PUT", "/users/profile", json=body, token=token)
