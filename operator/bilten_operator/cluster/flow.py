"""Whether events still flow: what the watch has told of the instances, against a list of them.

A watch can fall silent and look well (kopf issue 1276). So every minute the versions of all instances are listed: one
that the watch has not told of is worked on at once, and one that it has not told of a minute later either means that it
never will, which fails the liveness probe. Of the children the same is known by the age of their bookmarks.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

from bilten_operator.cluster.cache import Key
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.errors import ApiError
from bilten_operator.cluster.kinds import INSTANCE
from bilten_operator.metrics import INSTANCES

log = logging.getLogger(__name__)

PERIOD_S = 60.0

Object = dict[str, Any]


class Flow:
    """Compares. `wake` is called with each instance whose newest version the watch has not told of."""

    def __init__(
        self, client: Client, namespaces: Iterable[str], wake: Callable[[Key], None], *, period_s: float = PERIOD_S
    ) -> None:
        self._client = client
        self._scopes: list[str | None] = list(namespaces) or [None]
        self._wake = wake
        self._period_s = period_s
        self._told: dict[Key, int] = {}
        self._behind: dict[Key, int | None] = {}
        self.broken = False

    def told(self, metadata: Object, *, gone: bool) -> None:
        """The watch said this of an instance."""
        key = Key(metadata["namespace"], metadata["name"])
        if gone:
            self._told.pop(key, None)
        else:
            self._told[key] = int(metadata["resourceVersion"])
        INSTANCES.set(len(self._told))

    async def run(self) -> None:
        """Compare for ever."""
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self.compare()
            except ApiError as error:
                log.warning("The instances cannot be listed: %s", error)

    async def compare(self) -> None:
        """Compare once."""
        there: dict[Key, int] = {}
        for scope in self._scopes:
            for item in (await self._client.list(INSTANCE, scope, metadata_only=True)).items:
                metadata = item["metadata"]
                there[Key(metadata["namespace"], metadata["name"])] = int(metadata["resourceVersion"])
        unheard = [key for key, version in self._behind.items() if not self._heard(key, version)]
        self.broken = bool(unheard)
        if unheard:
            log.error("The watch has not told of %d changes, of %s/%s for one", len(unheard), *unheard[0])
        behind: dict[Key, int | None] = {
            **{key: version for key, version in there.items() if not self._heard(key, version)},
            **{key: None for key in self._told if key not in there},
        }
        self._behind = behind
        for key in behind:
            self._wake(key)

    def _heard(self, key: Key, version: int | None) -> bool:
        return key not in self._told if version is None else self._told.get(key, -1) >= version
