"""One connection: what aiohttp refuses itself gets our shape, and neither idlers nor a crowd can wear the process out.

aiohttp answers a request that its parser cannot read before any middleware runs, and closes a connection whose client
has said that it will send no more, with or without an answer. Both are caught here.
"""

import asyncio
import re
import resource
import secrets
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from aiohttp import StreamReader, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from bilten.context import REQUEST_ID_HEADER
from bilten.telemetry.metrics import METRICS
from bilten.web import cors, headers
from bilten.web.errors import BY_STATUS, ApiError, BadRequest, ServiceUnavailable

log = structlog.get_logger("bilten.http")

#: How long a connection may stay without a whole request, in seconds: longer than the proxies before us keep theirs, or
#: they would send into connections that are just being closed (nginx keeps 60).
IDLE_S = 75
#: Open files left to the database, the object store and the logs.
RESERVED_FILES = 200
#: Connections beyond the limit that answer nothing but probes, each for so many seconds: a crowd is no reason to
#: restart a process that serves it.
PROBES, PROBE_S = 32, 2
PROBED = frozenset({"/livez", "/readyz", "/health", "/metrics"})
#: How much of a refused request is looked at for its `Origin`, in bytes.
_READ_BACK = 16384
_ORIGIN = re.compile(rb"\r?\norigin:[ \t]*([^\r\n]{1,512})", re.IGNORECASE)

#: Set on a request that came on one of those connections.
FOR_PROBES = web.RequestKey("for_probes", bool)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
RequestFactory = Callable[..., web.BaseRequest]


def render(error: ApiError, rid: str) -> web.Response:
    """An error as its response."""
    return web.Response(
        body=orjson.dumps(error.body(rid)), status=error.status, headers=error.headers, content_type="application/json"
    )


class ShapedServer(web.Server):
    """Makes a `_Connection` of each socket, `max_connections` at a time, and fewer where the system allows fewer files.

    At the system's own limit asyncio would take no connection, and fill the log with saying so.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        origins: list[str],
        max_connections: int,
        request_factory: RequestFactory,
        handler_options: dict[str, Any],
    ) -> None:
        super().__init__(handler, request_factory=_noting_its_body(request_factory))
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = max_connections if files == resource.RLIM_INFINITY else min(max_connections, files - RESERVED_FILES)
        self.max_connections = max(allowed, 1)
        self.origins = origins
        self._handler_options = handler_options

    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=asyncio.get_running_loop(), **self._handler_options)


def _noting_its_body(make: RequestFactory) -> RequestFactory:
    def make_request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: "_Connection",
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        protocol.body = payload
        request = make(message, payload, protocol, writer, task)
        if protocol.for_probes:
            request[FOR_PROBES] = True
        return request

    return make_request


class _Connection(RequestHandler):
    """aiohttp's connection, answering in our shape what it refuses itself."""

    __slots__ = ("_last_data", "_server", "body", "for_probes")

    def __init__(self, server: ShapedServer, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._server = server
        self._last_data = b""
        #: That of the latest request.
        self.body: StreamReader | None = None
        #: One of the few beyond the limit.
        self.for_probes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 what a listening socket makes
        others = len(self._server.connections)
        if others >= self._server.max_connections + PROBES:
            self._force_close = True
            self._manager = None
            transport.write(_crowded())
            transport.close()
            return
        if others >= self._server.max_connections:
            self.for_probes = True
            self._keepalive_timeout = PROBE_S
        connected: socket.socket | None = transport.get_extra_info("socket")
        if connected is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            # Who reads nothing of the answers is not idle to aiohttp; the kernel knows better (tcp(7)).
            unread_ms = int(self._keepalive_timeout * 1000)
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
        super().connection_made(transport)

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109 aiohttp's own
        """Finish what runs within the grace; an answer that nobody reads ends with it, and not a grace later."""
        transport = self.transport
        end = self._loop.call_later(timeout or 0, transport.abort) if transport is not None else None
        await super().shutdown(timeout)
        if end is not None:
            end.cancel()

    def data_received(self, data: bytes) -> None:
        if data:
            self._last_data = data[:_READ_BACK]
        closing = self._close, self._force_close
        at_work = self._current_request is not None and self.body is not None and not self.body.is_eof()
        if any(closing) and at_work:
            # At a shutdown aiohttp would drop the rest of a body that is on its way, and its request could not end.
            self._close = self._force_close = False
            super().data_received(data)
            self._close, self._force_close = closing
        else:
            super().data_received(data)

    def eof_received(self) -> bool | None:  # type: ignore[override]  # asyncio's protocols may answer
        """Keep the connection until the answers are out, when the client sends no more but its requests are whole."""
        super().eof_received()
        at_work = self._waiter is None or self._waiter.done()
        bodies = [self.body, *(payload for _, payload in self._messages)]
        if at_work and all(body is None or body.is_eof() for body in bodies):
            if not self._messages:
                self.close()
            return True
        return None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 aiohttp's text may repeat what was sent
    ) -> web.StreamResponse:
        """The shaped answer to what did not become a request; closes the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("The response had begun; the connection is closed")
        rid = secrets.token_hex(12)
        answer = BY_STATUS.get(status, BadRequest)()
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("unhandled_error", request_id=rid, exc_info=exc)
        else:
            log.info("request_refused", request_id=rid, status=status, peer=request.remote, reason=type(exc).__name__)
        METRICS.observe_request("-", "unreadable", status, 0)
        response = render(answer, rid)
        origin = _ORIGIN.search(self._last_data[:_READ_BACK])
        response.headers.update(headers.SECURITY)
        response.headers[REQUEST_ID_HEADER] = rid
        allowed = self._server.origins
        response.headers.update(cors.headers_for(origin[1].decode("latin-1").strip() if origin else "", allowed))
        response.force_close()
        return response


def too_many_connections() -> ServiceUnavailable:
    """The refusal of a connection beyond the limit."""
    return ServiceUnavailable("Too many connections are open. Try again in a moment.", code="TOO_MANY_CONNECTIONS")


def _crowded() -> bytes:
    """The answer to a connection too many, which is not read from."""
    rid = secrets.token_hex(12)
    METRICS.observe_request("-", "crowded", HTTPStatus.SERVICE_UNAVAILABLE, 0)
    error = too_many_connections()
    body = orjson.dumps(error.body(rid))
    lines = {
        **headers.SECURITY,
        **error.headers,
        REQUEST_ID_HEADER: rid,
        hdrs.CONTENT_TYPE: "application/json; charset=utf-8",
        hdrs.CONTENT_LENGTH: str(len(body)),
        hdrs.CONNECTION: "close",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 503 Service Unavailable\r\n{head}\r\n".encode() + body
