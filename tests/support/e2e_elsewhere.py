"""What an instance uses of others, in a namespace of its own: an S3 for backups, a mirror for virus signatures."""

import json
from dataclasses import dataclass

from support.e2e_cluster import Cluster, Object

NAMESPACE = "bilten-e2e-elsewhere"
_S3_PORT, _HTTP_PORT = 9000, 8080
_ACCOUNT = {"accessKey": "backups-elsewhere", "secretKey": "a-key-of-the-store-elsewhere"}
_SIGNATURES = "/signatures"
_TMP = "/tmp"  # noqa: S108 - an emptyDir of the pod's own

_LIST = """
import json, sys
from minio import Minio
address, access, secret, bucket = json.loads(sys.argv[1])
store = Minio(address, access_key=access, secret_key=secret, secure=False)
print(json.dumps([found.object_name for found in store.list_objects(bucket, recursive=True)]))
"""


@dataclass(frozen=True)
class Elsewhere:
    """That namespace."""

    cluster: Cluster

    @property
    def store(self) -> str:
        """Address of the S3."""
        return f"http://store.{NAMESPACE}.svc:{_S3_PORT}"

    @property
    def mirror(self) -> str:
        """Address of the mirror."""
        return f"http://mirror.{NAMESPACE}.svc:{_HTTP_PORT}"

    def install(self, *, minio_image: str, python_image: str) -> None:
        """Make it all."""
        self.cluster.make_namespace(NAMESPACE)
        environment = [
            {"name": "MINIO_ROOT_USER", "value": _ACCOUNT["accessKey"]},
            {"name": "MINIO_ROOT_PASSWORD", "value": _ACCOUNT["secretKey"]},
            {"name": "HOME", "value": _TMP},
        ]
        serve = ["python", "-m", "http.server", str(_HTTP_PORT), "--directory", _SIGNATURES]
        self.cluster.apply(
            *_server("store", minio_image, _S3_PORT, command=["minio", "server", "/data"], env=environment),
            *_server("mirror", python_image, _HTTP_PORT, command=serve),
        )
        for name in ("store", "mirror"):
            self.cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=120s", namespace=NAMESPACE)

    def give_account(self, namespace: str, secret: str) -> None:
        """A Secret with the account of the S3."""
        made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret, "namespace": namespace}}
        self.cluster.apply({**made, "stringData": _ACCOUNT})

    def objects(self, bucket: str) -> list[str]:
        """What is in a bucket of the S3."""
        told = json.dumps([self.store.removeprefix("http://"), *_ACCOUNT.values(), bucket])
        found: list[str] = json.loads(
            self.cluster.execute("deployment/mirror", "python", "-c", _LIST, told, namespace=NAMESPACE)
        )
        return found

    def publish(self, name: str, content: str) -> None:
        """Put a file of signatures onto the mirror."""
        write = f"cat > {_SIGNATURES}/.new && mv {_SIGNATURES}/.new {_SIGNATURES}/{name}"
        self.cluster.execute("deployment/mirror", "sh", "-c", write, namespace=NAMESPACE, stdin=content)


def _server(name: str, image: str, port: int, **container: object) -> tuple[Object, Object]:
    labels = {"app": name}
    volumes = {"data": "/data", "tmp": _TMP, "signatures": _SIGNATURES}
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": name, "image": image, **container,
                "securityContext": {
                    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "ports": [{"containerPort": port}],
                "readinessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1},
                "volumeMounts": [{"name": volume, "mountPath": path} for volume, path in volumes.items()],
            }
        ],
        "volumes": [{"name": volume, "emptyDir": {}} for volume in volumes],
    }  # fmt: skip
    metadata = {"name": name, "namespace": NAMESPACE}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return (
        {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        },
        {
            "apiVersion": "v1", "kind": "Service", "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": port, "targetPort": port}]},
        },
    )  # fmt: skip
