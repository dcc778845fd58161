"""Everything that runs while this operator leads: watches, cache, queue and the check that events still flow."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bilten_operator.cluster.cache import Cache, Key
from bilten_operator.cluster.client import Client
from bilten_operator.cluster.flow import Flow
from bilten_operator.cluster.kinds import CHILDREN
from bilten_operator.cluster.object_store import ObjectStores
from bilten_operator.cluster.reconcile import Planner, Reconciler, References, now
from bilten_operator.cluster.watches import Watches
from bilten_operator.cluster.worker_port import Questions
from bilten_operator.cluster.workqueue import Pace, WorkQueue
from bilten_operator.metrics import EVENT_AGE

Object = dict[str, Any]

#: Older than this, and the watches are dead: each is renewed after 100 s of silence.
DEAD_AFTER_S = 300.0


class Controller:
    """One leader's work."""

    def __init__(
        self,
        client: Client,
        planner: Planner,
        references: References,
        *,
        namespaces: Iterable[str] = (),
        workers: int = 16,
        resync_s: float = 600,
        stores: ObjectStores | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        namespaces = tuple(namespaces)
        self.cache = Cache(self._changed)
        self.watches = Watches(client, self.cache, CHILDREN, namespaces, appeared=self._wake_all)
        self._reconciler = Reconciler(
            client, self.cache, stores or ObjectStores(), planner, references,
            missing_kinds=lambda: self.watches.missing_kinds, resync_s=resync_s, clock=clock,
            questions=Questions(clock=clock, answered=self._changed),
        )  # fmt: skip
        self.queue = WorkQueue(self._reconciler, Pace(workers=workers))
        self.flow = Flow(client, namespaces, self.queue.wake)
        self._seen: dict[Key, Object] = {}

    def saw(self, type_: str | None, metadata: Object) -> None:
        """The watch of instances told of one."""
        key = Key(metadata["namespace"], metadata["name"])
        gone = type_ == "DELETED"
        self.flow.told(metadata, gone=gone)
        shape = _shape(metadata)
        before = self._seen.get(key)
        if gone:
            self._seen.pop(key, None)
        elif before == shape:
            return  # our own status
        else:
            self._seen[key] = shape
        # An edit is tried at once, however often the one before it failed.
        edited = before is not None and before["generation"] != shape["generation"]
        self.queue.wake(key, 0.0 if edited or gone else None, urgent=edited or gone)

    async def run(self) -> None:
        """Work for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.watches.run())
            group.create_task(self._when_listed())

    def alive(self) -> str | None:
        """Why this process should be started anew, or None."""
        age_s = self.watches.age_s()
        EVENT_AGE.set(age_s)
        if age_s > DEAD_AFTER_S:
            return f"a watch has heard nothing for {age_s:.0f} s"
        return "the watch of instances does not tell of changes" if self.flow.broken else None

    async def _when_listed(self) -> None:
        # Before that the cache is missing children, which would be written again.
        await self.watches.listed()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.queue.run())
            group.create_task(self.flow.run())

    def _changed(self, key: Key) -> None:
        self.queue.wake(key)

    def _wake_all(self) -> None:
        for key in self._seen:
            self.queue.wake(key)


def _shape(metadata: Object) -> Object:
    """What a change of status leaves as it is."""
    names = ("uid", "generation", "labels", "annotations", "finalizers", "deletionTimestamp")
    return {name: metadata.get(name) for name in names}
