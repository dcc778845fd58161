"""Every open connection of one process, and which of them are at work: what both pools need and neither tells."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import asyncpg


class OpenConnections:
    """Known by their process id on the server, which asyncpg's pool proxies tell as well as the connections."""

    def __init__(self) -> None:
        self._all: WeakSet[asyncpg.Connection[Any]] = WeakSet()
        self._busy: set[int] = set()

    def add(self, connection: asyncpg.Connection[Any]) -> None:
        """Note a new connection; it is forgotten with its last user."""
        self._all.add(connection)

    @contextmanager
    def at_work(self, pid: int) -> Iterator[None]:
        """Marks a connection as in use while the block runs."""
        self._busy.add(pid)
        try:
            yield
        finally:
            self._busy.discard(pid)

    def drop_idle(self) -> None:
        """End what lies in the pools, unheard: when one connection got no answer, these would not either.

        Without it each of them would cost some later request its time-out. The pools replace what they find closed.
        """
        for connection in list(self._all):
            if not connection.is_closed() and connection.get_server_pid() not in self._busy:
                connection.terminate()

    async def close(self, timeout_s: float) -> None:
        """Take leave of the server on all of them at once; one that does not hear in time is dropped."""
        farewells = [connection.close(timeout=timeout_s) for connection in self._all]
        await asyncio.gather(*farewells, return_exceptions=True)
