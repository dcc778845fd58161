"""Signing in, staying signed in, signing out."""

from dataclasses import dataclass

import structlog
from aiohttp import hdrs, web
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts import queries, session_queries
from bilten.accounts.errors import AuthenticationFailed, InvalidRefreshToken, RefreshSuperseded, TokenReused
from bilten.accounts.queries import Account
from bilten.audit.queries import record
from bilten.context import Principal
from bilten.services import Services

#: A double click sends the same refresh token twice; within this many seconds that is no theft.
REFRESH_GRACE_S = 10
_LONGEST_USER_AGENT = 400

log = structlog.get_logger("bilten.accounts")

#: How many failed sign-ins a minute are written down, of one address and of all: rows of the audit log stay for ever.
NOTED_OF_ONE, NOTED_OF_ALL = 5, 100


@dataclass(frozen=True, slots=True)
class Client:
    """The device of a session, as it tells about itself."""

    user_agent: str | None
    address: str | None


def client_of(request: web.Request) -> Client:
    """What the request says about the device."""
    agent = request.headers.get(hdrs.USER_AGENT, "").encode("utf-8", "replace").decode()
    return Client("".join(c for c in agent if c.isprintable())[:_LONGEST_USER_AGENT] or None, request.remote)


@dataclass(frozen=True, slots=True)
class Grant:
    """A session's account and tokens."""

    account: Account
    access_token: str
    refresh_token: str


async def sign_in(services: Services, client: Client, *, email: str, password: str) -> Grant:
    """Start a session. Raises `AuthenticationFailed`, after the same work whether or not the account exists."""
    account = await queries.by_email(services.db, email)
    matches = await services.passwords.verify(password, account.password_hash if account else None)
    if account is None or not matches:
        await _note_failure(services, email, account)
        raise AuthenticationFailed
    rehashed = await services.passwords.hash(password) if services.passwords.outdated(account.password_hash) else None
    async with services.db.transaction() as tx:
        if rehashed:
            await queries.replace_hash(tx, account.id, old=account.password_hash, new=rehashed)
        return await start(services, tx, account, client)


async def _note_failure(services: Services, email: str, account: Account | None) -> None:
    """Log it, and write an audit row, for known and unknown addresses alike; the address itself is in neither."""
    log.info("login_failed", account=str(account.id) if account else "unknown")
    failures = services.login_failures
    if not (failures.hit(f"of {email}", NOTED_OF_ONE).allowed and failures.hit("all", NOTED_OF_ALL).allowed):
        return
    async with services.db.transaction() as tx:
        entity_id = account.id if account else "unknown"
        await record(tx, actor_id=None, action="account.login_failed", entity="user", entity_id=entity_id)


async def start(services: Services, tx: AsyncConnection, account: Account, client: Client) -> Grant:
    """Start a session of an account that was just proven."""
    session_id = await session_queries.insert_session(
        tx,
        account.id,
        lifetime_s=services.settings.refresh_token_ttl_s,
        user_agent=client.user_agent,
        address=client.address,
    )
    _, refresh_token = await session_queries.insert_refresh_token(tx, session_id)
    await record(tx, actor_id=account.id, action="session.start", entity="session", entity_id=session_id)
    access_token = services.tokens.issue(
        user_id=account.id,
        session_id=session_id,
        epoch=account.token_epoch,
        email=account.email,
        role=account.role,
    )
    return Grant(account, access_token, refresh_token)


async def refresh(services: Services, token: str) -> Grant:
    """Swap a refresh token for its successor and a new access token.

    Raises `RefreshSuperseded` for the token just replaced, `TokenReused` for any older one, whose session it ends for
    good, and `InvalidRefreshToken` for the rest.
    """
    async with services.db.transaction() as tx:
        claimed = await session_queries.claim_refresh_token(tx, token)
        if claimed is not None:
            account = await session_queries.prolong_session(
                tx, claimed.session_id, lifetime_s=services.settings.refresh_token_ttl_s
            )
            successor, refresh_token = await session_queries.insert_refresh_token(tx, claimed.session_id)
            await session_queries.link_successor(tx, claimed.id, successor)
            access_token = services.tokens.issue(
                user_id=account.id,
                session_id=claimed.session_id,
                epoch=account.token_epoch,
                email=account.email,
                role=account.role,
            )
            return Grant(account, access_token, refresh_token)
        refusal = await _refusal(tx, token)
    # Raised outside the transaction: the end of a stolen session must be committed, not rolled back by its own 401.
    raise refusal


async def _refusal(tx: AsyncConnection, token: str) -> Exception:
    history = await session_queries.refresh_token_history(tx, token, grace_s=REFRESH_GRACE_S)
    if history is None or not history["replaced"]:
        return InvalidRefreshToken()
    if history["just_superseded"] and not history["ended"]:
        return RefreshSuperseded()
    user_id, session_id = history["user_id"], history["session_id"]
    if await session_queries.end_sessions(tx, user_id, reason="refresh token reused", only=session_id):
        await record(tx, actor_id=None, action="session.token_reused", entity="session", entity_id=session_id)
    return TokenReused()


async def sign_out(services: Services, principal: Principal | None) -> None:
    """End the caller's session and void its token; without a caller there is nothing to end."""
    if principal is None:
        return
    async with services.db.transaction() as tx:
        await session_queries.end_sessions(tx, principal.user_id, reason="signed out", only=principal.session_id)
        await session_queries.revoke_token(
            tx,
            jti=principal.token_id,
            user_id=principal.user_id,
            expires_at=principal.token_expires_at,
            reason="signed out",
        )
        await record(
            tx, actor_id=principal.user_id, action="session.end", entity="session", entity_id=principal.session_id
        )
