"""A reverse proxy before the API server that fails as networks and servers do: on command, and countably."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import aiohttp
from aiohttp import web
from support.apiserver import Address

#: Of one hop, by RFC 9110.
_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive", "content-encoding"}


class Call(NamedTuple):
    """A request that came through, or did not."""

    method: str
    path: str
    query: dict[str, str]
    status: int

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@dataclass
class Fault:
    """What happens to the next `times` calls that `when` picks.

    answer: the proxy says `status` itself. lose: the server does it, but its answer never arrives. stall: nothing is
    ever said; of a watch, what came before the fault has arrived.
    """

    kind: Literal["answer", "lose", "stall"]
    when: Callable[[str, str], bool]
    times: int = 1
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FaultProxy:
    """Plain HTTP, so that whoever goes through needs no certificate of it."""

    upstream: Address
    faults: list[Fault] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    #: Cleared: no answer gets through any more, and no connection is closed.
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(
        self, status: int, *, times: int = 1, when: Callable[[str, str], bool] = lambda *_: True, **headers: str
    ) -> None:
        """Answer the next calls with this status."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault("answer", when, times, status, named))

    def lose(self, *, times: int = 1, when: Callable[[str, str], bool] = lambda *_: True) -> None:
        """Let the next calls happen, and lose their answers."""
        self.faults.append(Fault("lose", when, times))

    def stall(self, *, times: int = 1, when: Callable[[str, str], bool] = lambda *_: True) -> None:
        """Say nothing to the next calls."""
        self.faults.append(Fault("stall", when, times))

    def writes(self) -> list[Call]:
        """Calls that changed something."""
        return [call for call in self.calls if call.writes and call.status < 400]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        fault = self._fault(request)
        query = dict(request.query)
        if fault and fault.kind == "stall":
            await asyncio.Event().wait()
        if fault and fault.kind == "answer":
            self.calls.append(Call(request.method, request.path, query, fault.status))
            body = {"kind": "Status", "code": fault.status, "message": "injected", "status": "Failure"}
            return web.json_response(body, status=fault.status, headers=fault.headers)
        async with self._session.request(
            request.method, f"{self.upstream.url}{request.path_qs}", data=await request.read() or None,
            headers=[(name, value) for name, value in request.headers.items() if name.lower() not in _HOP],
            skip_auto_headers=["Content-Type"],  # the API server refuses one that it does not know, even of nothing
        ) as answer:  # fmt: skip
            self.calls.append(Call(request.method, request.path, query, answer.status))
            if fault and fault.kind == "lose":
                await answer.read()
                assert request.transport
                request.transport.close()
                return web.Response()
            return await self._pass(request, answer)

    async def _pass(self, request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        response = web.StreamResponse(status=answer.status, headers=headers)
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await self.flowing.wait()
            await response.write(chunk)
        await response.write_eof()
        return response

    def _fault(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.when(request.method, request.path_qs):
                fault.times -= 1
                return fault
        return None

    async def start(self, session: aiohttp.ClientSession) -> web.AppRunner:
        self._session = session
        self.flowing.set()
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/{anything:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner


@asynccontextmanager
async def fault_proxy(upstream: Address) -> AsyncIterator[FaultProxy]:
    """A proxy, listening."""
    proxy = FaultProxy(upstream)
    context: Any = ssl.create_default_context(cafile=upstream.ca)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=True) as session:
        runner = await proxy.start(session)
        try:
            yield proxy
        finally:
            await runner.cleanup()
