"""Which of several operators acts: the one that holds a Lease.

Not `kubernetes.aio.leaderelection` of 37.0.2, which was read first: its calls may take five minutes, so that two lead
meanwhile; an error that is not an answer of the server, a broken connection, ends its loop while the leader's task runs
on; it does not notice when that task ends; it never releases; it compares wall clocks, and writes local time as UTC.

The protocol is that of client-go, so its tools read this Lease as well. What another clock says is never compared with
ours: a Lease has expired when it did not change for its duration while *we* watched.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from bilten_operator.cluster.client import Client, Object
from bilten_operator.cluster.errors import ApiError, Conflict, Missing
from bilten_operator.cluster.kinds import LEASE
from bilten_operator.metrics import LEADER

log = logging.getLogger(__name__)


class Lost(Exception):
    """The Lease could not be renewed in time, or another holds it. Whoever acted must stop at once."""


@dataclass(frozen=True)
class Terms:
    """How long things take. A leader stops `duration_s - renew_s` before another can start."""

    duration_s: int = 15
    renew_s: float = 10
    pause_s: float = 2
    call_s: float = 4


class Lease:
    """One candidate for one Lease."""

    def __init__(self, client: Client, namespace: str, name: str, identity: str, terms: Terms | None = None) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._terms = terms or Terms()
        self._seen: tuple[str, str] | None = None
        self._changed_at = 0.0
        self._renewed_at = 0.0
        self._ours: Object | None = None
        self.identity = identity
        self.held = False
        #: When the loop last came round, by the monotonic clock: what a standby's liveness is judged by.
        self.beat_at = time.monotonic()

    async def acquire(self) -> None:
        """Wait until it is ours, for as long as it takes."""
        while not await self._try():  # noqa: ASYNC110 - what it waits for is elsewhere
            await asyncio.sleep(self._terms.pause_s)
        log.info("%s holds the Lease %s/%s", self.identity, self._namespace, self._name)

    async def hold(self) -> None:
        """Renew it for ever. Raises Lost."""
        while True:
            left_s = self._renewed_at + self._terms.renew_s - time.monotonic()
            if left_s <= 0:
                self._drop()
                raise Lost(f"the Lease was not renewed for {self._terms.renew_s} s")
            await asyncio.sleep(min(self._terms.pause_s, left_s))
            if not await self._try() and not self.held:
                raise Lost("another operator holds the Lease")

    async def release(self) -> None:
        """Let another take it at once. What fails is logged: the Lease ends by itself soon enough."""
        if not self.held:
            return
        self._drop()
        try:
            found = await self._call("GET")
            if _holder(found) == self.identity:
                spec = {**found["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                await self._call("PUT", {**found, "spec": spec})
                log.info("%s released the Lease", self.identity)
        except ApiError as error:
            log.warning("The Lease was not released, and will expire: %s", error)

    async def _try(self) -> bool:
        """Take or renew it. False when another has it, and when the API server does not answer."""
        self.beat_at = began = time.monotonic()
        try:
            # Of its own Lease a holder knows the newest version; if it is not, the write says so.
            found = self._ours or await self._find()
            if found and not self._may_take(found):
                if self.held:
                    self._drop()
                return False
            written = await self._call("PUT" if found else "POST", self._taken(found))
        except (Conflict, Missing):
            self._ours = None
            return False  # another was faster; the next round tells who
        except ApiError as error:
            # A write whose answer was lost may have happened.
            self._ours = None
            log.warning("The Lease cannot be %s: %s", "renewed" if self.held else "taken", error)
            return False
        finally:
            self.beat_at = time.monotonic()
        # From when the call began: that is what other candidates may count from at the earliest.
        self._renewed_at = began
        self._see(written)
        self._ours = written
        self.held = True
        LEADER.set(1)
        return True

    async def _find(self) -> Object | None:
        try:
            return await self._call("GET")
        except Missing:
            return None

    def _may_take(self, found: Object) -> bool:
        self._see(found)
        if _holder(found) in {"", self.identity}:
            return True
        duration_s = (found.get("spec") or {}).get("leaseDurationSeconds") or self._terms.duration_s
        return time.monotonic() > self._changed_at + duration_s

    def _see(self, found: Object) -> None:
        seen = (_holder(found), found["metadata"]["resourceVersion"])
        if seen != self._seen:
            self._seen, self._changed_at = seen, time.monotonic()

    def _taken(self, found: Object | None) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        before = (found or {}).get("spec") or {}
        ours = bool(found) and _holder(found) == self.identity
        spec = {
            **before, "holderIdentity": self.identity, "leaseDurationSeconds": self._terms.duration_s,
            "renewTime": now, "acquireTime": before["acquireTime"] if ours and before.get("acquireTime") else now,
            "leaseTransitions": before.get("leaseTransitions", 0) + (0 if ours or not found else 1),
        }  # fmt: skip
        metadata = found["metadata"] if found else {"name": self._name, "namespace": self._namespace}
        return {"apiVersion": LEASE.api_version, "kind": LEASE.kind, "metadata": metadata, "spec": spec}

    async def _call(self, method: str, body: Object | None = None) -> Object:
        # One try each: the loop is the retry, and knows the deadline.
        return await self._client.call(
            method, LEASE, self._namespace, None if method == "POST" else self._name,
            body=body, tries=1, limit_s=self._terms.call_s,
        )  # fmt: skip

    def _drop(self) -> None:
        self.held = False
        self._ours = None
        LEADER.set(0)


def _holder(found: Object | None) -> str:
    return ((found or {}).get("spec") or {}).get("holderIdentity") or ""
