"""Each call that lists 429 gives it, in the error shape and with the time to wait, once it was asked too much."""

import pytest
from contract.catalogue import SERVED, Call, Refusal
from fixtures.api import StartApi
from support.shape import assert_error

LISTED = [
    pytest.param(call, refusal, id=call.key)
    for call in SERVED.values()
    for refusal in call.refusals
    if refusal.status == 429
]


@pytest.mark.parametrize(("call", "refusal"), LISTED)
async def test_a_call_beyond_the_limit_is_429(start_api: StartApi, call: Call, refusal: Refusal):
    assert refusal.message == "non-empty text"
    api = await start_api(anonymous_requests_per_minute=2)
    replies = [await api.request(call.method, call.under_base, json={}) for _ in range(3)]
    assert [reply.status for reply in replies[:2]] == [400, 400]
    assert_error(replies[2], refusal.status, refusal.error)
    assert 1 <= int(replies[2].headers["Retry-After"]) <= 60


def test_calls_list_429():
    assert len(LISTED) >= 5
