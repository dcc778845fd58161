"""Instances that tests apply."""

from typing import Any

DIGEST = "registry.example.com/bilten@sha256:" + "0" * 64
STORE = {"endpoint": "https://s3.example.com", "secretRef": {"name": "s3"}}
EXTERNAL = {"mode": "External", "external": STORE}


def instance(name: str = "bilten", **spec: Any) -> dict[str, Any]:
    """A development instance with nothing but what is required, and `spec`. A part that is None is left out."""
    least = {
        "environment": "development",
        "image": "bilten:1",
        "database": {"mode": "Managed"},
        "objectStorage": {"mode": "Managed"},
    }
    merged = {**least, **spec}
    return {
        "apiVersion": "bilten.io/v1alpha1",
        "kind": "BiltenInstance",
        "metadata": {"name": name},
        "spec": {key: value for key, value in merged.items() if value is not None},
    }


def production(**spec: Any) -> dict[str, Any]:
    """A production instance with nothing but what is required there, and `spec`."""
    return instance(**{"environment": "production", "image": DIGEST, "objectStorage": EXTERNAL, **spec})
