"""The few calls that the operator makes, each with a deadline, a bounded number of tries and a count.

It goes through the official dynamic client, but by path: see `kinds`. Every call may be made twice, so every call may
be tried again: applying and deleting what has a known UID are idempotent, and what was created by a call whose answer
was lost is found to exist.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from kubernetes.aio.client import ApiClient
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.dynamic import DynamicClient

from bilten_operator.cluster.errors import Conflict, Missing, Unavailable, from_answer
from bilten_operator.cluster.kinds import SECRET, Kind, kind_of
from bilten_operator.metrics import API_CALLS, API_SECONDS

log = logging.getLogger(__name__)

FIELD_MANAGER = "bilten-operator"

APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
JSON = "application/json"

#: Names, labels and versions without the rest.
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

#: Objects in one answer of a list: 500 of the largest kinds stay below 10 MB.
PAGE = 500

Object = dict[str, Any]


@dataclass(frozen=True)
class Patience:
    """How long a call may take, and how often it is tried before the caller hears of it."""

    call_s: float = 15
    connect_s: float = 5
    tries: int = 4
    first_pause_s: float = 0.2
    longest_pause_s: float = 5


@dataclass(frozen=True)
class Listing:
    """All objects of a kind, at one moment."""

    items: list[Object]
    resource_version: str


@dataclass(frozen=True)
class WatchEvent:
    """What a watch told. A BOOKMARK tells only how far it is."""

    type: str
    object: Object = field(repr=False)


class Client:
    """Calls to one API server."""

    def __init__(self, api: ApiClient, patience: Patience | None = None) -> None:
        self._dynamic = DynamicClient(api)
        self._patience = patience or Patience()

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        """One object; None when it, its namespace or its kind is not there."""
        try:
            return await self.call("GET", kind, namespace, name)
        except Missing:
            return None

    async def list(
        self, kind: Kind, namespace: str | None = None, selector: str | None = None, *, metadata_only: bool = False
    ) -> Listing:
        """All objects that carry the labels. Raises Missing when the kind is not installed."""
        accept = METADATA if metadata_only else None
        items: list[Object] = []
        query = {"limit": str(PAGE), **({"labelSelector": selector} if selector else {})}
        while True:
            page = await self.call("GET", kind, namespace, query=query, accept=accept, verb="LIST")
            items += page["items"]
            metadata = page["metadata"]
            if not metadata.get("continue"):
                return Listing(items, metadata["resourceVersion"])
            query["continue"] = metadata["continue"]

    async def apply(self, manifest: Object, *, manager: str = FIELD_MANAGER) -> Object:
        """Server-side apply: make it, or set the fields of ours to these and remove those that we no longer name."""
        query = {"fieldManager": manager, "force": "true"}
        return await self._manifest("PATCH", manifest, query, verb="APPLY")

    async def apply_status(self, manifest: Object) -> Object:
        """The same for `status`. With `metadata.resourceVersion` it raises Conflict where that is not the newest."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return await self._manifest("PATCH", manifest, query, part="status", verb="APPLY-STATUS")

    async def create(self, manifest: Object) -> Object | None:
        """Make it; None when something of that name is there, which is left as it is."""
        metadata = manifest["metadata"]
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        query = {"fieldManager": FIELD_MANAGER}
        try:
            return await self.call("POST", kind, metadata.get("namespace"), body=manifest, query=query, verb="CREATE")
        except Conflict:
            return None

    async def delete(
        self, kind: Kind, namespace: str | None, name: str, *, uid: str, propagation: str = "Background"
    ) -> bool:
        """Delete this very object. False when it is gone, or another of its name is there."""
        body = {"propagationPolicy": propagation, "preconditions": {"uid": uid}}
        try:
            await self.call("DELETE", kind, namespace, name, body=body)
        except (Missing, Conflict):
            return False
        return True

    async def merge(self, kind: Kind, namespace: str | None, name: str, change: Object) -> Object:
        """Merge patch. With `metadata.resourceVersion` it raises Conflict where that is no longer the newest."""
        return await self.call(
            "PATCH", kind, namespace, name, body=change, content=MERGE, query={"fieldManager": FIELD_MANAGER}
        )

    async def watch(
        self,
        kind: Kind,
        namespace: str | None,
        selector: str | None,
        since: str,
        *,
        silence_s: float,
        server_s: float = 600,
    ) -> AsyncIterator[WatchEvent]:
        """What happens after `since`, until the server ends it.

        Raises Expired when `since` is too old, Unavailable when the connection breaks, or when nothing comes for
        `silence_s`: the server sends bookmarks every minute, so silence means that nobody is there.
        """
        query = {
            "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": since,
            "timeoutSeconds": str(int(server_s)), **({"labelSelector": selector} if selector else {}),
        }  # fmt: skip
        what = f"WATCH {kind.plural}"
        limit = aiohttp.ClientTimeout(total=None, sock_connect=self._patience.connect_s, sock_read=silence_s)
        response = await self._once("GET", kind.path(namespace), kind, what, query=query, limit=limit, verb="WATCH")
        try:
            async with response:
                async for line in _lines(response):
                    told = json.loads(line)
                    if told["type"] == "ERROR":
                        status = told["object"]
                        raise from_answer(what, status.get("code", 500), json.dumps(status), {}, hide=kind is SECRET)
                    yield WatchEvent(told["type"], told["object"])
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(what, 0, _words(error)) from None

    async def call(
        self,
        method: str,
        kind: Kind,
        namespace: str | None,
        name: str | None = None,
        part: str | None = None,
        *,
        body: Object | None = None,
        query: dict[str, str] | None = None,
        content: str = JSON,
        accept: str | None = None,
        verb: str | None = None,
        tries: int | None = None,
        limit_s: float | None = None,
    ) -> Object:
        """One call and its answer, tried again while the server asks for it. Raises ApiError."""
        patience = self._patience
        what = f"{verb or method} {kind.plural} {namespace or ''}/{name or ''}"
        total_s = limit_s or patience.call_s
        limit = aiohttp.ClientTimeout(total=total_s, sock_connect=min(patience.connect_s, total_s))
        for attempt in range(1, (tries or patience.tries) + 1):
            try:
                response = await self._once(
                    method, kind.path(namespace, name, part), kind, what,
                    body=body, query=query, content=content, accept=accept, limit=limit, verb=verb or method,
                )  # fmt: skip
                async with response:
                    return await _object(response)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                problem = Unavailable(what, 0, _words(error))
            except Unavailable as error:
                problem = error
            pause_s: float = self._pause_s(attempt, problem.retry_after_s)
            if attempt == (tries or patience.tries) or pause_s > patience.longest_pause_s:
                raise problem
            log.info("Trying again in %.1f s: %s", pause_s, problem)
            await asyncio.sleep(pause_s)
        raise AssertionError("at least one try")

    def _pause_s(self, attempt: int, retry_after_s: float | None) -> float:
        patience = self._patience
        pause_s = min(patience.first_pause_s * 2 ** (attempt - 1), patience.longest_pause_s)
        # Spread, or all that were refused together come back together.
        spread_s: float = pause_s * random.uniform(0.5, 1)  # noqa: S311 - not a secret
        return max(spread_s, retry_after_s or 0)

    async def _manifest(
        self, method: str, manifest: Object, query: dict[str, str], *, verb: str, part: str | None = None
    ) -> Object:
        metadata = manifest["metadata"]
        kind = kind_of(manifest["apiVersion"], manifest["kind"])
        return await self.call(
            method, kind, metadata.get("namespace"), metadata["name"], part,
            body=manifest, query=query, content=APPLY, verb=verb,
        )  # fmt: skip

    async def _once(
        self,
        method: str,
        path: str,
        kind: Kind,
        what: str,
        *,
        limit: aiohttp.ClientTimeout,
        verb: str,
        body: Object | None = None,
        query: dict[str, str] | None = None,
        content: str = JSON,
        accept: str | None = None,
    ) -> aiohttp.ClientResponse:
        started = time.monotonic()
        status = "none"
        try:
            response: aiohttp.ClientResponse = await self._dynamic.request(
                method, path, body=body, query_params=list((query or {}).items()), content_type=content,
                header_params={"Accept": accept} if accept else {}, _request_timeout=limit, serialize=False,
            )  # fmt: skip
            status = str(response.status)
        except ApiException as error:
            status = str(error.status)
            # Not chained: the library's error prints the answer's headers and body.
            raise from_answer(what, error.status or 0, error.body, error.headers or {}, hide=kind is SECRET) from None
        finally:
            API_CALLS.labels(verb, kind.kind, status).inc()
            API_SECONDS.labels(verb).observe(time.monotonic() - started)
        return response


async def _object(response: aiohttp.ClientResponse) -> Object:
    answer: Object = json.loads(await response.read())
    return answer


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length: aiohttp's own reader refuses those that are longer than its buffer."""
    rest = bytearray()
    async for chunk in response.content.iter_any():
        *lines, tail = chunk.split(b"\n")
        for line in lines:
            rest += line
            if rest:
                yield bytes(rest)
            rest.clear()
        rest += tail


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
