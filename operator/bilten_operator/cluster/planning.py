"""The planner, with what it cannot have by itself: the operator's configuration and real randomness."""

from datetime import datetime
from typing import Any

from bilten_operator.cluster.randomness import SystemRandomness
from bilten_operator.cluster.reconcile import Planner
from bilten_operator.plan.model import Observed, OperatorConfig, Plan, Randomness
from bilten_operator.plan.planner import plan

Object = dict[str, Any]


def planner(operator: OperatorConfig, randomness: Randomness | None = None) -> Planner:
    """Plans for this operator."""
    source = randomness or SystemRandomness()

    def make(instance: Object, observed: Observed, now: datetime) -> Plan:
        return plan(instance, observed, now=now, operator=operator, randomness=source)

    return make
