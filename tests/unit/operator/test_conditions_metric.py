"""The conditions of instances, as Prometheus reads them."""

from datetime import UTC, datetime, timedelta

import pytest
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


def test_the_age_of_signatures_is_told_as_long_as_it_is_known():
    def age_s() -> float | None:
        labels = {"namespace": KEY.namespace, "name": KEY.name}
        return REGISTRY.get_sample_value("bilten_instance_signatures_age_seconds", labels)

    day_ago = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tell_conditions(KEY, {"scanner": {"engine": "clamav 1.4.3", "signatures": "1", "signaturesMadeAt": day_ago}})
    assert age_s() == pytest.approx(86400, abs=60)
    tell_conditions(KEY, {"scanner": {"engine": "clamav 1.4.3", "signatures": "unnumbered"}})
    assert age_s() is None
    tell_conditions(KEY, {"scanner": {"engine": "clamav 1.4.3", "signatures": "1", "signaturesMadeAt": day_ago}})
    forget_conditions(KEY)
    assert age_s() is None
