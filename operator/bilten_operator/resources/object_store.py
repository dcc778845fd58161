"""The managed object store: one MinIO on one volume."""

from bilten_operator.resources import pods
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.settings import STORE_PORT

COMPONENT = "objects"
_USER = 1000
_VOLUME = "data"

_RESOURCES = {
    "development": ("50m", "192Mi", "1Gi"),
    "staging": ("250m", "512Mi", "2Gi"),
    "production": ("500m", "1Gi", "4Gi"),
}


def claim_name(instance: Instance) -> str:
    """The PersistentVolumeClaim that Kubernetes makes for the StatefulSet's one pod."""
    return f"{_VOLUME}-{instance.object_store}-0"


def stateful_set(instance: Instance, operator: OperatorConfig, *, content_hash: str, claimed: str | None) -> Manifest:
    """MinIO's StatefulSet.

    `claimed` is the size that the claim template has already: Kubernetes lets nobody change it, so a larger volume is
    asked of the claim itself.
    """
    managed = instance.managed_store
    cpu, memory, most = _RESOURCES[instance.spec.environment]
    environment = [
        pods.from_secret("MINIO_ROOT_USER", instance.store_admin, "accessKey"),
        pods.from_secret("MINIO_ROOT_PASSWORD", instance.store_admin, "secretKey"),
        {"name": "MINIO_BROWSER", "value": "off"},
        {"name": "MINIO_UPDATE", "value": "off"},
        # Where it looks for certificates; its own home cannot be written.
        {"name": "HOME", "value": "/tmp"},  # noqa: S108 an emptyDir of its own
    ]
    origins = instance.spec.config.cors_origins if instance.spec.config else None
    if origins:
        environment.append({"name": "MINIO_API_CORS_ALLOW_ORIGIN", "value": ",".join(origins)})
    container = pods.container(
        "minio",
        operator.minio_image,
        resources={"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}},
        command=["minio", "server", "/data", "--address", f":{STORE_PORT}"],
        env=environment,
        ports=[{"name": "s3", "containerPort": STORE_PORT, "protocol": "TCP"}],
        startupProbe=pods.http_probe("/minio/health/live", "s3", period_s=1, failures=120),
        readinessProbe=pods.http_probe("/minio/health/ready", "s3", period_s=5),
        livenessProbe=pods.http_probe("/minio/health/live", "s3", period_s=15),
        volumeMounts=[{"name": _VOLUME, "mountPath": "/data"}],
    )
    claim: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": claimed or managed.size}},
    }
    if managed.class_name:
        claim["storageClassName"] = managed.class_name
    deleted = "Delete" if instance.spec.deletion_policy == "Delete" else "Retain"
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": instance.metadata(instance.object_store, COMPONENT, data=True),
        "spec": {
            "replicas": 1,
            # Otherwise a pod that never became ready, as its image could not be pulled, is not replaced by a new one.
            "podManagementPolicy": "Parallel",
            "serviceName": instance.object_store,
            "selector": {"matchLabels": instance.selector(COMPONENT)},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": deleted, "whenScaled": "Retain"},
            "template": pods.template(
                instance,
                COMPONENT,
                operator,
                containers=[container],
                user=_USER,
                annotations={pods.CONTENT_HASH: content_hash},
                terminationGracePeriodSeconds=30,
            ),
            "volumeClaimTemplates": [
                {"metadata": {"name": _VOLUME, "labels": instance.labels(COMPONENT)}, "spec": claim}
            ],
        },
    }


def larger_claim(instance: Instance) -> Manifest:
    """The size that the volume is to have, asked of the claim itself."""
    managed = instance.managed_store
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": claim_name(instance), "namespace": instance.namespace},
        "spec": {"resources": {"requests": {"storage": managed.size}}},
    }


def service(instance: Instance) -> Manifest:
    """Where pods reach it."""
    return pods.service(instance, instance.object_store, COMPONENT, ports={"s3": (STORE_PORT, "s3")}, data=True)
