"""Whoever had an account for a while must not keep a way back into it."""

import json
import re

from fixtures.api import Api
from support.jobs import all_done, until, working_on_all


async def _deliver(api: Api) -> None:
    async with working_on_all(api.db, api.settings):
        await until(lambda: all_done(api.db))


async def _mails(api: Api, to: str) -> list[dict[str, str]]:
    """The newest first."""
    return [mail for mail in json.loads((await api.get("//dev/mail.json")).text) if mail["to"] == to]


async def _subjects(api: Api, to: str) -> list[str]:
    return [mail["subject"] for mail in await _mails(api, to)]


async def _link(api: Api, to: str, page: str) -> str:
    await _deliver(api)
    texts = [mail["text"] for mail in await _mails(api, to)]
    return next(found[1] for text in texts if (found := re.search(rf"/{page}\?token=([\w-]+)", text)))


async def test_an_address_asked_for_before_a_reset_cannot_be_confirmed_after_it(api: Api):
    token = await api.as_user()
    await api.put("/users/profile", token=token, json={"email": "evil@example.com"})
    change = await _link(api, "evil@example.com", "verify-email")
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    reset = await _link(api, "user@bilten.com", "reset-password")
    assert (await api.post("/auth/reset-password", json={"token": reset, "newPassword": "Secret1"})).status == 200
    assert (await api.post("/auth/verify-email", json={"token": change})).status == 400
    assert await api.login("user@bilten.com", "Secret1")


async def test_an_address_asked_for_before_a_password_change_cannot_be_confirmed_after_it(api: Api):
    thief, owner = await api.as_user(), await api.as_user()
    await api.put("/users/profile", token=thief, json={"email": "evil@example.com"})
    change = await _link(api, "evil@example.com", "verify-email")
    await api.put("/auth/change-password", token=owner, json={"currentPassword": "user123", "newPassword": "Secret1"})
    assert (await api.post("/auth/verify-email", json={"token": change})).status == 400


async def test_a_reset_link_sent_to_the_old_address_ends_with_it(api: Api):
    token = await api.as_user()
    await api.post("/auth/forgot-password", json={"email": "user@bilten.com"})
    reset = await _link(api, "user@bilten.com", "reset-password")
    await api.put("/users/profile", token=token, json={"email": "new@example.com"})
    change = await _link(api, "new@example.com", "verify-email")
    assert (await api.post("/auth/verify-email", json={"token": change})).status == 200
    assert (await api.post("/auth/reset-password", json={"token": reset, "newPassword": "Secret1"})).status == 400


async def test_the_old_address_hears_of_a_change_before_it_counts_and_after(api: Api):
    token = await api.as_user()
    await api.put("/users/profile", token=token, json={"email": "new@example.com"})
    change = await _link(api, "new@example.com", "verify-email")
    assert await _subjects(api, "user@bilten.com") == ["A new e-mail address for your account"]
    await api.post("/auth/verify-email", json={"token": change})
    await _deliver(api)
    assert await _subjects(api, "user@bilten.com") == [
        "Your e-mail address was changed", "A new e-mail address for your account"
    ]  # fmt: skip
    assert await _subjects(api, "new@example.com") == ["Confirm your new e-mail address"]


async def test_verifying_the_address_one_has_is_no_change_of_it(api: Api):
    await api.post("/auth/register", json={"email": "ada@example.com", "password": "Secret1", "name": "Ada"})
    verify = await _link(api, "ada@example.com", "verify-email")
    assert (await api.post("/auth/verify-email", json={"token": verify})).status == 200
    await _deliver(api)
    assert await _subjects(api, "ada@example.com") == ["Confirm your e-mail address"]


async def test_an_international_address_signs_in_as_it_was_registered(api: Api):
    body = {"email": "idn@bücher.example", "password": "Secret1"}
    assert (await api.post("/auth/register", json={**body, "name": "Ada"})).status == 201
    assert (await api.post("/auth/login", json=body)).status == 200


async def test_the_audit_log_knows_from_where(api: Api):
    await api.as_user()
    assert str(await api.db.fetchval("select host(address) from audit_log order by id desc limit 1")) == "127.0.0.1"
