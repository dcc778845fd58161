"""`/openapi.json` and `/docs`: the description of the API, shown by Swagger UI from the package, from no CDN."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import swagger_ui
from aiohttp import hdrs, web

_ASSETS = Path(swagger_ui.__file__).parent / "static"
_SERVED = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Bilten API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true, tryItOutEnabled: true,
  docExpansion: "list", defaultModelsExpandDepth: -1, validatorUrl: null,
});
"""
#: Swagger UI styles inline and draws its icons from data: addresses; scripts come from here only.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)


@cache
def _asset(name: str) -> bytes:
    # Once: a reader that takes its time would hold a copy of its own.
    return (_ASSETS / name).read_bytes()


def setup(app: web.Application, document: Callable[[], dict[str, Any]]) -> None:
    """Serve the document and the page that shows it. The document is made when it is first asked for."""

    @cache
    def rendered() -> bytes:
        return orjson.dumps(document())

    async def description(_request: web.Request) -> web.Response:
        return web.Response(body=rendered(), content_type="application/json")

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def start(_request: web.Request) -> web.Response:
        return web.Response(text=_START, content_type="text/javascript")

    async def asset(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in _SERVED:
            raise web.HTTPNotFound
        # Not a FileResponse: that answers ranges and their refusals itself, in another shape than ours.
        return web.Response(
            body=await asyncio.to_thread(_asset, name),
            headers={hdrs.CONTENT_TYPE: _SERVED[name], hdrs.CACHE_CONTROL: "public, max-age=86400"},
        )

    app.router.add_get("/openapi.json", description)
    app.router.add_get("/docs", page)
    app.router.add_get("/docs/start.js", start)
    app.router.add_get("/docs/{name}", asset)
