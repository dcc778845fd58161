"""Environment variables → one frozen `Settings`. Nothing else in the operator reads its own configuration."""

import socket
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bilten_operator.resources.operator_config import OperatorConfig

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """One operator's configuration."""

    model_config = SettingsConfigDict(env_prefix="BILTEN_OPERATOR_", frozen=True, extra="ignore")

    namespace: str = Field("bilten-system", description="Namespace that the operator runs in; its Lease is there.")
    identity: str = Field(
        default_factory=socket.gethostname, description="Who it is among its replicas: the name of its pod."
    )
    watch_namespaces: CommaSeparated = Field(
        (), description="Namespaces whose instances it runs, comma-separated. Empty: all."
    )
    host: str = Field("0.0.0.0", description="Address of probes and metrics.")  # noqa: S104 - the kubelet asks from outside
    port: int = Field(8080, ge=0, le=65535, description="Port of probes and metrics.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="How much it logs.")
    workers: int = Field(16, ge=1, le=200, description="Instances that are worked on at once.")
    resync_s: float = Field(
        600, ge=1, description="Seconds after which an instance is looked at even if nothing happened."
    )
    lease_name: str = Field("bilten-operator", description="Lease that decides which replica acts.")
    lease_s: int = Field(15, ge=3, description="Seconds after which the Lease of a replica that died can be taken.")
    minio_image: str = Field(description="Image of MinIO, for instances whose object store is Managed.")
    clamav_image: str = Field(description="Image of ClamAV.")
    postgres_image: str | None = Field(None, description="Image of Postgres; CloudNativePG's choice if left out.")
    image_pull_secrets: CommaSeparated = Field((), description="Secrets for pulling images, comma-separated.")
    cnpg_namespace: str = Field("cnpg-system", description="Namespace of CloudNativePG.")

    @field_validator("watch_namespaces", "image_pull_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    def operator_config(self) -> OperatorConfig:
        """What plans need to know."""
        return OperatorConfig(
            minio_image=self.minio_image, clamav_image=self.clamav_image, postgres_image=self.postgres_image,
            image_pull_secrets=self.image_pull_secrets, namespace=self.namespace, cnpg_namespace=self.cnpg_namespace,
        )  # fmt: skip
