"""What Prometheus's operator reads: where the metrics are, and when somebody should be woken."""

from bilten_operator.resources import api
from bilten_operator.resources.instance import Instance, Manifest

COMPONENT = "monitoring"


def build(instance: Instance) -> list[Manifest]:
    """A ServiceMonitor for the API, a PodMonitor for the worker, a PrometheusRule; nothing where it is off."""
    if not instance.spec.monitoring.enabled:
        return []
    return [_service_monitor(instance), _pod_monitor(instance), _rules(instance)]


def _metadata(instance: Instance, name: str) -> Manifest:
    metadata = instance.metadata(name, COMPONENT)
    # The operator's own labels win: its watch finds the object by them.
    metadata["labels"] = {**instance.spec.monitoring.labels, **metadata["labels"]}
    return metadata


def _service_monitor(instance: Instance) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": _metadata(instance, instance.api),
        "spec": {
            "selector": {"matchLabels": instance.selector(api.COMPONENT)},
            "endpoints": [{"port": "http", "path": "/metrics", "interval": "30s"}],
        },
    }


def _pod_monitor(instance: Instance) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PodMonitor",
        "metadata": _metadata(instance, instance.worker),
        "spec": {
            "selector": {"matchLabels": instance.selector("worker")},
            "podMetricsEndpoints": [{"port": "http", "path": "/metrics", "interval": "30s"}],
        },
    }


def _rules(instance: Instance) -> Manifest:
    where = f'namespace="{instance.namespace}",job="{instance.api}"'
    rules = [
        _alert(
            "BiltenApiDown",
            f"absent(up{{{where}}} == 1)",
            "5m",
            "critical",
            f"No API pod of {instance.name} answers Prometheus. Look at `kubectl describe bilteninstance "
            f"{instance.name}`: status.waitingFor names what holds it up.",
        ),
        _alert(
            "BiltenApiErrors",
            f'sum(rate(bilten_http_requests_total{{{where},status=~"5.."}}[5m])) / '
            f"sum(rate(bilten_http_requests_total{{{where}}}[5m])) > 0.05",
            "10m",
            "warning",
            f"More than one in twenty requests to {instance.name} fails. Look at the logs of its API pods.",
        ),
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": _metadata(instance, instance.name),
        "spec": {"groups": [{"name": f"bilten-{instance.namespace}-{instance.name}", "rules": rules}]},
    }


def _alert(name: str, expression: str, after: str, severity: str, description: str) -> Manifest:
    return {
        "alert": name,
        "expr": expression,
        "for": after,
        "labels": {"severity": severity},
        "annotations": {"description": description},
    }
