"""What the other controllers of a cluster would do, on an API server that has none of them: fast, and always well."""

import base64
from collections.abc import Callable
from typing import Any

from bilten_operator.cluster.client import MERGE, Client
from bilten_operator.cluster.kinds import Kind, kind_of

NOW = "2026-01-02T03:04:05Z"

DEPLOYMENT = kind_of("apps/v1", "Deployment")
STATEFUL_SET = kind_of("apps/v1", "StatefulSet")
JOB = kind_of("batch/v1", "Job")
CLUSTER = kind_of("postgresql.cnpg.io/v1", "Cluster")
POOLER = kind_of("postgresql.cnpg.io/v1", "Pooler")
SCHEDULED = kind_of("postgresql.cnpg.io/v1", "ScheduledBackup")
OBJECT_STORE = kind_of("barmancloud.cnpg.io/v1", "ObjectStore")

#: Kinds of other projects that the tests bring, as they are to the API server without their schemas.
STUBBED = (CLUSTER, POOLER, SCHEDULED, OBJECT_STORE)


def stub(kind: Kind) -> dict[str, Any]:
    """A CRD that takes anything."""
    group, _, version = kind.api_version.partition("/")
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


_LABELS = {"cnpg.io/poolerName": "pooler"}
_POOLER_PODS = {
    "selector": {"matchLabels": _LABELS},
    "template": {
        "metadata": {"labels": _LABELS},
        "spec": {"containers": [{"name": "pgbouncer", "image": "pgbouncer"}]},
    },
}


class StandIns:
    """The controllers of one namespace."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def work(self) -> list[dict[str, Any]]:
        """One round of them all. What they changed."""
        changed: list[dict[str, Any]] = []
        for kind, status in STATUS.items():
            for found in (await self._client.list(kind, self._namespace)).items:
                if kind is CLUSTER:
                    changed += await self._make("Secret", f"{found['metadata']['name']}-app", data=database())
                if kind is POOLER:
                    changed += await self._make("Deployment", found["metadata"]["name"], spec=_POOLER_PODS)
                if kind is STATEFUL_SET:
                    for claim in found["spec"]["volumeClaimTemplates"]:
                        name = f"{claim['metadata']['name']}-{found['metadata']['name']}-0"
                        labels = claim["metadata"].get("labels", {})
                        changed += await self._make("PersistentVolumeClaim", name, labels, spec=claim["spec"])
                wanted = status(found)
                if not wanted.items() <= (found.get("status") or {}).items():
                    told = await self._client.call(
                        "PATCH", kind, self._namespace, found["metadata"]["name"], "status",
                        body={"status": wanted}, content=MERGE,
                    )  # fmt: skip
                    changed.append(told)
        return changed

    async def _make(
        self, kind: str, name: str, labels: dict[str, str] | None = None, **content: Any
    ) -> list[dict[str, Any]]:
        metadata = {"name": name, "namespace": self._namespace, "labels": labels or {}}
        version = "apps/v1" if kind == "Deployment" else "v1"
        made = {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
        told = await self._client.create(made)
        return [told] if told else []


def _deployment(found: dict[str, Any]) -> dict[str, Any]:
    count = found["spec"].get("replicas", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
    return {"observedGeneration": found["metadata"]["generation"], **counts}


def _stateful_set(found: dict[str, Any]) -> dict[str, Any]:
    revision = f"revision-{found['metadata']['generation']}"
    return {**_deployment(found), "updateRevision": revision, "currentRevision": revision}


def _job(_: dict[str, Any]) -> dict[str, Any]:
    done = {"status": "True", "lastProbeTime": NOW, "lastTransitionTime": NOW}
    conditions = [{"type": kind, **done} for kind in ("SuccessCriteriaMet", "Complete")]
    return {"startTime": NOW, "completionTime": NOW, "succeeded": 1, "conditions": conditions}


def _cluster(found: dict[str, Any]) -> dict[str, Any]:
    count = found["spec"]["instances"]
    ready = [{"type": "Ready", "status": "True"}]
    return {"conditions": ready, "readyInstances": count, "instances": count, "phase": "Cluster in healthy state"}


def database() -> dict[str, str]:
    """The Secret that CloudNativePG makes of a Cluster."""
    values = {"uri": "postgresql://app:word@db:5432/app", "username": "app", "password": "word", "dbname": "app"}
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


#: What its controller says of an object that is well.
STATUS: dict[Kind, Callable[[dict[str, Any]], dict[str, Any]]] = {
    DEPLOYMENT: _deployment,
    STATEFUL_SET: _stateful_set,
    JOB: _job,
    CLUSTER: _cluster,
    POOLER: lambda found: {"instances": found["spec"]["instances"]},
}
