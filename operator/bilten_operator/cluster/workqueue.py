"""Which instance is worked on next: each at most once at a time, and a sick one never in the way of the others.

What wakes an instance that waits already is one wake-up; what wakes it while it is worked on has it worked on again.
One that fails comes back later and later.
"""

import asyncio
import heapq
import itertools
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bilten_operator.cluster.cache import Key
from bilten_operator.metrics import QUEUE_SECONDS, QUEUE_WAITING

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How much at once, and how long after a failure."""

    workers: int = 16
    #: Events come in flocks: what arrives so shortly after the first is one wake-up.
    settle_s: float = 0.05
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 300


class Retry(Exception):
    """The work failed. It comes back after the usual time, but not before `after_s` and not much after `within_s`."""

    def __init__(self, message: str, *, after_s: float = 0, within_s: float = math.inf) -> None:
        super().__init__(message)
        self.after_s = after_s
        self.within_s = within_s


@dataclass
class _Item:
    due_at: float | None = None
    running: bool = False
    failures: int = 0
    #: Not before, however it is woken, but for what its owner did.
    not_before: float = 0.0
    ticket: int = field(default=0)


class WorkQueue:
    """Instances to be worked on. `work` says after how many seconds it is to come back; None: never."""

    def __init__(self, work: Callable[[Key], Awaitable[float | None]], pace: Pace | None = None) -> None:
        self._work = work
        self._pace = pace or Pace()
        self._items: dict[Key, _Item] = {}
        self._timers: list[tuple[float, int, Key]] = []
        self._ready: deque[tuple[Key, float]] = deque()
        self._tickets = itertools.count(1)
        self._timer_set = asyncio.Event()
        self._work_there = asyncio.Condition()

    def wake(self, key: Key, after_s: float | None = None, *, urgent: bool = False) -> None:
        """Work on it soon, or after so many seconds if that is sooner than planned. `urgent` overrides a backoff."""
        item = self._items.setdefault(key, _Item())
        due_at = time.monotonic() + (self._pace.settle_s if after_s is None else after_s)
        if urgent:
            item.not_before = 0.0
        due_at = max(due_at, item.not_before)
        if item.due_at is None or due_at < item.due_at:
            self._schedule(key, item, due_at)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="timers")
            for number in range(self._pace.workers):
                group.create_task(self._worker(), name=f"worker {number}")

    def _schedule(self, key: Key, item: _Item, due_at: float) -> None:
        # Timers are never taken out of the heap: one whose ticket is no longer its item's is void.
        item.due_at, item.ticket = due_at, next(self._tickets)
        heapq.heappush(self._timers, (due_at, item.ticket, key))
        self._timer_set.set()

    async def _tick(self) -> None:
        while True:
            self._timer_set.clear()
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                due_at, ticket, key = heapq.heappop(self._timers)
                item = self._items.get(key)
                # While it is worked on it stays due; the worker puts it back.
                if item and item.ticket == ticket and not item.running:
                    await self._offer(key, due_at)
            wait_s = self._timers[0][0] - now if self._timers else None
            try:
                async with asyncio.timeout(wait_s):
                    await self._timer_set.wait()
            except TimeoutError:
                pass

    async def _offer(self, key: Key, due_at: float) -> None:
        async with self._work_there:
            self._ready.append((key, due_at))
            QUEUE_WAITING.set(len(self._ready))
            self._work_there.notify()

    async def _worker(self) -> None:
        while True:
            async with self._work_there:
                await self._work_there.wait_for(lambda: self._ready)
                key, due_at = self._ready.popleft()
                QUEUE_WAITING.set(len(self._ready))
            item = self._items[key]
            QUEUE_SECONDS.observe(max(0.0, time.monotonic() - due_at))
            await self._do(key, item)

    async def _do(self, key: Key, item: _Item) -> None:
        item.running, item.due_at = True, None
        # Void until it is done: what wakes it meanwhile sets a new one.
        item.ticket = 0
        try:
            again_s = await self._work(key)
        except Retry as error:
            item.failures += 1
            again_s = max(min(self._backoff_s(item.failures), error.within_s), error.after_s)
            item.not_before = time.monotonic() + again_s
            log.warning("%s/%s: %s; again in %.1f s", *key, error, again_s)
        except Exception:  # one instance must not end the work on all others
            item.failures += 1
            again_s = self._backoff_s(item.failures)
            item.not_before = time.monotonic() + again_s
            log.exception("%s/%s: unexpected; again in %.1f s", *key, again_s)
        else:
            item.failures, item.not_before = 0, 0.0
        finally:
            item.running = False
        if item.due_at is not None:
            # Woken meanwhile: its timer may have rung unheard.
            self._schedule(key, item, max(item.due_at, item.not_before))
        elif again_s is not None:
            self.wake(key, again_s)
        else:
            del self._items[key]

    def _backoff_s(self, failures: int) -> float:
        longest_s = min(self._pace.first_backoff_s * 2.0 ** min(failures - 1, 30), self._pace.longest_backoff_s)
        return longest_s * random.uniform(0.5, 1)  # noqa: S311 - not a secret
