"""The Job that brings the database's schema to what an image needs: one per image, never changed, its log kept."""

from bilten_operator.resources import pods, settings
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig

COMPONENT = "migration"
_UNITS = {"s": 1, "m": 60, "h": 3600}
#: A database that is still starting refuses connections: the pod is tried again.
_TRIES = 4


def deadline_s(instance: Instance) -> int:
    """Longest that all tries together may take, in seconds."""
    deadline = instance.spec.migrations.deadline
    return int(deadline[:-1]) * _UNITS[deadline[-1]]


def job(instance: Instance, operator: OperatorConfig) -> Manifest:
    """The migration Job of this image."""
    container = pods.container(
        "migrate",
        instance.spec.image,
        resources={"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": "768Mi"}},
        args=["migrate"],
        env=settings.database_address(instance, pooled=False),
        # What it said last is then in the pod's status, and so in the instance's.
        terminationMessagePolicy="FallbackToLogsOnError",
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": instance.metadata(instance.migration, COMPONENT),
        "spec": {
            "backoffLimit": _TRIES - 1,
            "activeDeadlineSeconds": deadline_s(instance),
            "template": pods.template(instance, COMPONENT, operator, containers=[container], restartPolicy="Never"),
        },
    }
