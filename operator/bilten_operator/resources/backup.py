"""Backups of the managed database through CloudNativePG's barman plugin; the in-tree way ends with its 1.31."""

from datetime import datetime

from bilten_operator.resources import cron, settings
from bilten_operator.resources.instance import Instance, Manifest

PLUGIN = "barman-cloud.cloudnative-pg.io"
#: The plugin's container in the pods of the database.
SIDECAR = "plugin-barman-cloud"
COMPONENT = "database"


def endpoint(instance: Instance) -> str:
    """Address of the store that keeps the backups."""
    own = instance.spec.backup.object_storage if instance.spec.backup else None
    return own.endpoint.rstrip("/") if own else settings.store_endpoint(instance)


def region(instance: Instance) -> str:
    """Region of the store that keeps the backups."""
    own = instance.spec.backup.object_storage if instance.spec.backup else None
    return own.region if own else settings.region(instance)


def object_store(instance: Instance) -> Manifest:
    """Where backups and the write-ahead log go, and how long they stay."""
    secret = instance.backup_user
    return {
        "apiVersion": "barmancloud.cnpg.io/v1",
        "kind": "ObjectStore",
        "metadata": instance.metadata(instance.database, COMPONENT, data=True),
        "spec": {
            "retentionPolicy": instance.wanted_backup.retention,
            "configuration": {
                "destinationPath": f"s3://{instance.buckets.backup}/",
                "endpointURL": endpoint(instance),
                "s3Credentials": {
                    "accessKeyId": {"name": secret, "key": "accessKey"},
                    "secretAccessKey": {"name": secret, "key": "secretKey"},
                },
                "wal": {"compression": "gzip"},
                "data": {"compression": "gzip"},
            },
            "instanceSidecarConfiguration": {
                "env": [{"name": "AWS_DEFAULT_REGION", "value": region(instance)}],
                # Without a limit a backup of a large database takes the node's memory.
                "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
            },
        },
    }


def schedules(instance: Instance, now: datetime) -> list[Manifest]:
    """The ScheduledBackups: one, or several where the time zone's offset tears the schedule apart."""
    wanted = instance.wanted_backup
    translated = cron.translate(wanted.schedule, wanted.time_zone, now)
    return [
        {
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "ScheduledBackup",
            "metadata": instance.metadata(f"{instance.database}{f'-{number}' if number else ''}", COMPONENT),
            "spec": {
                "schedule": schedule.six_fields(),
                "cluster": {"name": instance.database},
                # CloudNativePG's own default is the way that goes away.
                "method": "plugin",
                "pluginConfiguration": {"name": PLUGIN},
                # The first one now: until then there is nothing to recover from.
                "immediate": number == 0,
                "suspend": wanted.suspend,
                "backupOwnerReference": "cluster",
            },
        }
        for number, schedule in enumerate(translated)
    ]
