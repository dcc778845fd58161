"""The way to the API server: a pod's service account, or a kubeconfig outside of a cluster."""

import os

from kubernetes.aio import config
from kubernetes.aio.client import Configuration


async def configuration() -> Configuration:
    """Where the API server is and how to sign in. Raises kubernetes.config's ConfigException when nothing tells."""
    found = Configuration()
    if os.environ.get("KUBERNETES_SERVICE_HOST") and not os.environ.get("KUBECONFIG"):
        # Tokens of service accounts end after an hour: the loader reads the file again every minute.
        config.load_incluster_config(client_configuration=found)
    else:
        await config.load_kube_config(client_configuration=found, persist_config=False)
    # Watches hold a connection each, so a bound would make them wait for each other; the queue bounds the rest.
    found.connection_pool_maxsize = 0
    return found
