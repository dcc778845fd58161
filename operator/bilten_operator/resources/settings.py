"""What the service reads from its environment: a ConfigMap, and references to Secrets beside it."""

from urllib.parse import urlsplit

from bilten_operator.api.config import variables
from bilten_operator.api.object_storage import Cdn
from bilten_operator.resources import pods, uploads
from bilten_operator.resources.instance import Instance, Manifest

API_PORT = 3001
WORKER_PORT = 3002
STORE_PORT = 9000
CLAMD_PORT = 3310
CLAMD_SOCKET = "/run/clamav/clamd.sock"


def store_endpoint(instance: Instance) -> str:
    """Address of the object store as pods reach it."""
    external = instance.spec.object_storage.external
    if external:
        return external.endpoint.rstrip("/")
    return f"http://{instance.object_store}.{instance.namespace}.svc:{STORE_PORT}"


def port_of(address: str) -> int:
    """TCP port of an http(s) address."""
    parts = urlsplit(address)
    return parts.port or (443 if parts.scheme == "https" else 80)


def region(instance: Instance) -> str:
    """Region that requests to the object store are signed for."""
    external = instance.spec.object_storage.external
    return external.region if external else "us-east-1"


def environment(instance: Instance) -> dict[str, str]:
    """The service's settings, but for secrets."""
    spec = instance.spec
    values = {
        "BILTEN_ENVIRONMENT": spec.environment,
        "BILTEN_HOST": "0.0.0.0",  # noqa: S104 the pod's own network
        "BILTEN_PORT": str(API_PORT),
        "BILTEN_LOG_FORMAT": "json",
        "BILTEN_AUTO_MIGRATE": "false",
        "BILTEN_S3_ENDPOINT": store_endpoint(instance),
        "BILTEN_S3_REGION": region(instance),
        "BILTEN_S3_QUARANTINE_BUCKET": instance.buckets.quarantine,
        "BILTEN_S3_MEDIA_BUCKET": instance.buckets.media,
        # A pod sees all the cores of its node, and has memory for two of the largest pictures: 250 MiB each.
        "BILTEN_INSPECTION_PROCESSES": "2",
        "BILTEN_CLAMD_MAX_BYTES": str(uploads.stream_bytes(instance)),
    }
    if spec.object_storage.public_endpoint:
        values["BILTEN_S3_PUBLIC_ENDPOINT"] = spec.object_storage.public_endpoint.rstrip("/")
    if spec.object_storage.cdn:
        values |= _cdn(spec.object_storage.cdn)
    if spec.exposure.host:
        values["BILTEN_PUBLIC_URL"] = f"{'https' if _is_secure(instance) else 'http'}://{spec.exposure.host}"
    if spec.scanner.mode == "Sidecar":
        values["BILTEN_CLAMD_SOCKET"] = CLAMD_SOCKET
    else:
        external = spec.scanner.external
        values["BILTEN_CLAMD_HOST"] = external.host if external else instance.scanner
        values["BILTEN_CLAMD_PORT"] = str(external.port if external else CLAMD_PORT)
    return {**values, **(variables(spec.config) if spec.config else {})}


def _cdn(cdn: Cdn) -> dict[str, str]:
    values = {"BILTEN_CDN_BASE_URL": cdn.url}
    if cdn.purge:
        values["BILTEN_CDN_PURGE"] = cdn.purge.by.lower()
        if cdn.purge.nodes:
            values["BILTEN_CDN_PURGE_URLS"] = ",".join(cdn.purge.nodes)
        if cdn.purge.header:
            values["BILTEN_CDN_KEY_HEADER"] = cdn.purge.header
    return values


def _is_secure(instance: Instance) -> bool:
    """Whether browsers come over TLS, as far as can be told: a Gateway's listener decides for itself."""
    exposure = instance.spec.exposure
    return exposure.mode == "Gateway" or exposure.tls is not None


def purge_addresses(instance: Instance) -> list[str]:
    """Where the worker sends its purges."""
    cdn = instance.spec.object_storage.cdn
    if cdn is None or cdn.purge is None:
        return []
    return cdn.purge.nodes or [cdn.url]


def config_map(instance: Instance) -> Manifest:
    """The ConfigMap that API and worker read at their start."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": instance.metadata(instance.settings, "settings"),
        "data": environment(instance),
    }


def from_config_map(instance: Instance) -> list[Manifest]:
    """A container's `envFrom`."""
    return [{"configMapRef": {"name": instance.settings}}]


def database_secret(instance: Instance) -> tuple[str, str]:
    """The Secret and the key in it that hold the database's address."""
    external = instance.spec.database.external
    return (external.secret_ref.name, "url") if external else (f"{instance.database}-app", "uri")


def database_address(instance: Instance, *, pooled: bool) -> list[Manifest]:
    """The variables that make BILTEN_DATABASE_URL. A migration's lock needs Postgres itself, not the pooler."""
    managed = instance.spec.database.managed
    secret, key = database_secret(instance)
    if not (pooled and managed and managed.pooler):
        return [pods.from_secret("BILTEN_DATABASE_URL", secret, key)]
    return [
        pods.from_secret("DATABASE_USER", secret, "username"),
        pods.from_secret("DATABASE_PASSWORD", secret, "password"),
        pods.from_secret("DATABASE_NAME", secret, "dbname"),
        {
            "name": "BILTEN_DATABASE_URL",
            # CloudNativePG's passwords are letters and digits: nothing to escape.
            "value": f"postgresql://$(DATABASE_USER):$(DATABASE_PASSWORD)@{instance.pooler}:5432/$(DATABASE_NAME)",
        },
    ]


def secret_variables(instance: Instance, *, pooled: bool = True) -> list[Manifest]:
    """The variables of the API and the worker that come from Secrets."""
    cdn = instance.spec.object_storage.cdn
    token = cdn.purge.secret_ref if cdn and cdn.purge else None
    return [
        *database_address(instance, pooled=pooled),
        pods.from_secret("BILTEN_SECRET_KEY", instance.keys, "secretKey"),
        pods.from_secret("BILTEN_TOKEN_KEYS", instance.keys, "tokenKeys"),
        pods.from_secret("BILTEN_S3_ACCESS_KEY", instance.store_user, "accessKey"),
        pods.from_secret("BILTEN_S3_SECRET_KEY", instance.store_user, "secretKey"),
        *([pods.from_secret("BILTEN_CDN_PURGE_TOKEN", token.name, "token")] if token else []),
    ]


def service_secrets(instance: Instance) -> list[str]:
    """The Secrets whose content the API and the worker read at their start."""
    return [instance.keys, instance.store_user, database_secret(instance)[0]]
