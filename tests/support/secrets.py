"""Keys of test deployments, made anew in every run: none lies in the repository."""

import base64
import json
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def new_key(kid: str) -> dict[str, str]:
    """An Ed25519 key as a private JWK."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": _text(public), "d": _text(private)}


def key_set(*keys: dict[str, str]) -> str:
    """A JWK Set as the setting takes it."""
    return json.dumps({"keys": list(keys)})


SECRET_KEY = secrets.token_urlsafe(32)
TOKEN_KEYS = key_set(new_key("test-1"))
