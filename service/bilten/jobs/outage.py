"""Patience with a database that is away: the worker waits, says so once, and says when it goes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from bilten.db.errors import DatabaseUnavailable

ResultT = TypeVar("ResultT")

log = structlog.get_logger("bilten.worker")


class Patience:
    """Shared by everything in a worker that asks the database, so that one outage is told of once.

    What was asked before the news says nothing of how things are since: it is not told.
    """

    def __init__(self) -> None:
        self._trouble: type[Exception] | None = None
        self._news_at = 0.0

    async def attempt(self, ask: Callable[[], Awaitable[ResultT]]) -> ResultT | None:
        """What `ask` answers; None when the database is away or refuses, which is logged and shall be tried again."""
        asked_at = time.monotonic()
        try:
            answer = await ask()
        except Exception as error:  # noqa: BLE001 a worker that ended at a refusal would break off the jobs it is doing
            if type(error) is not self._trouble and asked_at >= self._news_at:
                _tell(error)
                self._turn_to(type(error))
            return None
        if self._trouble is not None and asked_at >= self._news_at:
            log.info("database_answers_again")
            self._turn_to(None)
        return answer

    def _turn_to(self, trouble: type[Exception] | None) -> None:
        self._trouble, self._news_at = trouble, time.monotonic()

    async def insist(self, ask: Callable[[], Awaitable[ResultT]], *, every_s: float) -> ResultT:
        """Ask until there is an answer."""
        while True:
            answer = await self.attempt(ask)
            if answer is not None:
                return answer
            await asyncio.sleep(every_s)


def _tell(error: Exception) -> None:
    if isinstance(error, DatabaseUnavailable):
        log.warning("database_away", reason=str(error), hint="The worker waits, and goes on when it is back.")
    else:
        log.error("worker_query_failed", exc_info=error, hint="The worker tries again; is the schema migrated?")
