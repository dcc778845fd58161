"""`python -m bench.controllers`: all other controllers of a cluster, for every namespace at once, and an object store.

A process of its own that does as little as it can: each object is answered once for each of its generations, as soon as
a watch tells of it. The pods are there too, of the template and with a status as a kubelet writes it: they are what an
operator's memory is mostly filled with.
"""

import asyncio
import hashlib
import ssl
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from bench.store import serve_store
from bench.watching import events
from bilten_operator.cluster.kinds import SECRET, Kind, kind_of
from bilten_operator.cluster.watches import SELECTOR
from support.apiserver import Address
from support.standins import CLUSTER, DEPLOYMENT, JOB, NOW, STATEFUL_SET, STATUS, database

POD = kind_of("v1", "Pod")
CLAIM = kind_of("v1", "PersistentVolumeClaim")

#: Objects that are worked on at once: all that the API server of a test takes without queueing.
AT_ONCE = 16
#: Gone meanwhile, or made already.
_EXPECTED = {404, 409}

Object = dict[str, Any]
Name = tuple[Kind, str, str]


class Controllers:
    """They live until they are cancelled."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._newest: dict[Name, Object] = {}
        self._due: asyncio.Queue[Name] = asyncio.Queue()
        self._pods: dict[Name, dict[str, str]] = {}
        self._made: set[Name] = set()
        self._busy: defaultdict[Name, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self) -> None:
        """Work for ever."""
        context = ssl.create_default_context(cafile=self._address.ca)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, limit=0), timeout=aiohttp.ClientTimeout(60),
                headers={"Authorization": f"Bearer {self._address.token}"},
            ) as self._session,
            asyncio.TaskGroup() as group,
        ):  # fmt: skip
            for kind in (DEPLOYMENT, STATEFUL_SET, JOB, CLUSTER):
                group.create_task(self._follow(kind))
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _follow(self, kind: Kind) -> None:
        async for event in events(self._session, self._address.url + kind.path(), SELECTOR):
            found = event["object"]
            name = (kind, found["metadata"]["namespace"], found["metadata"]["name"])
            if event["type"] == "DELETED":
                self._newest.pop(name, None)
            elif name not in self._newest:
                self._due.put_nowait(name)
                self._newest[name] = found
            else:
                self._newest[name] = found

    async def _work(self) -> None:
        while True:
            name = await self._due.get()
            async with self._busy[name]:
                found = self._newest.pop(name, None)
                if found is not None:
                    await self._answer(name, found)

    async def _answer(self, name: Name, found: Object) -> None:
        kind, namespace, own = name
        wanted = STATUS[kind](found)
        told = found.get("status") or {}
        if all(told.get(key) == value for key, value in wanted.items()):
            return
        match kind.kind:
            case "Cluster":
                await self._make(SECRET, namespace, f"{own}-app", {"data": database()})
            case "StatefulSet":
                for claim in found["spec"]["volumeClaimTemplates"]:
                    labels = claim["metadata"].get("labels", {})
                    await self._make(CLAIM, namespace, f"{claim['metadata']['name']}-{own}-0", claim, labels)
        if "template" in found["spec"]:
            await self._run_pods(name, found)
        await self._patch(kind, namespace, own, "status", {"status": wanted})

    async def _run_pods(self, name: Name, found: Object) -> None:
        kind, namespace, own = name
        template = found["spec"]["template"]
        digest = hashlib.sha256(orjson.dumps(template)).hexdigest()[:10]
        wanted = {f"{own}-{digest}-{number}" for number in range(found["spec"].get("replicas", 1))}
        there = self._pods.setdefault(name, {})
        spec = {**template["spec"], "volumes": [*template["spec"].get("volumes", []), *_claimed(found)]}
        for pod in wanted - there.keys():
            labels = template["metadata"]["labels"]
            owner = {
                "apiVersion": kind.api_version, "kind": kind.kind, "name": own, "uid": found["metadata"]["uid"],
                "controller": True, "blockOwnerDeletion": True,
            }  # fmt: skip
            await self._make(POD, namespace, pod, {"spec": spec}, labels, [owner])
            status = pod_status(spec, done=kind is JOB)
            await self._patch(POD, namespace, pod, "status", {"status": status})
            there[pod] = digest
        for pod in there.keys() - wanted:
            await self._send("DELETE", POD.path(namespace, pod), {"gracePeriodSeconds": 0})
            del there[pod]

    async def _make(
        self, kind: Kind, namespace: str, name: str, content: Object,
        labels: dict[str, str] | None = None, owners: list[Object] | None = None,
    ) -> None:  # fmt: skip
        if (kind, namespace, name) in self._made:
            return
        metadata = {"name": name, "namespace": namespace, "labels": labels or {}, "ownerReferences": owners or []}
        body = {**content, "apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata}
        await self._send("POST", kind.path(namespace), body)
        self._made.add((kind, namespace, name))

    async def _patch(self, kind: Kind, namespace: str, name: str, part: str, body: Object) -> None:
        await self._send("PATCH", kind.path(namespace, name, part), body, "application/merge-patch+json")

    async def _send(self, method: str, path: str, body: Object, content: str = "application/json") -> None:
        headers = {"Content-Type": content}
        async with self._session.request(
            method, self._address.url + path, data=orjson.dumps(body), headers=headers
        ) as answer:
            if answer.status >= 400 and answer.status not in _EXPECTED:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            await answer.read()


def _claimed(found: Object) -> list[Object]:
    """The volumes that a StatefulSet gives its pod."""
    names = [claim["metadata"]["name"] for claim in found["spec"].get("volumeClaimTemplates", [])]
    claims = [f"{name}-{found['metadata']['name']}-0" for name in names]
    return [
        {"name": name, "persistentVolumeClaim": {"claimName": claim}} for name, claim in zip(names, claims, strict=True)
    ]


def pod_status(spec: Object, *, done: bool) -> Object:
    """What a kubelet says of a pod that is well, or has done its work."""
    state = {"terminated": {"exitCode": 0, "reason": "Completed"}} if done else {"running": {"startedAt": NOW}}

    def container(one: Object) -> Object:
        return {
            "name": one["name"], "image": one["image"], "imageID": f"{one['image']}@sha256:{'a' * 64}", "ready": True,
            "started": not done, "restartCount": 0, "containerID": f"containerd://{'b' * 64}", "state": state,
        }  # fmt: skip

    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        # Without an address: nobody answers there, and who does not is asked more often than who does.
        "phase": "Succeeded" if done else "Running", "hostIP": "10.0.0.1", "startTime": NOW,
        "qosClass": "Burstable",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": NOW} for kind in conditions],
        "containerStatuses": [container(one) for one in spec["containers"]],
        "initContainerStatuses": [container(one) for one in spec.get("initContainers", [])],
    }  # fmt: skip


async def main(address: Address, store_port: int) -> None:
    """Serve and work until ended."""
    async with serve_store(store_port):
        await Controllers(address).run()


if __name__ == "__main__":
    asyncio.run(main(Address(**orjson.loads(Path(sys.argv[1]).read_bytes())), int(sys.argv[2])))
