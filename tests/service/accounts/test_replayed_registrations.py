"""A registration repeated with its `Idempotency-Key` answers with the tokens of the first time, dead or alive."""

import uuid

from fixtures.api import Api, Reply

ACCOUNT = {"email": "once@example.com", "password": "Secret-123", "name": "Only Once"}


class _Registration:
    """One key, sent as often as a test likes."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._key = {"Idempotency-Key": str(uuid.uuid4())}

    async def send(self) -> Reply:
        reply = await self._api.post("/auth/register", json=ACCOUNT, headers=self._key)
        assert reply.status == 201, reply.text
        return reply


async def _opens(api: Api, replayed: Reply) -> list[int]:
    assert replayed.headers["Idempotent-Replayed"] == "true"
    me = await api.get("/auth/me", token=replayed.data["token"])
    refreshed = await api.post("/auth/refresh", json={"refreshToken": replayed.data["refreshToken"]})
    return [me.status, refreshed.status]


async def test_a_replay_signs_in_whoever_has_key_and_password_while_the_session_lasts(api: Api):
    registration = _Registration(api)
    await registration.send()
    assert await _opens(api, await registration.send()) == [200, 200]


async def test_a_replay_after_signing_out_opens_nothing(api: Api):
    registration = _Registration(api)
    first = await registration.send()
    await api.post("/auth/logout", token=first.data["token"])
    assert await _opens(api, await registration.send()) == [401, 401]


async def test_a_replay_after_the_password_was_changed_elsewhere_opens_nothing(api: Api):
    registration = _Registration(api)
    await registration.send()
    elsewhere = await api.login(ACCOUNT["email"], ACCOUNT["password"])
    body = {"currentPassword": ACCOUNT["password"], "newPassword": "Another-123"}
    assert (await api.put("/auth/change-password", json=body, token=elsewhere)).status == 200
    assert await _opens(api, await registration.send()) == [401, 401]


async def test_a_replay_for_an_account_that_was_suspended_opens_nothing(api: Api):
    registration = _Registration(api)
    await registration.send()
    async with api.db.transaction() as tx:
        await tx.exec_driver_sql("update users set status = 'suspended' where email = $1", (ACCOUNT["email"],))
    assert await _opens(api, await registration.send()) == [401, 401]
