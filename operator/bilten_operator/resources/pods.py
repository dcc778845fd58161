"""What all pods have in common: they pass Pod Security `restricted`, and know nothing of the API server."""

from typing import Any, Literal

from bilten_operator.api.workloads import Resources
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig

#: User and group of the service's image.
SERVICE_USER = 10001

#: Content of Secrets and ConfigMaps that a pod reads at its start: another hash, another pod.
CONTENT_HASH = "bilten.io/content-hash"


def amounts(resources: Resources) -> Manifest:
    """Requests and limits as Kubernetes spells them."""
    return resources.model_dump(by_alias=True, exclude_none=True)


def container(
    name: str,
    image: str,
    *,
    resources: Manifest,
    writable_root: bool = False,
    user: tuple[int, int] | None = None,
    tmp: str = "tmp",
    **more: Any,
) -> Manifest:
    """A container with nothing but its own files, /tmp and what `more` mounts; `user` and group if not the pod's.

    `tmp` is the volume that is its /tmp.
    """
    mounts = [{"name": tmp, "mountPath": "/tmp"}, *more.pop("volumeMounts", [])]  # noqa: S108 an emptyDir of its own
    security: Manifest = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": not writable_root,
        "capabilities": {"drop": ["ALL"]},
    }
    if user:
        security |= {"runAsUser": user[0], "runAsGroup": user[1]}
    return {
        "name": name,
        "image": image,
        "resources": resources,
        "securityContext": security,
        "volumeMounts": mounts,
        **more,
    }


def template(
    instance: Instance,
    component: str,
    operator: OperatorConfig,
    *,
    containers: list[Manifest],
    user: int = SERVICE_USER,
    group: int | None = None,
    volumes: list[Manifest] | None = None,
    annotations: dict[str, str] | None = None,
    tmp_size: str = "256Mi",
    **more: Any,
) -> Manifest:
    """A pod template. Its labels and annotations hold nothing that changes with the operator's version.

    `tmp_size`: a pod that puts more into /tmp is evicted.
    """
    spec: Manifest = {
        "automountServiceAccountToken": False,
        # A Service called `bilten` would set BILTEN_PORT in every pod of the namespace.
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": group or user,
            "fsGroup": group or user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": tmp_size}}, *(volumes or [])],
        **more,
    }
    if operator.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in operator.image_pull_secrets]
    metadata: Manifest = {"labels": instance.labels(component)}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": spec}


def spread(instance: Instance, component: str) -> list[Manifest]:
    """Pods go to different zones and nodes where there are several, and start all the same where there are not."""
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": instance.selector(component)},
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


def http_probe(path: str, port: int | str, *, period_s: int, timeout_s: int = 5, failures: int = 3) -> Manifest:
    """A probe over HTTP."""
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period_s,
        "timeoutSeconds": timeout_s,
        "failureThreshold": failures,
    }


def from_secret(variable: str, secret: str, key: str) -> Manifest:
    """An environment variable whose value is in a Secret."""
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def deployment(
    instance: Instance,
    name: str,
    component: str,
    *,
    pods: Manifest,
    replicas: int | None,
    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate",
) -> Manifest:
    """A Deployment. Without `replicas` an autoscaler decides."""
    spec: Manifest = {
        "selector": {"matchLabels": instance.selector(component)},
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": strategy},
        "template": pods,
    }
    if strategy == "RollingUpdate":
        spec["strategy"]["rollingUpdate"] = {"maxUnavailable": 0, "maxSurge": 1}
    if replicas is not None:
        spec["replicas"] = replicas
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": instance.metadata(name, component),
        "spec": spec,
    }


def service(
    instance: Instance, name: str, component: str, *, ports: dict[str, tuple[int, int | str]], data: bool = False
) -> Manifest:
    """A Service: name of the port → its number, and the pods' port."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": instance.metadata(name, component, data=data),
        "spec": {
            "selector": instance.selector(component),
            "ports": [
                {"name": port, "port": number, "targetPort": target, "protocol": "TCP"}
                for port, (number, target) in ports.items()
            ],
        },
    }
