"""An object store as far as the operator asks one: buckets, their tags, MinIO's accounts. It keeps nothing.

One for all instances, whoever signs: it stands for a MinIO in every namespace, and costs next to nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_LIST = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{}</Name></ListBucketResult>'
_NO_TAGS = (
    "<Error><Code>NoSuchTagSet</Code><Message>no tags</Message><Resource>/</Resource><RequestId>1</RequestId></Error>"
)


class Store:
    """Buckets by name, each with the document of its tags."""

    def __init__(self) -> None:
        self._buckets: dict[str, bytes] = {}

    async def bucket(self, request: web.Request) -> web.Response:
        """Any request about a bucket."""
        name = request.match_info["bucket"]
        match request.method, "tagging" in request.query:
            case "HEAD", _:
                return web.Response(status=200 if name in self._buckets else 404)
            case "PUT", False:
                self._buckets.setdefault(name, b"")
                return web.Response()
            case "PUT", True:
                self._buckets[name] = await request.read()
                return web.Response(status=204)
            case "GET", True:
                tags = self._buckets[name]
                return web.Response(body=tags or _NO_TAGS, status=200 if tags else 404, content_type="application/xml")
            case _:
                return web.Response(text=_LIST.format(name), content_type="application/xml")

    async def account(self, request: web.Request) -> web.Response:
        """Any request about an account: it is taken as done."""
        await request.read()
        return web.Response()


@asynccontextmanager
async def serve_store(port: int) -> AsyncIterator[None]:
    """Serve on loopback while the block runs."""
    app, store = web.Application(), Store()
    app.router.add_route("*", "/minio/admin/{rest:.*}", store.account)
    app.router.add_route("*", "/{bucket}", store.bucket)
    app.router.add_route("*", "/{bucket}/", store.bucket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield
    finally:
        await runner.cleanup()
