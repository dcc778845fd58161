"""Bytes that only this deployment can read back: what has to lie in the database but must be worthless in a dump of it.

AES-256-GCM under a key derived from `BILTEN_SECRET_KEY` (HKDF-SHA256, RFC 5869). Each purpose has a key of its own, so
that what was sealed for one cannot be passed off as the other.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Unsealable(Exception):
    """These bytes were not sealed for this purpose with this secret, or were changed since."""


class Sealer:
    """Seals for one purpose. Every process with the same secret opens what another sealed."""

    def __init__(self, secret: str, *, purpose: str) -> None:
        derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=b"bilten sealed " + purpose.encode())
        self._cipher = AESGCM(derive.derive(secret.encode()))

    def seal(self, plain: bytes) -> bytes:
        """Encrypt; the same bytes come out different each time, 28 bytes longer than they went in."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made. Raises `Unsealable` for anything else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError):
            raise Unsealable(
                "The stored bytes cannot be decrypted: BILTEN_SECRET_KEY is not the one they were written with, "
                "or they were changed."
            ) from None
