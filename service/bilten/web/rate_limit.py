"""Requests a minute: per user for those whose token verifies, per address for everybody else. Each counts once.

Looked at before routing: an unknown path costs its caller as much as a known one. A made-up token is not believed, so
it cannot be used to escape the address's window; one of an ended session still counts for the user it was made for.
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from bilten.web.connection import FOR_PROBES, PROBED, too_many_connections
from bilten.web.dispatch import RATE_HEADERS, bearer_token
from bilten.web.errors import TooManyRequests
from bilten.web.keys import LIMITER, SETTINGS, TOKENS
from bilten.web.routing import refuse_method


@web.middleware
async def limit_rate(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse with 429 and `Retry-After` once the caller has used up the minute."""
    # Probes and scrapes come every few seconds from one address for ever.
    if request.path not in PROBED:
        if request.get(FOR_PROBES):
            raise too_many_connections()
        key, limit = _window(request)
        verdict = request.app[LIMITER].hit(key, limit)
        request[RATE_HEADERS] = verdict.headers
        if not verdict.allowed:
            raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(verdict.reset_s)})
    return await handler(request)


def _window(request: web.Request) -> tuple[str, int]:
    settings = request.app[SETTINGS]
    token = bearer_token(request)
    unmatched = request.match_info.http_exception is not None or request.match_info.handler is refuse_method
    user_id = request.app[TOKENS].subject(token) if token and not unmatched else None
    if user_id is None:
        return f"address:{request.remote}", settings.anonymous_requests_per_minute
    return f"user:{user_id}", settings.user_requests_per_minute
