"""The conditions of instances, as Prometheus reads them."""

from bilten_operator.cluster.cache import Key
from bilten_operator.cluster.conditions_metric import forget_conditions, tell_conditions
from prometheus_client import REGISTRY

KEY = Key("shop", "bilten")


def told(kind: str, status: str) -> float | None:
    labels = {"namespace": KEY.namespace, "name": KEY.name, "type": kind, "status": status}
    return REGISTRY.get_sample_value("bilten_instance_condition", labels)


def test_a_condition_is_1_for_the_status_that_it_has_until_the_instance_is_gone():
    tell_conditions(KEY, {"conditions": [{"type": "Ready", "status": "False"}]})
    assert [told("Ready", status) for status in ("True", "False", "Unknown")] == [0, 1, 0]
    tell_conditions(KEY, {"conditions": [{"type": "Ready", "status": "True"}]})
    assert [told("Ready", status) for status in ("True", "False", "Unknown")] == [1, 0, 0]
    forget_conditions(KEY)
    forget_conditions(KEY)
    assert told("Ready", "True") is None
