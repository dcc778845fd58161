"""The way in from outside: an Ingress or an HTTPRoute for the API, and one for the managed object store.

They are objects of their own: what a browser uploads to the store may be large, and nothing of it may be served from
the API's origin.
"""

from math import ceil
from urllib.parse import urlsplit

from bilten_operator.resources import uploads
from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.quantity import quantity
from bilten_operator.resources.settings import STORE_PORT

COMPONENT = "exposure"


def exposes_store(instance: Instance) -> bool:
    """Whether the operator makes a way in for the object store."""
    store = instance.spec.object_storage
    return store.mode == "Managed" and store.public_endpoint is not None and instance.spec.exposure.mode != "None"


def build(instance: Instance) -> list[Manifest]:
    """All of the way in; nothing where none is wanted."""
    exposure = instance.spec.exposure
    if exposure.mode == "None" or exposure.host is None:
        return []
    make = _ingress if exposure.mode == "Ingress" else _route
    made = [make(instance, instance.name, exposure.host, instance.api, 80)]
    if exposes_store(instance):
        host = urlsplit(instance.spec.object_storage.public_endpoint or "").hostname or ""
        made.append(make(instance, instance.object_store, host, instance.object_store, STORE_PORT))
    return made


def _ingress(instance: Instance, name: str, host: str, service: str, port: int) -> Manifest:
    exposure = instance.spec.exposure
    path = {
        "path": "/",
        "pathType": "Prefix",
        "backend": {"service": {"name": service, "port": {"number": port}}},
    }
    spec: Manifest = {"rules": [{"host": host, "http": {"paths": [path]}}]}
    if exposure.class_name:
        spec["ingressClassName"] = exposure.class_name
    if exposure.tls:
        spec["tls"] = [{"hosts": [host], "secretName": exposure.tls.secret_name}]
    metadata = instance.metadata(name, COMPONENT)
    # Traefik has no limit of its own; ingress-nginx refuses more than 1 MiB unless it is told.
    largest = exposure.max_upload_size or uploads.largest_body(instance)
    metadata["annotations"] = {"nginx.ingress.kubernetes.io/proxy-body-size": _nginx_size(largest)}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def _nginx_size(size: str) -> str:
    """nginx knows k, m and g, all of them powers of 1024, and bytes. The larger where they differ."""
    for unit, letter in (("Ki", "k"), ("Mi", "m"), ("Gi", "g"), ("k", "k"), ("M", "m"), ("G", "g")):
        if size.endswith(unit) and size.removesuffix(unit).isdigit():
            return size.removesuffix(unit) + letter
    return str(ceil(quantity(size) or 0))


def _route(instance: Instance, name: str, host: str, service: str, port: int) -> Manifest:
    gateway = instance.gateway
    parent: Manifest = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": gateway.name,
        "namespace": gateway.namespace or instance.namespace,
    }
    if gateway.section_name:
        parent["sectionName"] = gateway.section_name
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": instance.metadata(name, COMPONENT),
        "spec": {
            "parentRefs": [parent],
            "hostnames": [host],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"kind": "Service", "name": service, "port": port}],
                }
            ],
        },
    }
