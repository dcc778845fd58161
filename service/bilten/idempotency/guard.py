"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the effect and its stored answer in one transaction.

The key is locked with a transaction-level advisory lock, so "still running" is exact and a crash leaves nothing behind:
either the business rows and the answer are both committed, or neither is. Only answers that changed something are
stored; a refusal may be repeated. Answers are encrypted: that of a registration holds tokens.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from aiohttp import hdrs, web
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.db.database import Database
from bilten.idempotency import queries
from bilten.sealed import Sealer
from bilten.web import etags
from bilten.web.errors import ApiError, Conflict, UnprocessableEntity

IN_PROGRESS = "The first call with this key is still running. Wait a moment and repeat it."
REUSED = "This key was used with another body. Take a new key for a new call."


class Use:
    """One use of a key while its call runs."""

    def __init__(self, tx: AsyncConnection, sealer: Sealer, use: queries.KeyUse, replay: web.Response | None) -> None:
        self._tx, self._sealer, self._use = tx, sealer, use
        self.replay = replay

    async def keep(self, response: web.Response) -> None:
        """Store the answer beside the effect."""
        body = response.body if isinstance(response.body, bytes) else b""
        kept = response.headers.get(hdrs.ETAG, "").encode() + b"\n" + body
        await queries.insert(self._tx, self._use, status=response.status, sealed_body=self._sealer.seal(kept))


def guard(
    db: Database, secret: str, *, at_once: int
) -> Callable[[str, str, str, bytes], AbstractAsyncContextManager[Use]]:
    """The guard for one deployment's secret; `at_once` calls with a key run, the others wait for them."""
    sealer = Sealer(secret, purpose="idempotency")
    # A keyed call holds its connection while it hashes a password: the others keep theirs.
    places = asyncio.Semaphore(max(1, at_once))
    key = hashlib.blake2b(secret.encode(), person=b"bilten-idempoten").digest()

    @asynccontextmanager
    async def use_key(principal: str, route: str, idempotency_key: str, body: bytes) -> AsyncIterator[Use]:
        # Keyed: a body may hold a password, and its plain hash could be guessed from a dump.
        body_hash = hmac.digest(key, body, "sha256")
        use = queries.KeyUse(principal=principal, route=route, key=idempotency_key, body_hash=body_hash)
        async with places, db.transaction() as tx:
            if not await queries.lock(tx, use):
                raise Conflict(IN_PROGRESS, code="IDEMPOTENCY_IN_PROGRESS", headers={"Retry-After": "1"})
            stored = await queries.find(tx, use)
            if stored is None:
                yield Use(tx, sealer, use, None)
                return
            if not hmac.compare_digest(stored.body_hash, body_hash):
                raise _reused()
            yield Use(tx, sealer, use, _replay(stored, sealer))

    return use_key


def _reused() -> ApiError:
    return UnprocessableEntity(REUSED, code="IDEMPOTENCY_KEY_REUSED")


def _replay(stored: queries.StoredAnswer, sealer: Sealer) -> web.Response:
    tag, _, body = sealer.open(stored.sealed_body).partition(b"\n")
    headers = {"Idempotent-Replayed": "true"} | (etags.headers(tag.decode()) if tag else {})
    return web.Response(body=body, status=stored.status, content_type="application/json", headers=headers)
