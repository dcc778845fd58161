"""What the application carries for the HTTP layer: filled by `bilten.app`, so that nothing in `web` knows a domain."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from aiohttp import web

from bilten.context import Principal
from bilten.settings import Settings
from bilten.web.limits import Limiter
from bilten.web.spool import Spool

if TYPE_CHECKING:
    from bilten.web.health import Health


class TokenReader(Protocol):
    """Turns a bearer token into its holder."""

    def subject(self, token: str) -> UUID | None:
        """The user of a token whose signature and times hold, without asking the database; None for any other."""

    async def principal(self, token: str) -> Principal | None:
        """The holder as the database knows them now; None when the token is void or revoked."""


class StoredAnswer(Protocol):
    """One use of an idempotency key, open while the handler runs."""

    replay: web.Response | None

    async def keep(self, response: web.Response) -> None:
        """Store the answer in the handler's own transaction."""


#: (principal, route, key, body) → the key's use; commits when left without an error.
IdempotencyGuard = Callable[[str, str, str, bytes], AbstractAsyncContextManager[StoredAnswer]]

SETTINGS = web.AppKey("settings", Settings)
SERVICES: web.AppKey[Any] = web.AppKey("services", object)
TOKENS: web.AppKey[TokenReader] = web.AppKey("tokens", object)  # type: ignore[arg-type]  # a Protocol is no class
LIMITER = web.AppKey("limiter", Limiter)
SPOOL = web.AppKey("spool", Spool)
IDEMPOTENCY: web.AppKey[IdempotencyGuard] = web.AppKey("idempotency", object)  # type: ignore[arg-type]
HEALTH: web.AppKey["Health"] = web.AppKey("health", object)  # type: ignore[arg-type]
