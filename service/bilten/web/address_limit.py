"""Requests per address, before routing: an unknown path costs its caller as much as a known one.

A caller whose token verifies is counted by `dispatch` in a window of its own instead; a made-up token is not believed,
so it cannot be used to escape the address's window.
"""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from bilten.web.dispatch import RATE_HEADERS, bearer_token
from bilten.web.errors import TooManyRequests
from bilten.web.keys import LIMITER, SETTINGS, TOKENS
from bilten.web.routing import refuse_method

#: Probes and scrapes come every few seconds from one address for ever.
UNCOUNTED = frozenset({"/livez", "/readyz", "/health", "/metrics"})


@web.middleware
async def limit_addresses(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse with 429 and `Retry-After` once an address has used up its minute."""
    token = bearer_token(request)
    unmatched = request.match_info.http_exception is not None or request.match_info.handler is refuse_method
    counted = request.path not in UNCOUNTED and (
        unmatched or token is None or request.app[TOKENS].subject(token) is None
    )
    if counted:
        limit = request.app[SETTINGS].anonymous_requests_per_minute
        verdict = request.app[LIMITER].hit(f"address:{request.remote}", limit)
        request[RATE_HEADERS] = verdict.headers
        if not verdict.allowed:
            raise TooManyRequests(headers={hdrs.RETRY_AFTER: str(verdict.reset_s)})
    return await handler(request)
