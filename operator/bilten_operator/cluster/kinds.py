"""The kinds the operator touches, and where the API server has them.

Written down instead of discovered: discovery downloads the whole API at every start and keeps a file of it, where a
kind that is not installed is simply a 404.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of object, and what it is called in addresses."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True
    #: Of another project, so perhaps not installed.
    optional: bool = False

    def path(self, namespace: str | None = None, name: str | None = None, part: str | None = None) -> str:
        """Path of one object, of a part of it, or of all of them."""
        root = "/api/" if "/" not in self.api_version else "/apis/"
        parts = [f"{root}{self.api_version}"]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts += [piece for piece in (self.plural, name, part) if piece]
        return "/".join(parts)

    @property
    def group(self) -> str:
        """API group; empty for the core."""
        return self.api_version.rpartition("/")[0]


INSTANCE = Kind("bilten.io/v1alpha1", "BiltenInstance", "bilteninstances")
EVENT = Kind("v1", "Event", "events")
LEASE = Kind("coordination.k8s.io/v1", "Lease", "leases")
SECRET = Kind("v1", "Secret", "secrets")

#: What an instance may consist of: watched by label, written by server-side apply.
WRITTEN = (
    SECRET,
    Kind("v1", "ConfigMap", "configmaps"),
    Kind("v1", "Service", "services"),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    Kind("apps/v1", "Deployment", "deployments"),
    Kind("apps/v1", "StatefulSet", "statefulsets"),
    Kind("batch/v1", "Job", "jobs"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes", optional=True),
    Kind("postgresql.cnpg.io/v1", "Cluster", "clusters", optional=True),
    Kind("postgresql.cnpg.io/v1", "Pooler", "poolers", optional=True),
    Kind("postgresql.cnpg.io/v1", "ScheduledBackup", "scheduledbackups", optional=True),
    Kind("barmancloud.cnpg.io/v1", "ObjectStore", "objectstores", optional=True),
    Kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors", optional=True),
    Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors", optional=True),
    Kind("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules", optional=True),
)

#: Watched by label, too: made by others from what the operator wrote, and why it waits.
CHILDREN = (*WRITTEN, Kind("v1", "Pod", "pods"))

#: What the spec may name without its being ours: read by name, never written.
NAMED = (
    Kind("networking.k8s.io/v1", "IngressClass", "ingressclasses", namespaced=False),
    Kind("gateway.networking.k8s.io/v1", "Gateway", "gateways", optional=True),
    Kind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False),
)

_BY_NAME = {(kind.api_version, kind.kind): kind for kind in (INSTANCE, EVENT, LEASE, *CHILDREN, *NAMED)}


def kind_of(api_version: str, kind: str) -> Kind:
    """The kind of a manifest. Raises KeyError for one that no table here has: add it, and to the RBAC rules."""
    return _BY_NAME[api_version, kind]
