"""Keeps the cache true: of each kind a list, then a watch, and again when the watch says that it cannot go on.

A watch that says nothing is not trusted: the API server sends bookmarks every minute, so silence ends it, and a list
finds what it missed. A kind that is not installed is asked for until it is.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from bilten_operator.cluster.cache import Cache
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.errors import ApiError, Expired, Missing
from bilten_operator.cluster.kinds import Kind
from bilten_operator.resources.instance import MANAGED_BY, MANAGER

log = logging.getLogger(__name__)

SELECTOR = f"{MANAGED_BY}={MANAGER}"

#: Longest that a watch may be silent. Bookmarks come every minute.
SILENCE_S = 100
#: How often a kind that is not installed is asked for.
MISSING_PAUSE_S = 30
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30


class Watches:
    """Lists and watches every kind, in every namespace that is watched, or in all at once."""

    def __init__(
        self,
        client: Client,
        cache: Cache,
        kinds: Iterable[Kind],
        namespaces: Iterable[str],
        *,
        appeared: Callable[[], None],
        silence_s: float = SILENCE_S,
        missing_pause_s: float = MISSING_PAUSE_S,
    ) -> None:
        self._client = client
        self._cache = cache
        self._appeared = appeared
        self._silence_s = silence_s
        self._missing_pause_s = missing_pause_s
        scopes: list[str | None] = list(namespaces) or [None]
        self._all = [(kind, scope) for kind in kinds for scope in scopes]
        self._heard: dict[tuple[Kind, str | None], float] = {}
        self._missing: set[Kind] = set()
        self._listed = asyncio.Event()

    @property
    def missing_kinds(self) -> frozenset[tuple[str, str]]:
        """(group, kind) of what the cluster does not have."""
        return frozenset((kind.group, kind.kind) for kind in self._missing)

    def age_s(self) -> float:
        """Seconds since the quietest of them last heard from the API server; 0 before all were listed."""
        return time.monotonic() - min(self._heard.values()) if self._listed.is_set() else 0.0

    async def listed(self) -> None:
        """Wait until the cache has everything there is."""
        await self._listed.wait()

    async def run(self) -> None:
        """Watch for ever."""
        async with asyncio.TaskGroup() as group:
            for kind, scope in self._all:
                group.create_task(self._follow(kind, scope), name=f"watch {kind.plural} {scope or ''}")

    async def _follow(self, kind: Kind, scope: str | None) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                version = await self._list(kind, scope)
                pause_s = _FIRST_PAUSE_S
                await self._watch(kind, scope, version)
            except Missing:
                self._absent(kind, scope)
                await asyncio.sleep(self._missing_pause_s)
            except Expired:
                log.debug("Too much has happened to %s: listing them again", kind.plural)
            except ApiError as error:
                log.warning("Watching %s %s: %s", kind.plural, scope or "", error)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _list(self, kind: Kind, scope: str | None) -> str:
        listing = await self._client.list(kind, scope, SELECTOR)
        self._cache.replace(kind, scope, listing.items, listing.resource_version)
        if kind in self._missing:
            self._missing.discard(kind)
            log.info("%s is now installed", kind.kind)
            self._appeared()
        self._hear(kind, scope)
        return listing.resource_version

    async def _watch(self, kind: Kind, scope: str | None, version: str) -> None:
        """From `version` on, over as many connections as it takes. Ends by raising."""
        while True:
            async for event in self._client.watch(kind, scope, SELECTOR, version, silence_s=self._silence_s):
                version = event.object["metadata"]["resourceVersion"]
                self._hear(kind, scope)
                if event.type == "DELETED":
                    self._cache.remove(event.object)
                elif event.type != "BOOKMARK":
                    self._cache.put(event.object)
            self._hear(kind, scope)

    def _absent(self, kind: Kind, scope: str | None) -> None:
        if kind not in self._missing:
            self._missing.add(kind)
            log.info("%s is not installed", kind.kind)
        self._cache.replace(kind, scope, [], str(2**63))
        self._hear(kind, scope)

    def _hear(self, kind: Kind, scope: str | None) -> None:
        self._heard[kind, scope] = time.monotonic()
        if len(self._heard) == len(self._all):
            self._listed.set()
