"""The pods that work off the outbox, with a virus scanner beside each where that is asked for."""

from typing import Any

from bilten_operator.resources import pods, scanner, settings, uploads
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.settings import WORKER_PORT

COMPONENT = "worker"
#: Jobs under way are finished, or left to the next worker when their lease ends.
_GRACE_S = 60


def deployment(instance: Instance, operator: OperatorConfig, *, content_hash: str) -> Manifest:
    """The worker's Deployment."""
    spec = instance.spec
    beside = spec.scanner.mode == "Sidecar"
    container = pods.container(
        "worker",
        spec.image,
        resources=pods.amounts(spec.worker.resources),
        writable_root=spec.environment == "development",
        args=["worker"],
        envFrom=settings.from_config_map(instance),
        env=[{"name": "BILTEN_WORKER_PORT", "value": str(WORKER_PORT)}, *settings.secret_variables(instance)],
        ports=[{"name": "http", "containerPort": WORKER_PORT, "protocol": "TCP"}],
        startupProbe=pods.http_probe("/livez", "http", period_s=1, failures=120),
        readinessProbe=pods.http_probe("/readyz", "http", period_s=10),
        livenessProbe=pods.http_probe("/livez", "http", period_s=10, failures=6),
        volumeMounts=[scanner.socket_mount()] if beside else [],
    )
    seed: dict[str, Any] = {"initContainers": [scanner.seed(operator)]} if beside else {}
    template = pods.template(
        instance,
        COMPONENT,
        operator,
        containers=[container, *(scanner.containers(instance, operator) if beside else [])],
        volumes=scanner.volumes(instance) if beside else [],
        annotations={pods.CONTENT_HASH: content_hash},
        tmp_size=uploads.worker_room(instance),
        terminationGracePeriodSeconds=_GRACE_S,
        topologySpreadConstraints=pods.spread(instance, COMPONENT),
        **seed,
    )
    return pods.deployment(instance, instance.worker, COMPONENT, pods=template, replicas=spec.worker.replicas)
