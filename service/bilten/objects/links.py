"""Signed links: who has one may read one private file until it expires or is revoked, and nothing else.

A link is `<path>?…&expires=<Unix time>&key=<key id>&signature=<HMAC-SHA256, base64url>`. What is signed is the method,
the file, the path, every parameter, the expiry, and the file's epoch: a number in the database that is in no link, and
that is raised to revoke all links of the file. So only who knows the file's row can check a link.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bilten.settings import Settings

#: What the key is called that is derived from the deployment's secret.
DERIVED = "derived"

_RESERVED = ("expires", "key", "signature")
#: The same whoever asks for the head only.
_METHODS = {"GET": "GET", "HEAD": "GET"}

Parameters = Sequence[tuple[str, str]]


class LinkRefused(Exception):
    """This link was not signed here for this, was changed, has expired, or was revoked. Which, is not told."""

    def __init__(self) -> None:
        super().__init__("This link is not valid, or not any more. Ask for a new one.")


class LinkSigner:
    """Signs with the first key, verifies with each. All processes with the same settings agree."""

    def __init__(self, settings: Settings) -> None:
        self._keys = _keys(settings)
        self._first = next(iter(self._keys))
        #: Stands for keys that nobody has, so that they take as long to fail and nobody can sign with them.
        self._nobodys = secrets.token_bytes(32)

    def sign(
        self, file_id: UUID, path: str, *, expires_at: int, epoch: int, parameters: Iterable[tuple[str, str]] = ()
    ) -> Parameters:
        """The query of a link to `path`, as it stands in the URL, until that Unix time. `parameters` come first."""
        signed = [*parameters, ("expires", str(expires_at)), ("key", self._first)]
        return [*signed, ("signature", self._signature(self._keys[self._first], "GET", file_id, path, signed, epoch))]

    def verify(
        self, method: str, file_id: UUID, path: str, query: Iterable[tuple[str, str]], *, epoch: int,
        now: float | None = None,
    ) -> int:  # fmt: skip
        """Check a request: `query` is all of its parameters, repeated ones repeated. Returns when the link expires.

        Raises `LinkRefused`.
        """
        pairs = list(query)
        given = dict(pairs)
        if len(given) < len(pairs) or any(name not in given for name in _RESERVED):
            raise LinkRefused
        signed = [pair for pair in pairs if pair[0] != "signature"]
        key = self._keys.get(given["key"], self._nobodys)
        expected = self._signature(key, _METHODS.get(method, method), file_id, path, signed, epoch)
        right = hmac.compare_digest(expected.encode(), given["signature"].encode("utf-8", "replace"))
        if not right:
            raise LinkRefused
        expires_at = int(given["expires"])
        if (time.time() if now is None else now) >= expires_at:
            raise LinkRefused
        return expires_at

    @staticmethod
    def _signature(key: bytes, method: str, file_id: UUID, path: str, signed: Parameters, epoch: int) -> str:
        # As JSON, so that no two requests look the same: it says where each text ends.
        bound = json.dumps(["bilten link 1", method, str(file_id), path, sorted(signed), epoch])
        return urlsafe_b64encode(hmac.digest(key, bound.encode(), hashlib.sha256)).rstrip(b"=").decode()


def _keys(settings: Settings) -> dict[str, bytes]:
    if settings.link_keys is None:
        derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bilten signed links")
        return {DERIVED: derive.derive(settings.secret_key.get_secret_value().encode())}
    pairs = [pair.strip().partition(":") for pair in settings.link_keys.get_secret_value().split(",")]
    return {name: secret.encode() for name, _, secret in pairs}
