"""The queue works on each instance once at a time, soon, and lets no sick one hold up the others."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest
from bilten_operator.cluster.cache import Key
from bilten_operator.cluster.workqueue import Pace, Retry, WorkQueue
from support.tasks import background

ONE, TWO = Key("app", "one"), Key("app", "two")
PACE = Pace(workers=2, settle_s=0.02, first_backoff_s=0.1, longest_backoff_s=0.4)


class Work:
    """What the queue does: counts, and does what the test wants."""

    def __init__(self) -> None:
        self.done: Counter[Key] = Counter()
        self.at: list[tuple[Key, float]] = []
        self.most = 0
        self._running: Counter[Key] = Counter()
        self.act: Callable[[Key], float | None] = lambda _: 100.0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, key: Key) -> float | None:
        self._running[key] += 1
        self.most = max(self.most, self._running[key])
        self.at.append((key, asyncio.get_running_loop().time()))
        try:
            await self.gate.wait()
            return self.act(key)
        finally:
            self._running[key] -= 1
            self.done[key] += 1

    async def until(self, key: Key, times: int) -> None:
        async with asyncio.timeout(30):
            while self.done[key] < times:  # noqa: ASYNC110 - it is counted elsewhere
                await asyncio.sleep(0.005)


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
async def queue(work: Work) -> AsyncIterator[WorkQueue]:
    queue = WorkQueue(work, PACE)
    async with background(queue.run()):
        yield queue


async def test_a_flock_of_wake_ups_is_one(queue: WorkQueue, work: Work):
    for _ in range(100):
        queue.wake(ONE)
    await work.until(ONE, 1)
    await asyncio.sleep(0.2)
    assert work.done[ONE] == 1


async def test_what_is_woken_while_it_is_worked_on_is_worked_on_again_and_never_twice_at_once(
    queue: WorkQueue, work: Work
):
    work.gate.clear()
    queue.wake(ONE, 0)
    await asyncio.sleep(0.1)
    for _ in range(5):
        queue.wake(ONE, 0)
        await asyncio.sleep(0.02)
    work.gate.set()
    await work.until(ONE, 2)
    await asyncio.sleep(0.1)
    assert (work.done[ONE], work.most) == (2, 1)


async def test_it_comes_back_when_it_asked_to(queue: WorkQueue, work: Work):
    work.act = lambda _: 0.1 if work.done[ONE] < 2 else None
    queue.wake(ONE, 0)
    await work.until(ONE, 3)
    (_, first), (_, second), *_ = work.at
    assert second - first >= 0.1


async def test_what_is_gone_does_not_come_back(queue: WorkQueue, work: Work):
    work.act = lambda _: None
    queue.wake(ONE, 0)
    await work.until(ONE, 1)
    await asyncio.sleep(0.2)
    assert work.done[ONE] == 1


async def test_one_that_fails_comes_back_later_and_later_and_the_other_is_not_held_up(queue: WorkQueue, work: Work):
    def act(key: Key) -> float | None:
        if key == ONE:
            raise Retry("it is sick")
        return 0.02

    work.act = act
    queue.wake(ONE, 0)
    queue.wake(TWO, 0)
    await work.until(ONE, 4)
    times = [at for key, at in work.at if key == ONE]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] >= 0.05
    assert pauses[2] >= 0.2
    assert work.done[TWO] > work.done[ONE]


async def test_an_event_does_not_cut_a_backoff_short_but_an_edit_does(queue: WorkQueue, work: Work):
    failing = True

    def act(_: Key) -> float | None:
        if failing:
            raise Retry("it is sick", after_s=1000)
        return 100.0

    work.act = act
    queue.wake(ONE, 0)
    await work.until(ONE, 1)
    failing = False
    queue.wake(ONE)
    await asyncio.sleep(0.2)
    assert work.done[ONE] == 1
    queue.wake(ONE, 0, urgent=True)
    await work.until(ONE, 2)


async def test_an_error_that_nobody_foresaw_is_one_instance_s_own(
    queue: WorkQueue, work: Work, caplog: pytest.LogCaptureFixture
):
    def act(key: Key) -> float | None:
        if key == ONE and work.done[ONE] == 0:
            raise ZeroDivisionError
        return 100.0

    work.act = act
    queue.wake(ONE, 0)
    queue.wake(TWO, 0)
    await work.until(TWO, 1)
    await work.until(ONE, 2)
    assert "ZeroDivisionError" in caplog.text
