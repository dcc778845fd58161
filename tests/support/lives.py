"""The operator's reconciler without its process, one life after the other: killed before a write, and born anew."""

import json
import re
from typing import Any

from bilten_operator.cluster.cache import Cache, Key
from bilten_operator.cluster.client import Client, Object, Patience
from bilten_operator.cluster.kinds import CHILDREN, INSTANCE
from bilten_operator.cluster.object_store import ObjectStores
from bilten_operator.cluster.planning import planner
from bilten_operator.cluster.reconcile import Reconciler
from bilten_operator.cluster.watches import SELECTOR
from bilten_operator.cluster.worker_port import Questions
from bilten_operator.cluster.workqueue import Retry
from bilten_operator.plan.drift import RENDER
from bilten_operator.plan.model import Action, KeyPair, OperatorConfig
from bilten_operator.plan.needs import references
from kubernetes.aio.client import ApiClient
from support.standins import StandIns

OPERATOR = OperatorConfig(minio_image="minio:1", clamav_image="clamav:1")

#: What the watches would follow, of what this API server has.
WATCHED = [kind for kind in CHILDREN if "monitoring" not in kind.group and "gateway" not in kind.group]

MISSING = frozenset((kind.group, kind.kind) for kind in CHILDREN if kind not in WATCHED)


class Killed(BaseException):
    """Like a process that is killed, it passes every handler."""


class Mortal(Client):
    """Dies before the write after `left` more. None: never."""

    left: int | None = None

    def __init__(self, api: ApiClient, patience: Patience) -> None:
        super().__init__(api, patience)
        self.writes: list[str] = []

    def spend(self, what: str) -> None:
        if self.left == 0:
            raise Killed(what)
        if self.left is not None:
            self.left -= 1
        self.writes.append(what)

    async def call(self, method: str, *args: Any, **named: Any) -> Object:
        if method != "GET":
            self.spend(f"{named.get('verb') or method} {args[0].kind} {args[2] if len(args) > 2 else ''}")
        return await super().call(method, *args, **named)


class Stores(ObjectStores):
    """Buckets that are always there at once; what is done to them counts as a write."""

    def __init__(self, client: Mortal) -> None:
        super().__init__()
        self._mortal = client

    async def act(self, action: Action, _secrets: Any) -> str | None:
        self._mortal.spend(f"{type(action).__name__} {action.key}")
        return None


class Constant:
    """Randomness of which two runs make the same."""

    def token(self, size_bytes: int) -> str:
        return "x" * size_bytes

    def key_pair(self) -> KeyPair:
        return KeyPair(b"x" * 32, b"y" * 32)


class World:
    """One instance in its namespace, an operator of many lives, and the stand-ins for everyone else."""

    def __init__(
        self, client: Mortal, calm: Client, namespace: str, name: str = "bilten", questions: Questions | None = None
    ) -> None:
        self._questions = questions
        self.client = client
        self.calm = calm
        self.key = Key(namespace, name)
        self.others = StandIns(calm, namespace)
        self.lives = 0
        self.be_born()

    def be_born(self) -> None:
        """A new life remembers nothing."""
        self.lives += 1
        self._cache = Cache(lambda _: None)
        self._reconciler = Reconciler(
            self.client, self._cache, Stores(self.client), planner(OPERATOR, Constant()), references,
            missing_kinds=lambda: MISSING, questions=self._questions,
        )  # fmt: skip

    async def rest(self, rounds: int = 80) -> None:
        """Let all work until nobody has anything to do; who is killed goes on in the next life."""
        await self._look()
        for _ in range(rounds):
            before = len(self.client.writes)
            again_s: float | None = 1.0
            try:
                again_s = await self._reconciler(self.key)
            except Killed:
                self.client.left = None
                self.be_born()
                await self._look()
                continue
            except Retry:
                continue
            written = self.client.writes[before:]
            changed = await self.others.work() if written else []
            for item in changed:
                self._cache.put(item)
            if any("DELETE" in write for write in written):
                await self._look()
            if not changed and not written and again_s != 0.0:
                return
        raise AssertionError(f"it never comes to rest; the last writes: {self.client.writes[-20:]}")

    async def _look(self) -> None:
        for kind in WATCHED:
            listing = await self.calm.list(kind, self.key.namespace, SELECTOR)
            self._cache.replace(kind, self.key.namespace, listing.items, listing.resource_version)

    async def state(self) -> dict[str, Any]:
        """All there is, without what differs between two that came about in the same way."""
        await self._look()
        children = {
            f"{ref.kind}/{ref.name}": _bare(found)
            for ref, found in self._cache.objects(self.key).items()
        }  # fmt: skip
        instance = await self.calm.get(INSTANCE, *self.key)
        told: dict[str, Any] = (instance or {}).get("status") or {}
        uid = instance["metadata"]["uid"] if instance else "no-uid"
        text = json.dumps(
            {
                "children": children,
                "finalizers": instance["metadata"].get("finalizers") if instance else "gone",
                "status": {name: told.get(name) for name in ("phase", "observedGeneration", "waitingFor", "buckets")},
                "conditions": sorted((one["type"], one["status"], one["reason"]) for one in told.get("conditions", [])),
            },
            sort_keys=True,
        )
        text = text.replace(self.key.namespace, "NAMESPACE").replace(uid, "UID")
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ANOTHER-UID", text)
        told_state: dict[str, Any] = json.loads(re.sub(r"\b[0-9a-f]{10,64}\b", "DIGEST", text))
        return told_state


def _bare(found: Object) -> Object:
    metadata = {
        name: value
        for name, value in found["metadata"].items()
        if name not in {"uid", "resourceVersion", "creationTimestamp", "managedFields"}
    }
    # The manifest as it was rendered, packed; what it came to is compared.
    metadata.get("annotations", {}).pop(RENDER, None)
    spec = json.loads(json.dumps(found))
    # Addresses that the API server hands out.
    for name in ("clusterIP", "clusterIPs"):
        spec.get("spec", {}).pop(name, None)
    return {**{name: value for name, value in spec.items() if name != "status"}, "metadata": metadata}


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two states are not the same, each in a line."""
    if isinstance(one, dict) and isinstance(other, dict):
        places = sorted(one.keys() | other.keys())
        return [line for key in places for line in differences(one.get(key), other.get(key), f"{place}/{key}")]
    return [] if one == other else [f"{place}: {one} instead of {other}"]
