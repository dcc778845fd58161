"""The planner, with what it cannot have by itself: the operator's configuration and real randomness."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from bilten_operator.cluster.randomness import SystemRandomness
from bilten_operator.cluster.reconcile import Planner
from bilten_operator.plan import needs
from bilten_operator.plan.model import Observed, OperatorConfig, Plan, Ref
from bilten_operator.plan.planner import plan

Object = dict[str, Any]


def planner(operator: OperatorConfig) -> Planner:
    """Plans for this operator."""
    randomness = SystemRandomness()

    def make(instance: Object, observed: Observed, now: datetime) -> Plan:
        return plan(instance, observed, now=now, operator=operator, randomness=randomness)

    return make


def references(instance: Object) -> Iterable[Ref]:
    """The objects of others to observe. None of a spec that is invalid: the plan says what is wrong with it."""
    try:
        return needs.references(instance)
    except ValidationError:
        return ()
