"""What wakes the operator: Kopf's decorators, and nothing else.

Only `on.event`: handlers that keep state, timers and daemons would annotate the instances and put finalizers on them,
and a finalizer with the operator gone hangs every deletion.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import kopf
from kubernetes.aio.client import Configuration

from bilten_operator.api.instance import GROUP, PLURAL, VERSION

#: Called with the type of a watch event and the metadata of its instance.
Saw = Callable[[str | None, dict[str, Any]], None]


def register(saw: Saw, connection: Callable[[], Awaitable[Configuration]]) -> kopf.OperatorRegistry:
    """A registry of Kopf with all handlers."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def sign_in(**_: Any) -> kopf.ConnectionInfo:
        """As the operator's own client does, and again when the token ended."""
        found = await connection()
        scheme, _space, token = (await found.get_api_key_with_prefix("BearerToken") or "").partition(" ")
        return kopf.ConnectionInfo(
            server=found.host, ca_path=found.ssl_ca_cert, insecure=not found.verify_ssl, scheme=scheme or None,
            token=token or None, certificate_path=found.cert_file, private_key_path=found.key_file,
        )  # fmt: skip

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
    async def instance_event(event: kopf.RawEvent, **_: Any) -> None:
        """Something happened to an instance."""
        saw(event["type"], dict(event["object"]["metadata"]))

    return registry


def kopf_settings() -> kopf.OperatorSettings:
    """Kopf as a watcher of instances that writes nothing."""
    settings = kopf.OperatorSettings()
    settings.peering.standalone = True
    settings.posting.enabled = False
    # Otherwise it watches namespaces and CRDs, for which an operator of a few namespaces has no rights.
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.server_timeout = 600
    settings.queueing.worker_limit = 50
    settings.process.ultimate_exiting_timeout = 20
    # Never used, and never anyone else's should that change.
    settings.persistence.finalizer = f"{GROUP}/kopf"
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP, v1=False)
    settings.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=GROUP, v1=False)
    return settings
