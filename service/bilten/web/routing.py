"""Every endpoint under every base path: three addresses for one API, because three generations of clients call it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn

from aiohttp import HttpVersion11, hdrs, web

from bilten.web.dispatch import serve
from bilten.web.endpoint import Endpoint
from bilten.web.errors import ExpectationFailed

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: contract §1.1: the full frontend and scanner, the settings page, the newest frontend.
BASE_PATHS = ("/api/v1", "/v1", "/api")


def add(app: web.Application, endpoints: Iterable[Endpoint]) -> None:
    """Register the endpoints, those with fixed words before those with variables."""
    served: dict[str, list[tuple[str, Handler]]] = defaultdict(list)
    for endpoint in sorted(endpoints, key=lambda e: e.path.count("{")):
        handler = serve(endpoint)
        for address in [endpoint.path] if endpoint.at_root else [base + endpoint.path for base in BASE_PATHS]:
            served[address].append((endpoint.method, handler))
    for address, handlers in served.items():
        resource = app.router.add_resource(address)
        for method, handler in handlers:
            resource.add_route(method, handler, expect_handler=_when_wanted)
            if method == hdrs.METH_GET:
                resource.add_route(hdrs.METH_HEAD, handler, expect_handler=_when_wanted)
        resource.add_route(hdrs.METH_ANY, refuse_method, expect_handler=_when_wanted)


async def _when_wanted(request: web.Request) -> None:
    """Nothing yet: `dispatch` asks for the body with 100 Continue once it knows that it wants it (RFC 9110 §10.1.1)."""
    if request.version >= HttpVersion11 and request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        raise ExpectationFailed


async def refuse_method(request: web.Request) -> NoReturn:
    """405 with what this address takes, where aiohttp would add what `/articles/{id}` takes to `/articles/search`."""
    routes = request.match_info.route.resource or ()
    raise web.HTTPMethodNotAllowed(request.method, [route.method for route in routes if route.method != hdrs.METH_ANY])
