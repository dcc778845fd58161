"""The pods that answer HTTP, and what keeps enough of them there."""

from bilten_operator.resources import pods, settings, uploads
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.operator_config import OperatorConfig
from bilten_operator.resources.settings import API_PORT

COMPONENT = "api"
DEBUG_PORT = 5678
#: Requests still come for a moment after a pod was told to end: routers learn of it at the same time.
_STILL_ROUTED_S = 5
_DEFAULT_GRACE_S = 20


def deployment(instance: Instance, operator: OperatorConfig, *, content_hash: str) -> Manifest:
    """The API's Deployment."""
    spec = instance.spec
    grace = spec.config.shutdown_grace_seconds if spec.config else None
    ports = [{"name": "http", "containerPort": API_PORT, "protocol": "TCP"}]
    start: Manifest = {"args": ["serve"]}
    if spec.debugpy:
        listen = f"0.0.0.0:{DEBUG_PORT}"
        start = {"command": ["python", "-m", "debugpy", "--listen", listen, "-m", "bilten", "serve"]}
        ports.append({"name": "debug", "containerPort": DEBUG_PORT, "protocol": "TCP"})
    container = pods.container(
        "api",
        spec.image,
        resources=pods.amounts(spec.api.resources),
        # In development a changed file is put into the running container.
        writable_root=spec.environment == "development",
        **start,
        envFrom=settings.from_config_map(instance),
        env=settings.secret_variables(instance),
        ports=ports,
        startupProbe=pods.http_probe("/livez", "http", period_s=1, failures=120),
        readinessProbe=pods.http_probe("/readyz", "http", period_s=5),
        livenessProbe=pods.http_probe("/livez", "http", period_s=10, failures=6),
        lifecycle={"preStop": {"sleep": {"seconds": _STILL_ROUTED_S}}},
    )
    template = pods.template(
        instance,
        COMPONENT,
        operator,
        containers=[container],
        annotations={pods.CONTENT_HASH: content_hash},
        tmp_size=uploads.api_room(instance),
        terminationGracePeriodSeconds=int((_DEFAULT_GRACE_S if grace is None else grace) + _STILL_ROUTED_S + 10),
        topologySpreadConstraints=pods.spread(instance, COMPONENT),
    )
    return pods.deployment(instance, instance.api, COMPONENT, pods=template, replicas=spec.api.replicas)


def service(instance: Instance) -> Manifest:
    """Where the way in reaches the API."""
    return pods.service(instance, instance.api, COMPONENT, ports={"http": (80, "http")})


def autoscaler(instance: Instance) -> Manifest | None:
    """The HorizontalPodAutoscaler, if one is wanted."""
    wanted = instance.spec.api.autoscaling
    if wanted is None:
        return None
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": instance.metadata(instance.api, COMPONENT),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": instance.api},
            "minReplicas": wanted.min_replicas,
            "maxReplicas": wanted.max_replicas,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": wanted.target_cpu_percent},
                    },
                }
            ],
        },
    }


def disruption_budget(instance: Instance, name: str, component: str, fewest: int) -> Manifest | None:
    """A node is drained one pod at a time. Not for a single pod: it would stop the drain for ever."""
    if fewest <= 1:
        return None
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": instance.metadata(name, component),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": instance.selector(component)}},
    }


def fewest(instance: Instance) -> int:
    """How many API pods there are at least."""
    scaling = instance.spec.api.autoscaling
    return scaling.min_replicas if scaling else instance.spec.api.replicas or 0
