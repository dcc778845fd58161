"""The conditions of every instance as a metric, so that an alert can ask for one that has been False too long; and the
age of its scanner's signatures.

The samples are made when they are asked for: kept as a Gauge, those of a thousand instances take 20 MB.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bilten_operator.cluster.cache import Key

_STATUSES = ("True", "False", "Unknown")


class _Conditions(Collector):
    """The status of each condition, by instance and type."""

    def __init__(self) -> None:
        self.told: dict[Key, dict[str, str]] = {}
        self.made_at: dict[Key, datetime] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "bilten_instance_condition", "1 for the status that a condition of an instance has.",
            labels=["namespace", "name", "type", "status"],
        )  # fmt: skip
        for key, conditions in self.told.items():
            for kind, status in conditions.items():
                for value in _STATUSES:
                    family.add_metric([*key, kind, value], float(status == value))
        yield family
        ages = GaugeMetricFamily(
            "bilten_instance_signatures_age_seconds", "How old the signatures of an instance's scanner are.",
            labels=["namespace", "name"],
        )  # fmt: skip
        now = datetime.now(UTC)
        for key, made_at in self.made_at.items():
            ages.add_metric([*key], (now - made_at).total_seconds())
        yield ages


_conditions = _Conditions()
REGISTRY.register(_conditions)


def tell_conditions(key: Key, status: dict[str, Any]) -> None:
    """1 for the status that a condition has, 0 for the others; and the age of signatures that is told."""
    _conditions.told[key] = {condition["type"]: condition["status"] for condition in status.get("conditions", [])}
    made_at = status.get("scanner", {}).get("signaturesMadeAt")
    if made_at:
        _conditions.made_at[key] = datetime.fromisoformat(made_at)
    else:
        _conditions.made_at.pop(key, None)


def forget_conditions(key: Key) -> None:
    """The instance is gone."""
    _conditions.told.pop(key, None)
    _conditions.made_at.pop(key, None)
