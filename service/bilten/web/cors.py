"""CORS by aiohttp-cors, for every response there is.

aiohttp-cors decides per registered route; the frontend falls back to invented data whenever a response, a 404 for an
unknown path or a 429 included, comes without these headers (contract §1.7). So the library gets a router adapter that
says "enabled" to every request, and a middleware hands it every preflight before routing, limits and authentication.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import aiohttp_cors
from aiohttp import hdrs, web
from aiohttp_cors.abc import AbstractRouterAdapter

from bilten.web.dispatch import ENDPOINT
from bilten.web.errors import Forbidden

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EXPOSED = (
    "X-Request-ID",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "ETag",
    "Location",
    "Content-Disposition",
    "Content-Range",
    "Idempotent-Replayed",
)
#: Browsers cap this at two hours (Chromium) and a day (Firefox); it halves the traffic of a page that asks in a loop.
PREFLIGHT_MAX_AGE_S = 7200

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_preflight(request: web.BaseRequest) -> bool:
    """Whether a browser asks for permission first (Fetch standard, CORS-preflight request)."""
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ORIGIN in request.headers
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
    )


def _is_harmless(request: web.BaseRequest) -> bool:
    # The library repeats the origin in headers and messages; what is not printable ASCII could not be sent.
    origin = request.headers.get(hdrs.ORIGIN, "")
    return origin.isascii() and origin.isprintable()


class _EveryRequest(AbstractRouterAdapter):
    """One policy for all paths, known or not."""

    def __init__(self, policy: Mapping[str, aiohttp_cors.ResourceOptions]) -> None:
        self._policy = policy
        self.preflight: Handler | None = None

    def add_preflight_handler(self, routing_entity: Any, handler: Any, webview: bool = False) -> None:  # noqa: ARG002 the base's
        self.preflight = handler

    def is_preflight_request(self, request: web.Request) -> bool:
        return is_preflight(request)

    def is_cors_enabled_on_request(self, request: web.Request) -> bool:  # noqa: ARG002 the base's
        return True

    def set_config_for_routing_entity(self, routing_entity: Any, config: Any) -> None:
        """The policy is the same everywhere."""

    async def get_preflight_request_config(self, request: web.Request, origin: str, method: str) -> Any:  # noqa: ARG002 the base's
        return self._policy if method in METHODS else {}

    def get_non_preflight_request_config(self, request: web.Request) -> Any:
        return self._policy if _is_harmless(request) else {}


def setup(app: web.Application, *, origins: list[str], outage_drops_cors: bool) -> None:
    """Allow `origins` everywhere. With `outage_drops_cors`, the 503 of a mocked call loses its headers again."""
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        allow_credentials=False,
        expose_headers=EXPOSED,
        allow_headers="*",
        allow_methods=METHODS,
        max_age=PREFLIGHT_MAX_AGE_S,
    )
    adapter = _EveryRequest(dict.fromkeys(origins, options))
    aiohttp_cors.CorsConfig(app, router_adapter=adapter).add("*")

    @web.middleware
    async def answer_preflights(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_preflight(request) and adapter.preflight is not None:
            if not _is_harmless(request):
                raise Forbidden("This is no origin")
            return await adapter.preflight(request)
        return await handler(request)

    async def vary(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.add(hdrs.VARY, hdrs.ORIGIN)

    async def drop_on_outage(request: web.Request, response: web.StreamResponse) -> None:
        endpoint = request.get(ENDPOINT)
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE and endpoint is not None and endpoint.tier == "M":
            response.headers.popall(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, None)

    app.middlewares.append(answer_preflights)
    app.on_response_prepare.append(vary)
    if outage_drops_cors:
        app.on_response_prepare.append(drop_on_outage)


def headers_for(origin: str, allowed: list[str]) -> dict[str, str]:
    """The headers of an answer that no signal reaches, as to a request the parser refused."""
    headers: dict[str, str] = {hdrs.VARY: hdrs.ORIGIN}
    if origin.isascii() and origin.isprintable() and (origin in allowed or "*" in allowed):
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
    return headers
