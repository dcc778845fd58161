"""One instance as the builders see it: its effective spec, the names that follow from it, whose its objects are."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bilten_operator.api import names
from bilten_operator.api.database import ManagedDatabase
from bilten_operator.api.exposure import Gateway
from bilten_operator.api.instance import GROUP, KIND, VERSION
from bilten_operator.api.object_storage import ManagedStore
from bilten_operator.api.operations import Backup
from bilten_operator.api.spec import Spec, effective

Manifest = dict[str, Any]

MANAGER = "bilten-operator"
#: Bilten's own; `managed-by` is what the operator's watches select by.
MANAGED_BY = "app.kubernetes.io/managed-by"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"


T = TypeVar("T")


def _there(part: T | None) -> T:
    """A part of the spec that the planner has seen before it asked for what is built from it."""
    if part is None:
        raise LookupError("this is built from a part of the spec that is not there: a bug of the planner")
    return part


@dataclass(frozen=True)
class Instance:
    """What a builder needs to know of the BiltenInstance."""

    namespace: str
    name: str
    uid: str
    spec: Spec

    @classmethod
    def read(cls, resource: Mapping[str, Any]) -> "Instance":
        """From the API object. Raises pydantic's ValidationError where the CRD would have refused the spec."""
        metadata = resource["metadata"]
        return cls(metadata["namespace"], metadata["name"], metadata["uid"], effective(resource["spec"]))

    @property
    def managed_database(self) -> ManagedDatabase:
        """The database that the operator runs. Only for builders of its parts."""
        return _there(self.spec.database.managed)

    @property
    def managed_store(self) -> ManagedStore:
        """The object store that the operator runs. Only for builders of its parts."""
        return _there(self.spec.object_storage.managed)

    @property
    def gateway(self) -> Gateway:
        """The Gateway that the API is reached through. Only for builders of what hangs on it."""
        return _there(self.spec.exposure.gateway)

    @property
    def wanted_backup(self) -> Backup:
        """How backups are made. Only for builders of their parts."""
        return _there(self.spec.backup)

    @property
    def buckets(self) -> names.Buckets:
        """What its buckets are called."""
        return names.buckets(self.namespace, self.name)

    @property
    def keys(self) -> str:
        """Secret that signs tokens and cursors."""
        return f"{self.name}-keys"

    @property
    def settings(self) -> str:
        """ConfigMap with the service's settings."""
        return f"{self.name}-settings"

    @property
    def database(self) -> str:
        """CloudNativePG's Cluster."""
        return f"{self.name}-db"

    @property
    def pooler(self) -> str:
        """PgBouncer before it."""
        return f"{self.name}-pooler"

    @property
    def object_store(self) -> str:
        """The managed store: its StatefulSet and its Service."""
        return f"{self.name}{names.OBJECT_STORE}"

    @property
    def store_admin(self) -> str:
        """Secret of the managed store's own account."""
        return f"{self.name}-objects-admin"

    @property
    def store_user(self) -> str:
        """Secret of the account that the service uses the store with."""
        if self.spec.object_storage.external:
            return self.spec.object_storage.external.secret_ref.name
        return f"{self.name}-s3"

    @property
    def backup_user(self) -> str:
        """Secret of the account that backups are written with."""
        if self.spec.backup and self.spec.backup.object_storage:
            return self.spec.backup.object_storage.secret_ref.name
        return f"{self.name}-backup-s3" if self.spec.object_storage.mode == "Managed" else self.store_user

    @property
    def api(self) -> str:
        """Deployment and Service of the API."""
        return f"{self.name}-api"

    @property
    def worker(self) -> str:
        """Deployment of the worker."""
        return f"{self.name}-worker"

    @property
    def scanner(self) -> str:
        """Shared clamd, and its configuration."""
        return f"{self.name}-scanner"

    @property
    def migration(self) -> str:
        """The migration Job of this image; another one where it inserts the sample data, too."""
        wanted = f"{self.spec.image} seed" if self.seeded else self.spec.image
        return f"{self.name}-migrate-{hashlib.sha256(wanted.encode()).hexdigest()[:10]}"

    @property
    def seeded(self) -> bool:
        """Whether the sample data is inserted: what the service itself does at its start where it migrates itself."""
        said = self.spec.config.seed if self.spec.config else None
        return self.spec.environment == "development" if said is None else said

    def selector(self, component: str) -> dict[str, str]:
        """The labels that tell a component's pods from all others. Never to be changed: selectors cannot be."""
        return {"app.kubernetes.io/name": "bilten", INSTANCE: self.name, COMPONENT: component}

    def labels(self, component: str) -> dict[str, str]:
        """Labels of every object of the component. No version: an upgrade of the operator restarts nothing."""
        return {**self.selector(component), "app.kubernetes.io/part-of": "bilten", MANAGED_BY: MANAGER}

    def metadata(self, name: str, component: str, *, data: bool = False) -> Manifest:
        """Metadata of one of its objects. What bears data belongs to it only if it is to be deleted with it."""
        made: Manifest = {"name": name, "namespace": self.namespace, "labels": self.labels(component)}
        if not data or self.spec.deletion_policy == "Delete":
            made["ownerReferences"] = [self.owner()]
        return made

    def owner(self) -> Manifest:
        """The owner reference that lets Kubernetes delete an object together with the instance."""
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": KIND,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
            "blockOwnerDeletion": False,
        }
