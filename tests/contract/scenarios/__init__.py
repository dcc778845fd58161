"""How each served call is made to succeed, and how each of its listed errors is provoked.

A scenario is an async generator: it does what it must and yields the replies that are looked at.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial

from contract.catalogue import SERVED
from contract.world import VOID_TOKENS, Reply, World

Scenario = Callable[[World], AsyncIterator[Reply]]

SUCCESSES: dict[str, Scenario] = {}
REFUSALS: dict[tuple[str, str], Scenario] = {}


def succeeds(*keys: str) -> Callable[[Scenario], Scenario]:
    """These calls succeed like this."""

    def register(scenario: Scenario) -> Scenario:
        assert not [key for key in keys if key not in SERVED or key in SUCCESSES]
        SUCCESSES.update(dict.fromkeys(keys, scenario))
        return scenario

    return register


def refuses(error: str, *keys: str) -> Callable[[Scenario], Scenario]:
    """These calls refuse with that error like this."""

    def register(scenario: Scenario) -> Scenario:
        for key in keys:
            assert any(refusal.error == error for refusal in SERVED[key].refusals)
            assert (key, error) not in REFUSALS
            REFUSALS[key, error] = scenario
        return scenario

    return register


async def _without_a_token(world: World, *, method: str, path: str) -> AsyncIterator[Reply]:
    yield await world.send(method, path)
    yield await world.send(method, path, json={})
    for token in VOID_TOKENS:
        yield await world.send(method, path, token=token)


async def _without_the_role(world: World, *, method: str, path: str, roles: tuple[str, ...]) -> AsyncIterator[Reply]:
    for role in roles:
        yield await world.send(method, path, token=(await world.person(role)).token)


def guarded() -> None:
    """The guards of every call that lists them: 401 without a token that counts, 403 without the role."""
    for call in SERVED.values():
        path = "/".join("1" if step.startswith(":") else step for step in call.under_base.split("/"))
        listed = {refusal.error for refusal in call.refusals}
        if "UNAUTHORIZED" in listed:
            REFUSALS[call.key, "UNAUTHORIZED"] = partial(_without_a_token, method=call.method, path=path)
        if "FORBIDDEN" in listed and call.auth != "user (owner)":
            roles = ("user", "organizer") if call.auth == "admin" else ("user",)
            REFUSALS[call.key, "FORBIDDEN"] = partial(_without_the_role, method=call.method, path=path, roles=roles)


guarded()
