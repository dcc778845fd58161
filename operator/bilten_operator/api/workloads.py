"""`spec.api` and `spec.worker`: how many pods of each, and how large."""

from typing import Any, ClassVar

from pydantic import Field

from bilten_operator.api.block import Block, Environment, by_environment, everywhere
from bilten_operator.api.rules import Rule, present
from bilten_operator.api.values import Amount


class Amounts(Block):
    """CPU and memory of one container."""

    cpu: Amount | None = Field(None, description="Cores, like 250m or 2.")
    memory: Amount | None = Field(None, description="Memory, like 512Mi or 2Gi.")


def _within(name: str) -> Rule:
    both = f"has(self.requests.{name}) && has(self.limits.{name})"
    compared = f"quantity(string(self.requests.{name})).compareTo(quantity(string(self.limits.{name}))) <= 0"
    return Rule(
        f"!has(self.requests) || !has(self.limits) || !({both}) || "
        f"!isQuantity(string(self.requests.{name})) || !isQuantity(string(self.limits.{name})) || {compared}",
        f"{{field}}.requests.{name} must not be greater than {{field}}.limits.{name}: lower it, or raise the limit",
        at=f".requests.{name}",
    )


class Resources(Block):
    """What a container gets. Given, it replaces the environment's default as a whole."""

    RULES: ClassVar = (_within("cpu"), _within("memory"))

    requests: Amounts | None = Field(None, description="What the scheduler sets aside for each pod.")
    limits: Amounts | None = Field(None, description="What a pod may not exceed.")


def _resources(cpu: str, memory: str, most: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most}}


class Autoscaling(Block):
    """A HorizontalPodAutoscaler; the operator then leaves the number of pods to it."""

    RULES: ClassVar = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "{field}.minReplicas must not be greater than {field}.maxReplicas: lower it, or raise the maximum",
            at=".minReplicas",
        ),
    )

    min_replicas: int = Field(ge=1, le=100, description="Fewest pods.")
    max_replicas: int = Field(ge=1, le=100, description="Most pods.")
    target_cpu_percent: int = everywhere(
        70, ge=10, le=100, description="Pods are added when they use more than this share of the CPU they request."
    )


class Api(Block):
    """The pods that answer HTTP."""

    RULES: ClassVar = (
        Rule(
            "!(has(self.replicas) && has(self.autoscaling))",
            "{field}.replicas cannot be combined with {field}.autoscaling: remove one of them",
            at=".replicas",
            reason="FieldValueForbidden",
        ),
        Rule(
            f"!has(self.autoscaling) || !has(self.resources) || {present('self.resources.requests.cpu')} || "
            f"{present('self.resources.limits.cpu')}",
            "{field}.resources.requests.cpu is required with {field}.autoscaling, which measures against it: set it",
            at=".resources",
            reason="FieldValueRequired",
        ),
    )

    replicas: int | None = by_environment(
        development=1, staging=2, production=2, ge=0, le=100,
        description="Number of pods; 0 takes the API away. Not together with autoscaling.",
    )  # fmt: skip
    autoscaling: Autoscaling | None = Field(None, description="Let the load decide the number of pods.")
    resources: Resources = by_environment(
        development=_resources("50m", "192Mi", "768Mi"),
        staging=_resources("250m", "256Mi", "768Mi"),
        production=_resources("500m", "384Mi", "1Gi"),
        description="CPU and memory of each pod.",
    )

    @classmethod
    def fill(cls, values: dict[str, Any], environment: Environment) -> dict[str, Any]:
        """The number of pods is not filled in where autoscaling decides it."""
        filled = super().fill(dict(values), environment)
        if "autoscaling" in values:
            filled["replicas"] = values.get("replicas")
        return filled


class Worker(Block):
    """The pods that work off the outbox and scan files."""

    replicas: int = by_environment(
        development=1, staging=1, production=2, ge=0, le=100,
        description="Number of pods; with 0, mails and scans wait.",
    )  # fmt: skip
    resources: Resources = by_environment(
        development=_resources("50m", "192Mi", "768Mi"),
        staging=_resources("100m", "256Mi", "768Mi"),
        production=_resources("250m", "384Mi", "1Gi"),
        description="CPU and memory of the worker's container in each pod; the scanner beside it has its own.",
    )
