"""Every endpoint under every base path: three addresses for one API, because three generations of clients call it."""

from collections.abc import Iterable

from aiohttp import web

from bilten.web.dispatch import serve
from bilten.web.endpoint import Endpoint

#: contract §1.1: the full frontend and scanner, the settings page, the newest frontend.
BASE_PATHS = ("/api/v1", "/v1", "/api")


def add(app: web.Application, endpoints: Iterable[Endpoint]) -> None:
    """Register the endpoints, those with fixed words before those with variables."""
    for endpoint in sorted(endpoints, key=lambda e: e.path.count("{")):
        handler = serve(endpoint)
        addresses = [endpoint.path] if endpoint.at_root else [base + endpoint.path for base in BASE_PATHS]
        for address in addresses:
            if endpoint.method == "GET":
                app.router.add_get(address, handler)
            else:
                app.router.add_route(endpoint.method, address, handler)
