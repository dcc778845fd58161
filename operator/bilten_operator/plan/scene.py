"""The instance among what is observed: short questions that several steps ask."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bilten_operator.plan.drift import digest
from bilten_operator.plan.model import ActionResult, Manifest, Observed, OperatorConfig, Randomness, Ref
from bilten_operator.resources import pods, policies, settings
from bilten_operator.resources import secrets as generated
from bilten_operator.resources.instance import COMPONENT, INSTANCE, Instance

SECRET = "Secret"  # noqa: S105 a kind
#: What does not change the objects of an instance.
_WITHOUT_EFFECT = ("paused", "driftPolicy")

_API_VERSIONS = {
    "Secret": "v1",
    "ConfigMap": "v1",
    "Pod": "v1",
    "PersistentVolumeClaim": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "Cluster": "postgresql.cnpg.io/v1",
    "Pooler": "postgresql.cnpg.io/v1",
    "ScheduledBackup": "postgresql.cnpg.io/v1",
    "ObjectStore": "barmancloud.cnpg.io/v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
}


@dataclass(frozen=True)
class Scene:
    """One instance, at one moment."""

    resource: Manifest
    instance: Instance
    observed: Observed
    now: datetime
    operator: OperatorConfig
    randomness: Randomness

    def ref(self, kind: str, name: str) -> Ref:
        """Names an object in the instance's namespace."""
        return Ref(_API_VERSIONS[kind], kind, self.instance.namespace, name)

    def find(self, kind: str, name: str) -> Manifest | None:
        """An object in the instance's namespace."""
        return self.observed.objects.get(self.ref(kind, name))

    def of_kind(self, kind: str) -> Iterator[Manifest]:
        """All objects of that kind that belong to the instance."""
        for ref, found in self.observed.objects.items():
            here = ref.kind == kind and ref.namespace == self.instance.namespace
            if here and found["metadata"].get("labels", {}).get(INSTANCE) == self.instance.name:
                yield found

    def pods(self, component: str) -> list[Manifest]:
        """The pods of a component that are not being deleted, oldest first."""
        found = (
            pod for pod in self.of_kind("Pod")
            if pod["metadata"]["labels"].get(COMPONENT) == component and "deletionTimestamp" not in pod["metadata"]
        )  # fmt: skip
        return sorted(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))

    def knows(self, group: str, kind: str) -> bool:
        """Whether the cluster knows this kind."""
        return (group, kind) not in self.observed.missing_kinds

    def secret(self, name: str, key: str) -> str | None:
        """What a Secret holds under a key; None when either is missing or it is no text."""
        found = self.find(SECRET, name)
        encoded = (found or {}).get("data", {}).get(key)
        if not encoded:
            return None
        try:
            return base64.b64decode(encoded).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None

    def secret_hash(self, *names: str) -> str:
        """A hash of what these Secrets hold."""
        found = [self.find(SECRET, name) for name in names]
        return digest([secret and secret.get("data") for secret in found])

    def result(self, key: str) -> ActionResult | None:
        """What became of an action's latest try."""
        return self.observed.results.get(key)

    def inputs(self, *secrets: str) -> str:
        """A hash of what the instance's objects follow from."""
        spec = {key: value for key, value in self.resource["spec"].items() if key not in _WITHOUT_EFFECT}
        return digest([spec, self.secret_hash(*secrets) if secrets else ""])

    @property
    def generation(self) -> int:
        """Generation of the spec."""
        generation: int = self.resource["metadata"].get("generation", 0)
        return generation

    @property
    def data_owner(self) -> str:
        """Whose the data is: this instance's, or that of the earlier one of its name that left it behind."""
        keys = self.find(SECRET, self.instance.keys)
        annotations: dict[str, str] = keys["metadata"].get("annotations", {}) if keys else {}
        return annotations.get(generated.DATA_OWNER, self.instance.uid)

    @property
    def database_port(self) -> int:
        """TCP port of the database."""
        secret, key = settings.database_secret(self.instance)
        if self.instance.spec.database.managed:
            return policies.POSTGRES_PORT
        try:
            return urlsplit(self.secret(secret, key) or "").port or policies.POSTGRES_PORT
        except ValueError:
            return policies.POSTGRES_PORT


def condition(observed: Manifest | None, kind: str) -> dict[str, Any]:
    """A condition of an object; empty when it has none of that type."""
    conditions: list[dict[str, Any]] = (observed or {}).get("status", {}).get("conditions") or []
    return next((found for found in conditions if found.get("type") == kind), {})


def content_hash(*contents: Any) -> str:
    """The annotation that makes pods new when what they read at their start has changed."""
    return digest([pods.CONTENT_HASH, *contents])
