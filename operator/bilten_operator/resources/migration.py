"""The Job that brings the database's schema to what an image needs: one per image, never changed, its log kept.

Where sample data is wanted it inserts that, too: the service does so only where it migrates by itself.
"""

from typing import Any

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
    steps = [_run(instance, "migrate", settings.database_address(instance, pooled=False))]
    if instance.seeded:
        # It reads all settings of the service, though it needs few.
        plain = [{"name": name, "value": value} for name, value in settings.environment(instance).items()]
        steps.append(_run(instance, "seed", [*plain, *settings.secret_variables(instance, pooled=False)]))
    before: dict[str, Any] = {"initContainers": steps[:-1]} if steps[:-1] else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": instance.metadata(instance.migration, COMPONENT),
        "spec": {
            "backoffLimit": _TRIES - 1,
            "activeDeadlineSeconds": deadline_s(instance),
            "template": pods.template(
                instance, COMPONENT, operator, containers=steps[-1:], restartPolicy="Never", **before
            ),
        },
    }


def _run(instance: Instance, command: str, environment: list[Manifest]) -> Manifest:
    return pods.container(
        command,
        instance.spec.image,
        resources={"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": "768Mi"}},
        args=[command],
        env=environment,
    )
