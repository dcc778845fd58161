"""Calls of the contract that are not served yet are plain 404s, and cost the caller as much as any request."""

import re
from collections.abc import Callable

import pytest
from contract.catalogue import LATER, Call
from contract.test_contract_walk import BASES, assert_error_shape
from contract.world import World

PLACEHOLDERS = {":provider": "google", ":action": "approve"}


def example(call: Call) -> str:
    path = call.under_base
    for placeholder, value in PLACEHOLDERS.items():
        path = path.replace(placeholder, value)
    return re.sub(r":\w+", "1", path)


@pytest.mark.parametrize("base", BASES)
async def test_a_call_that_is_not_served_yet_is_a_counted_404_in_the_error_shape(
    base: str, world: Callable[[str], World]
):
    at = world(base)
    assert len(LATER) == 144 - 44
    for call in LATER:
        before = int((await at.send("GET", "/no/such/path")).headers["RateLimit-Remaining"])
        reply = await at.send(call.method, example(call))
        assert (reply.status, reply.body["error"]) == (404, "NOT_FOUND"), call.key
        assert_error_shape(reply)
        # Less by one and by whatever else this address asks meanwhile, unless a new minute has begun.
        assert int(reply.headers["RateLimit-Remaining"]) < before or reply.headers["RateLimit-Reset"] == "60"
