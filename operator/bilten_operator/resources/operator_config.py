"""What the operator itself was told when it was installed: the chart's values, the same for all instances."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OperatorConfig:
    """Images of others, and where the operators are that must be let through to the pods."""

    minio_image: str
    clamav_image: str
    #: None: the image that CloudNativePG chooses.
    postgres_image: str | None = None
    image_pull_secrets: tuple[str, ...] = ()
    #: Namespace of this operator: it reaches the managed object store.
    namespace: str = "bilten-system"
    #: Namespace of CloudNativePG: it reaches the pods of the databases.
    cnpg_namespace: str = "cnpg-system"
