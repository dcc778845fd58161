"""`/dev/mail`: the mailbox of development, for eyes and for programs.

It shows links that sign in whoever follows them: `bilten.app` adds it where `BILTEN_DEV_PAGES` is set, and never in
production.
"""

from ipaddress import ip_address
from typing import Any

import jinja2
import orjson
from aiohttp import web

from bilten.db.database import Database
from bilten.web.errors import NotFound

#: The newest mails that are shown.
AT_MOST = 100

#: Mails are shown in frames without scripts; the page itself has none either.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

_NEWEST = """
    select to_address as "to", subject, text_body as text, html_body as html, created_at
    from mails order by created_at desc, id desc limit $1
"""

_RENDER = jinja2.Environment(
    loader=jinja2.PackageLoader("bilten.mail"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)


def _refuse_strange_hosts(request: web.Request) -> None:
    # A page that points its own name at this machine (DNS rebinding) must not read links that sign in.
    host = request.url.host or ""
    try:
        ip_address(host)
    except ValueError:
        if host != "localhost":
            raise NotFound from None


def setup(app: web.Application, db: Database) -> None:
    """Serve the pages. Callers must have asked the settings."""

    async def newest() -> list[dict[str, Any]]:
        return [dict(row) for row in await db.fetch(_NEWEST, AT_MOST)]

    async def page(request: web.Request) -> web.Response:
        _refuse_strange_hosts(request)
        html = _RENDER.get_template("dev_mailbox.html").render(mails=await newest(), at_most=AT_MOST)
        return web.Response(text=html, content_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def listing(request: web.Request) -> web.Response:
        _refuse_strange_hosts(request)
        return web.Response(body=orjson.dumps(await newest()), content_type="application/json")

    app.router.add_get("/dev/mail", page)
    app.router.add_get("/dev/mail.json", listing)
