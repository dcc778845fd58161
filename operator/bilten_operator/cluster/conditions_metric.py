"""The conditions of every instance as a metric, so that an alert can ask for one that has been False too long."""

from typing import Any

from bilten_operator.cluster.cache import Key
from bilten_operator.metrics import CONDITION

_STATUSES = ("True", "False", "Unknown")


def tell_conditions(key: Key, status: dict[str, Any]) -> None:
    """1 for the status that a condition has, 0 for the others."""
    for condition in status.get("conditions", []):
        for value in _STATUSES:
            CONDITION.labels(key.namespace, key.name, condition["type"], value).set(condition["status"] == value)


def forget_conditions(key: Key) -> None:
    """The instance is gone."""
    CONDITION.remove_by_labels({"namespace": key.namespace, "name": key.name})
