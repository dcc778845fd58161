"""Turns a bearer token into a principal: the signature first, then what the database says of its session today."""

from uuid import UUID

from bilten.accounts import queries
from bilten.accounts.tokens import TokenIssuer
from bilten.context import Principal
from bilten.db.database import Database


class Authenticator:
    """The `TokenReader` of the web layer."""

    def __init__(self, db: Database, tokens: TokenIssuer) -> None:
        self._db = db
        self._tokens = tokens

    def subject(self, token: str) -> UUID | None:
        """The user of a token whose signature and times hold, without asking the database."""
        claims = self._tokens.verify(token)
        return claims.user_id if claims else None

    async def principal(self, token: str) -> Principal | None:
        """The holder now; None when token, session or account has ended. Role and epoch come from the database."""
        claims = self._tokens.verify(token)
        if claims is None:
            return None
        session = await queries.live_session(self._db, claims.session_id, claims.user_id, claims.token_id)
        if session is None or session["token_epoch"] != claims.epoch:
            return None
        return Principal(claims.user_id, session["role"], claims.session_id, claims.token_id, claims.expires_at)
