"""Access tokens: JWTs signed with Ed25519, several keys told apart by `kid`.

RFC 8725: the algorithm is pinned, `iss`, `aud` and the token's type are checked, and no header but `kid` is believed.
The claims `userId`, `email`, `role` are what the frontends' code reads out of a token; the service believes only `sub`,
`sid`, `jti` and `epoch`, and asks the database who that is now.
"""

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

ALGORITHM = "EdDSA"
ISSUER = "bilten-api"
AUDIENCE = "bilten-client"
TYPE = "access"
#: Clock skew between the process that signed and the one that verifies, in seconds.
LEEWAY_S = 5
#: A real token is under 700 characters; the rest is not worth a signature check.
MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says about itself."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    epoch: int
    expires_at: float


class TokenIssuer:
    """Signs with the first key of the set and verifies with all of them."""

    def __init__(self, key_set: str, *, ttl_s: int) -> None:
        keys = [jwt.PyJWK(key, ALGORITHM) for key in json.loads(key_set)["keys"]]
        self._keys = {str(key.key_id): key for key in keys}
        self._signing = keys[0]
        self.ttl_s = ttl_s

    def issue(self, *, user_id: UUID, session_id: UUID, epoch: int, email: str, role: str) -> str:
        """A new access token of that session."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "type": TYPE,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(uuid.uuid4()),
            "epoch": epoch,
            "iat": now,
            "exp": now + self.ttl_s,
            "userId": str(user_id),
            "email": email,
            "role": role,
        }
        return jwt.encode(claims, self._signing.key, ALGORITHM, headers={"kid": self._signing.key_id})

    def verify(self, token: str) -> Claims | None:
        """The claims of a token that we signed, for us, still valid; None for anything else."""
        if len(token) > MAX_LENGTH:
            return None
        try:
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                [ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            if claims.get("type") != TYPE:
                return None
            return Claims(
                UUID(claims["sub"]),
                UUID(claims["sid"]),
                UUID(claims["jti"]),
                int(claims["epoch"]),
                float(claims["exp"]),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
            return None
