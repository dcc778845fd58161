"""The outermost layer: request ids, the shape of errors that escape, the log line.

aiohttp answers an `Expect` header it does not know and a fault in routing before any middleware runs. They are caught
here, around the application's handler, and what does not become a request in `bilten.web.connection`, so that no layer
answers in another shape.
"""

import time
from collections.abc import Awaitable, Callable
from typing import cast

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_protocol import RequestPayloadError

from bilten.context import REQUEST_ID, current_address, current_request_id, request_id
from bilten.db.errors import DatabaseUnavailable
from bilten.objects.errors import StoreUnavailable
from bilten.telemetry.metrics import METRICS
from bilten.web.connection import FOR_PROBES, IDLE_S, ShapedServer, render
from bilten.web.errors import (
    BY_STATUS,
    ApiError,
    BadRequest,
    ExpectationFailed,
    InternalError,
    MethodNotAllowed,
    ServiceUnavailable,
)
from bilten.web.keys import SETTINGS

log = structlog.get_logger("bilten.http")

#: Requests slower than this are logged as warnings, in seconds.
SLOW_S = 1.0
#: From this status on the fault is ours.
SERVER_FAULT = 500

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


#: What we need and does not answer, as it is called in the answer.
_NEEDED: dict[type[Exception], str] = {DatabaseUnavailable: "database", StoreUnavailable: "object store"}


def from_exception(error: Exception) -> ApiError:
    """The answer to an exception that nothing else caught."""
    match error:
        case ApiError():
            return error
        case web.HTTPMethodNotAllowed():
            return MethodNotAllowed(headers={hdrs.ALLOW: ", ".join(sorted(error.allowed_methods))})
        case web.HTTPException():
            return BY_STATUS.get(error.status, InternalError if error.status >= SERVER_FAULT else BadRequest)()
        case DatabaseUnavailable() | StoreUnavailable():
            needed = next(name for kind, name in _NEEDED.items() if isinstance(error, kind))
            return ServiceUnavailable(f"The {needed} does not answer right now. Try again in a moment.")
        case RequestPayloadError() | HttpProcessingError() | ConnectionResetError():
            return BadRequest("The body does not arrive as its headers say")
        case _:
            return InternalError()


def observe(inner: Handler) -> Handler:
    """Give each request its id, and each outcome its shape, metrics and log line."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        request = cast("web.Request", request)
        rid = request[REQUEST_ID] = request_id(request)
        current_request_id.set(rid)
        current_address.set(request.remote)
        started = time.perf_counter()
        with METRICS.in_flight.track_inprogress():
            try:
                response = await inner(request)
            except web.HTTPRedirection as redirect:
                response = web.Response(
                    status=redirect.status, headers={hdrs.LOCATION: redirect.headers[hdrs.LOCATION]}
                )
            except Exception as error:  # noqa: BLE001 the last line of defence
                response = render(_explain(request, error), rid)
        if request.get(FOR_PROBES) or (hdrs.EXPECT in request.headers and not request.content.is_eof()):
            # Whoever waits for a word before it sends may take the answer for it, or not: what comes next on this
            # connection could be a body as well as a request (RFC 9110 §10.1.1).
            response.force_close()
        _tell(request, response.status, time.perf_counter() - started)
        return response

    return handle


def _explain(request: web.Request, error: Exception) -> ApiError:
    answer = from_exception(error)
    if isinstance(error, UnicodeEncodeError) and not request.headers.get(hdrs.EXPECT, "").isascii():
        # aiohttp's refusal of an `Expect` repeats it, and fails at bytes that are no text.
        return ExpectationFailed()
    if isinstance(error, DatabaseUnavailable):
        log.warning("database_unavailable", reason=str(error), path=request.path[:200])
    elif isinstance(error, StoreUnavailable):
        log.warning("object_store_unavailable", reason=str(error), path=request.path[:200])
    elif answer.status >= SERVER_FAULT and not isinstance(error, ApiError):
        log.error("unhandled_error", path=request.path[:200], exc_info=error)
    return answer


def route_template(request: web.Request) -> str:
    """The route's template, never the path: a bounded set of metric labels."""
    info = getattr(request, "match_info", None)
    resource = info.route.resource if info is not None else None
    return resource.canonical if resource is not None else "unmatched"


def _tell(request: web.Request, status: int, duration_s: float) -> None:
    route = route_template(request)
    METRICS.observe_request(request.method, route, status, duration_s)
    line = log.warning if status >= SERVER_FAULT or duration_s > SLOW_S else log.info
    line(
        "request",
        method=request.method,
        route=route,
        status=status,
        ms=round(duration_s * 1000, 1),
        peer=request.remote,
    )


class ApiRunner(web.AppRunner):
    """Runs the application behind `observe`. Every start of the API, tests included, goes through it."""

    def __init__(self, app: web.Application) -> None:
        # No access log of aiohttp's: it halves the throughput (measured), and `_tell` says more.
        # Bodies stay as they came: `dispatch` refuses encoded ones, and nothing inflates a bomb before that.
        super().__init__(
            app,
            access_log=None,
            shutdown_timeout=app[SETTINGS].shutdown_grace_s,
            auto_decompress=False,
            keepalive_timeout=IDLE_S,
        )

    async def _make_server(self) -> web.Server:
        inner = await super()._make_server()
        return ShapedServer(
            observe(inner.request_handler),
            origins=self.app[SETTINGS].cors_origins,
            max_connections=self.app[SETTINGS].max_connections,
            request_factory=inner.request_factory,
            handler_options=inner._kwargs,  # noqa: SLF001 what AppRunner was given, as its own server would use it
        )
