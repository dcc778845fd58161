"""A watch that goes on for ever, for those who need no more than the newest of everything."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

_BUSY = 429
_PAUSE_S = 0.5


async def events(session: aiohttp.ClientSession, url: str, selector: str = "") -> AsyncIterator[dict[str, Any]]:
    """What happens to the objects of a kind, beginning with all that are there; what was told may be told again."""
    # From version 0 a watch begins with all that is known to be there. Without one it first waits for the newest, which
    # an API server with an old etcd does not learn of before the first object of the kind is written.
    query = {"watch": "true", "resourceVersion": "0", **({"labelSelector": selector} if selector else {})}
    while True:
        async with session.get(url, params=query, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            if answer.status == _BUSY:
                await asyncio.sleep(_PAUSE_S)  # a kind that has just been made known
                continue
            answer.raise_for_status()
            async for event in _objects(answer):
                if event["type"] == "ERROR":
                    sys.stderr.write(f"{url}: {event['object']}\n")
                    break  # it cannot go on, and is begun anew
                yield event


async def _objects(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    rest = b""
    async for chunk in answer.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield orjson.loads(line)
