"""Headers every answer carries: the request's id, its limits, and what keeps browsers from guessing."""

from aiohttp import hdrs, web

from bilten.context import REQUEST_ID, REQUEST_ID_HEADER
from bilten.web.dispatch import RATE_HEADERS

#: OWASP REST Security Cheat Sheet. An API answer is data: nothing in it may run, frame or be guessed into another type.
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    hdrs.CACHE_CONTROL: "no-store",
    # Else aiohttp names itself and Python, each with its version.
    hdrs.SERVER: "bilten",
}


def setup(app: web.Application) -> None:
    """Add the headers when a response is about to be sent; a handler's own value of one stays."""

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        for name, value in SECURITY.items():
            headers.setdefault(name, value)
        headers[hdrs.SERVER] = SECURITY[hdrs.SERVER]  # aiohttp has set its own by now
        headers[REQUEST_ID_HEADER] = request[REQUEST_ID]
        headers.update(request.get(RATE_HEADERS, {}))

    app.on_response_prepare.append(add)
