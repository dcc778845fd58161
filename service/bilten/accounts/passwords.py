"""argon2id off the event loop, as many at once as there are cores.

Parameters: OWASP Password Storage Cheat Sheet (m=19 MiB, t=2, p=1), 19.5 ms on the reference machine. The threads are
bounded so that a flood of logins queues here and leaves the loop, the memory and `/livez` alone.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

import argon2

from bilten.web.errors import TooManyRequests

ARGON2 = argon2.PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
#: Longer passwords are refused before they are hashed.
MAX_LENGTH = 1024
#: Hashes waiting or under way; at 20 ms each this is a wait of one to two seconds, beyond it the answer is 429.
MAX_QUEUED = 100
RETRY = {"Retry-After": "1"}

P = ParamSpec("P")
ResultT = TypeVar("ResultT")


@cache
def _decoy() -> str:
    # Verified when there is no such account, so that its answer takes as long as a wrong password's.
    return ARGON2.hash("no account has this password")


class PasswordHasher:
    """Hashes and verifies in its own threads; `close` waits for those under way."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="argon2")
        self._decoy = _decoy()
        self._queued = 0

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash of a new password. Raises `TooManyRequests` when the queue is full."""
        return await self._in_turn(ARGON2.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one; with None the same work is done and the answer is no.

        Raises `TooManyRequests` when the queue is full.
        """
        return await self._in_turn(self._verify, password, stored)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return ARGON2.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    async def _in_turn(self, work: Callable[P, ResultT], *args: P.args, **kwargs: P.kwargs) -> ResultT:
        if self._queued >= MAX_QUEUED:
            raise TooManyRequests("Too many people are signing in at once. Try again in a moment.", headers=RETRY)
        self._queued += 1
        try:
            running = asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args, **kwargs))
            return await running
        finally:
            # Left early by a caller that hung up, the work is still in the queue or, cancelled, out of it.
            self._queued -= 1

    def _verify(self, password: str, stored: str | None) -> bool:
        try:
            matches = ARGON2.verify(stored or self._decoy, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return matches and stored is not None
