"""Secrets that the operator generates, each exactly once: nothing here is ever applied over what exists."""

import base64
import json

from bilten_operator.resources.instance import Instance, Manifest
from bilten_operator.resources.randomness import Randomness

#: Who the first instance with these keys was. Buckets are marked with it, so that an instance which comes back to
#: retained data finds its buckets its own.
DATA_OWNER = "bilten.io/data-owner"
_TOKEN_BYTES = 32


def wanted(instance: Instance) -> dict[str, str]:
    """The names of the generated Secrets and the component of each."""
    made = {instance.keys: "keys"}
    if instance.spec.object_storage.mode == "Managed":
        made[instance.store_admin] = "objects"
        made[instance.store_user] = "objects"
        if instance.spec.backup and instance.spec.backup.object_storage is None:
            made[instance.backup_user] = "objects"
    return made


def build(instance: Instance, name: str, component: str, randomness: Randomness) -> Manifest:
    """A new Secret of that name."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": instance.namespace,
            "labels": instance.labels(component),
            "annotations": {DATA_OWNER: instance.uid},
        },
        "type": "Opaque",
        "stringData": _service_keys(randomness) if name == instance.keys else _store_account(randomness),
    }


def metadata(instance: Instance, name: str, component: str) -> Manifest:
    """What is kept up to date of a generated Secret: whether it goes with the instance."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": instance.metadata(name, component, data=True)}


def _service_keys(randomness: Randomness) -> dict[str, str]:
    pair = randomness.key_pair()
    key = {
        "kty": "OKP",
        "crv": "Ed25519",
        "use": "sig",
        "alg": "EdDSA",
        "kid": randomness.token(8),
        "x": _base64url(pair.public),
        "d": _base64url(pair.private),
    }
    return {"secretKey": randomness.token(_TOKEN_BYTES), "tokenKeys": json.dumps({"keys": [key]})}


def _store_account(randomness: Randomness) -> dict[str, str]:
    # MinIO allows access keys of 3 to 20 characters and secret keys of 8 to 40.
    access = "".join(sign for sign in randomness.token(24) if sign.isalnum())[:16].ljust(16, "0")
    return {"accessKey": access, "secretKey": randomness.token(30)[:40]}


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
