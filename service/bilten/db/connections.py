"""How one connection to Postgres is opened: time-outs, name, JSON, and a look at how many the server allows."""

from __future__ import annotations  # asyncpg's classes are generic only in its stubs

from typing import Any

import asyncpg
import orjson
import structlog

from bilten.db.url import driver_url
from bilten.settings import Settings

log = structlog.get_logger("bilten.db")

#: A transaction may wait this long for the code between two statements, password hashing included, in milliseconds.
IDLE_IN_TRANSACTION_MS = 15_000

# The server ends a statement first; this ends it when the server has vanished without a word.
_VANISHED_AFTER_S = 0.5

_ALLOWED_CONNECTIONS = """
select current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true)::int, 0)
"""


def connect_arguments(settings: Settings, **server_settings: str) -> dict[str, Any]:
    """Keyword arguments of `asyncpg.connect` and `asyncpg.create_pool`, the same for every connection."""
    return {
        "dsn": driver_url(settings.database_url.get_secret_value()),
        "timeout": settings.database_connect_timeout_s,
        "command_timeout": settings.database_statement_timeout_ms / 1000 + _VANISHED_AFTER_S,
        "server_settings": {
            "application_name": "bilten",
            "statement_timeout": str(settings.database_statement_timeout_ms),
            "lock_timeout": str(settings.database_lock_timeout_ms),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
            **server_settings,
        },
    }


async def speak_json(connection: asyncpg.Connection[Any]) -> None:
    """Let json and jsonb come and go as Python values. Costs two round trips, once a connection."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads
        )


class CapacityCheck:
    """Says once, on the first connection, when the server allows fewer connections than this process may open."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._done = False

    async def __call__(self, connection: asyncpg.Connection[Any]) -> None:
        if self._done:
            return
        self._done = True
        allowed = await connection.fetchval(_ALLOWED_CONNECTIONS)
        if self._wanted > allowed:
            log.warning(
                "database_pool_exceeds_server",
                advice=f"This process may open {self._wanted} connections, the server allows {allowed} in all. "
                "Lower BILTEN_DATABASE_POOL_SIZE or raise max_connections.",
            )
