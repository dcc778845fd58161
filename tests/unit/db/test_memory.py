"""What a process remembers for a while."""

import asyncio

import pytest
from bilten.db import memory
from bilten.db.memory import Memory


class Source:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        return self.asked


async def test_an_answer_is_remembered_until_it_is_too_old(monkeypatch: pytest.MonkeyPatch):
    now = 1000.0
    monkeypatch.setattr(memory, "monotonic", lambda: now)
    remembered, source = Memory(), Source()
    assert remembered.fresh("key", 60) is None
    assert await remembered.recall("key", 60, source) == 1
    now += 60
    assert await remembered.recall("key", 60, source) == remembered.fresh("key", 60) == 1
    now += 0.1
    assert remembered.fresh("key", 60) is None
    assert await remembered.recall("key", 60, source) == 2
    assert await remembered.recall("other", 60, source) == 3


async def test_those_who_ask_at_once_wait_for_one_answer():
    remembered, source = Memory(), Source()
    answers = [asyncio.ensure_future(remembered.recall("key", 60, source)) for _ in range(5)]
    await asyncio.sleep(0)
    answers[0].cancel()
    assert await asyncio.gather(*answers[1:]) == [1, 1, 1, 1]
    assert answers[0].cancelled()


async def test_a_failure_is_told_to_all_who_waited_and_not_remembered():
    remembered, source = Memory(), Source()

    async def fail() -> int:
        raise OSError("gone")

    outcomes = await asyncio.gather(*(remembered.recall("key", 60, fail) for _ in range(2)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["gone", "gone"]
    assert remembered.fresh("key", 60) is None
    assert await remembered.recall("key", 60, source) == 1


async def test_the_least_recently_used_is_forgotten_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "MAX_ENTRIES", 2)
    remembered, source = Memory(), Source()
    for key in ("a", "b", "a", "c"):
        await remembered.recall(key, 60, source)
    assert (remembered.fresh("a", 60), remembered.fresh("b", 60), remembered.fresh("c", 60)) == (1, None, 3)
