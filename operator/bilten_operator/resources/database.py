"""The managed database: CloudNativePG's Cluster, and PgBouncer before it."""

from bilten_operator.api.database import Pooler
from bilten_operator.resources import backup
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig

COMPONENT = "database"
_API = "postgresql.cnpg.io/v1"

#: What a Postgres instance gets, by environment: requests, and the most memory.
_RESOURCES = {
    "development": ("100m", "256Mi", "1Gi"),
    "staging": ("500m", "1Gi", "2Gi"),
    "production": ("1", "2Gi", "4Gi"),
}

#: What the service asks of its sessions. PgBouncer refuses connections that say what it does not know.
_OF_SESSIONS = (
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "jit",
    "default_transaction_read_only",
)


def cluster(instance: Instance, operator: OperatorConfig) -> Manifest:
    """The Cluster. Its data outlives the instance unless the deletion policy says otherwise."""
    managed = instance.managed_database
    cpu, memory, most = _RESOURCES[instance.spec.environment]
    storage: Manifest = {"size": managed.storage.size}
    if managed.storage.class_name:
        storage["storageClass"] = managed.storage.class_name
    postgresql: Manifest = {"parameters": dict(managed.parameters)}
    if managed.instances > 1:
        # Preferred: a lost standby must not stop the writes.
        postgresql["synchronous"] = {"method": "any", "number": 1, "dataDurability": "preferred"}
    spec: Manifest = {
        "instances": managed.instances,
        "storage": storage,
        "bootstrap": {"initdb": {"database": "bilten", "owner": "bilten"}},
        "postgresql": postgresql,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}},
        "enablePDB": managed.instances > 1,
        "primaryUpdateStrategy": "unsupervised",
        # A smart shutdown waits until clients leave by themselves, and refuses new ones meanwhile. Pools never leave.
        "smartShutdownTimeout": 0,
        # Not our other labels: CloudNativePG has its own values for them, and what it makes is not ours.
        "inheritedMetadata": {"labels": {"app.kubernetes.io/part-of": "bilten"}},
    }
    if operator.postgres_image:
        spec["imageName"] = operator.postgres_image
    if operator.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in operator.image_pull_secrets]
    if instance.spec.backup:
        spec["plugins"] = [
            {
                "name": backup.PLUGIN,
                "isWALArchiver": True,
                "parameters": {"barmanObjectName": instance.database, "serverName": instance.database},
            }
        ]
    return {
        "apiVersion": _API,
        "kind": "Cluster",
        "metadata": instance.metadata(instance.database, COMPONENT, data=True),
        "spec": spec,
    }


def pooler(instance: Instance, wanted: Pooler) -> Manifest:
    """PgBouncer, a pod per instance of it, in front of the primary."""
    return {
        "apiVersion": _API,
        "kind": "Pooler",
        "metadata": instance.metadata(instance.pooler, "pooler"),
        "spec": {
            "cluster": {"name": instance.database},
            "type": "rw",
            "instances": wanted.instances,
            "pgbouncer": {
                "poolMode": "transaction",
                "parameters": {
                    # The service's driver prepares statements, and says these as it connects.
                    "max_prepared_statements": "500",
                    "ignore_startup_parameters": ",".join(_OF_SESSIONS),
                },
            },
        },
    }
