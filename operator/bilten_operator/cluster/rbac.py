"""What the operator may do, as rules of a Role: what it does, and no more.

`instance_rules` go into a ClusterRole, or into one Role for each namespace that it watches. The chart is made of these.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bilten_operator.cluster.kinds import EVENT, INSTANCE, LEASE, NAMED, WRITTEN, Kind

Rule = dict[str, Any]

_READ = ("get", "list", "watch")
_WRITE = (*_READ, "create", "patch")

#: What plans delete. Never what holds data or keys: Secrets, volumes, the object store.
DELETED = frozenset({
    "Cluster", "ConfigMap", "Deployment", "HTTPRoute", "HorizontalPodAutoscaler", "Ingress", "Job", "NetworkPolicy",
    "PodDisruptionBudget", "PodMonitor", "Pooler", "PrometheusRule", "ScheduledBackup", "Service", "ServiceMonitor",
})  # fmt: skip


def instance_rules() -> list[Rule]:
    """In every namespace with instances."""
    return [
        _rule(INSTANCE.group, [INSTANCE.plural], [*_READ, "patch"]),
        _rule(INSTANCE.group, [f"{INSTANCE.plural}/status"], ["patch"]),
        _rule(EVENT.group, [EVENT.plural], ["create"]),
        _rule("", ["pods"], _READ),
        *_grouped((kind, _verbs(kind)) for kind in WRITTEN),
    ]


def cluster_rules() -> list[Rule]:
    """Everywhere: whether a class that a spec names is there, or a Gateway, which is often in another namespace."""
    return _grouped((kind, ("get",)) for kind in NAMED)


def lease_rules(name: str) -> list[Rule]:
    """In the operator's own namespace."""
    # Who may create cannot be held to a name: there is none yet.
    return [
        _rule(LEASE.group, [LEASE.plural], ["create"]),
        {**_rule(LEASE.group, [LEASE.plural], ["get", "update"]), "resourceNames": [name]},
    ]


def _verbs(kind: Kind) -> tuple[str, ...]:
    if kind.kind == "PersistentVolumeClaim":
        return (*_READ, "patch")  # made by the StatefulSet's controller; the operator enlarges it
    return (*_WRITE, "delete") if kind.kind in DELETED else _WRITE


def _grouped(wanted: Iterable[tuple[Kind, tuple[str, ...]]]) -> list[Rule]:
    rules: defaultdict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for kind, verbs in wanted:
        rules[kind.group, verbs].append(kind.plural)
    return [_rule(group, plurals, verbs) for (group, verbs), plurals in rules.items()]


def _rule(group: str, resources: list[str], verbs: Iterable[str]) -> Rule:
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}
