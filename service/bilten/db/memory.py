"""What a process may remember for a while: counts and facets that cost a walk over a table.

One memory a `Database`, so that two of them in one process (as in the tests) never see each other's numbers. Callers
who ask for the same thing at the same time wait for one answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from bilten.db.database import Database

#: Filters are free text, so the number of things to remember has no bound of its own.
MAX_ENTRIES = 1000

T = TypeVar("T")


class Memory:
    """Answers by key, each with the moment it was asked for; the least recently used are forgotten first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[Hashable, tuple[float, asyncio.Task[Any]]] = OrderedDict()

    def fresh(self, key: Hashable, max_age_s: float) -> Any:
        """What was answered for `key` at most `max_age_s` seconds ago; None when nothing was."""
        born, task = self._entries.get(key, (0.0, None))
        if task is None or not task.done() or monotonic() - born > max_age_s or task.exception() is not None:
            return None
        return task.result()

    async def recall(self, key: Hashable, max_age_s: float, load: Callable[[], Awaitable[T]]) -> T:
        """What `load` answered for `key` at most `max_age_s` seconds ago; a failure is not remembered."""
        now = monotonic()
        born, task = self._entries.get(key, (0.0, None))
        if task is None or now - born > max_age_s:
            task = asyncio.ensure_future(_call(load))
            self._entries[key] = now, task
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        try:
            # Shielded: one caller who hangs up must not take the answer from the others.
            answer: T = await asyncio.shield(task)
        except Exception:
            if self._entries.get(key, (0.0, None))[1] is task:
                del self._entries[key]
            raise
        return answer


async def _call(load: Callable[[], Awaitable[T]]) -> T:
    return await load()


_memories: WeakKeyDictionary[Database, Memory] = WeakKeyDictionary()


def memory_of(db: Database) -> Memory:
    """The one memory that goes with this database."""
    return _memories.setdefault(db, Memory())
