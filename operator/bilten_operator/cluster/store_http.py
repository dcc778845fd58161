"""HTTP to an object store that a spec names: whoever wrote the spec decides what answers.

So nothing that is answered costs more than its share: all requests of one action together have an end, however slowly
the answers drip; an answer has a longest length; and where a redirection leads is not asked. Time-outs of sockets do
not do that: each byte starts them anew.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from types import TracebackType
from typing import Any, Literal, Self

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

#: A page of a list of a thousand keys of a thousand characters each is some 1.5 MB.
LARGEST_ANSWER = 4 * 2**20
_CHUNK = 2**16


class Ended(urllib3.exceptions.TimeoutError):
    """The requests took too long together."""


class TooLarge(urllib3.exceptions.HTTPError):
    """An answer longer than any that is needed."""


class StoreHttp(urllib3.PoolManager):
    """The connections of one action, which end with the block, or after `total_s`."""

    def __init__(self, *, timeout_s: float, total_s: float) -> None:
        super().__init__(timeout=urllib3.Timeout(connect=timeout_s, read=timeout_s), retries=False, maxsize=1)
        self._total_s = total_s
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(total_s, self._end)
        self._ended = False
        told = {"opened": staticmethod(self._opened)}
        self._connections: dict[str, type[HTTPConnection]] = {
            "http": type("Http", (_Endable,), told), "https": type("Https", (_Endable, HTTPSConnection), told)
        }  # fmt: skip

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._timer.cancel()
        self._end()
        for one in self._sockets:
            one.close()
        return super().__exit__(kind, error, trace)

    def connection_from_host(self, *args: Any, **named: Any) -> urllib3.HTTPConnectionPool:
        """With connections that can be ended from outside."""
        pool = super().connection_from_host(*args, **named)
        pool.ConnectionCls = self._connections[pool.scheme or "http"]
        return pool

    # As `PoolManager` has it, which is not as the base of that has it either.
    def urlopen(self, method: str, url: str, redirect: bool = True, **named: Any) -> urllib3.HTTPResponse:  # type: ignore[override]
        """One request. The answer is read already."""
        del redirect
        self._check()
        try:
            answer = super().urlopen(method, url, redirect=False, **{**named, "preload_content": False})
            with answer:
                body = self._read(answer)
        except (urllib3.exceptions.HTTPError, OSError):
            self._check()
            raise
        # Cut off, an answer of unknown length looks whole.
        self._check()
        return urllib3.HTTPResponse(
            BytesIO(body), headers=answer.headers, status=answer.status, reason=answer.reason, request_method=method,
            preload_content=False, decode_content=False, enforce_content_length=False,
        )  # fmt: skip

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        body = bytearray()
        while chunk := answer.read(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise TooLarge(f"an answer of more than {LARGEST_ANSWER} bytes")
        return bytes(body)

    def _opened(self, made: socket.socket) -> None:
        # A second handle of the same connection: TLS takes the first one away.
        with self._lock:
            self._sockets.append(made.dup())
        self._check()

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            for one in self._sockets:
                with suppress(OSError):  # it has ended already
                    one.shutdown(socket.SHUT_RDWR)

    def _check(self) -> None:
        if self._ended:
            raise Ended(f"not done within {self._total_s:g} s")


class _Endable(HTTPConnection):
    """Tells `opened` of its socket before anything is sent over it."""

    opened: Callable[[socket.socket], None]

    def _new_conn(self) -> socket.socket:
        made = super()._new_conn()
        try:
            self.opened(made)
        except Ended:
            # Nobody else knows of it yet.
            made.close()
            raise
        return made
