"""Real randomness for the secrets that plans make."""

import secrets

from Crypto.PublicKey import ECC

from bilten_operator.resources.randomness import KeyPair


class SystemRandomness:
    """From the operating system."""

    def token(self, size_bytes: int) -> str:
        """So many random bytes as text."""
        return secrets.token_urlsafe(size_bytes)

    def key_pair(self) -> KeyPair:
        """A new Ed25519 key pair."""
        key = ECC.generate(curve="Ed25519")
        return KeyPair(bytes(key.seed), bytes(key.public_key().export_key(format="raw")))
