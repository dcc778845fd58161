"""What may happen to an account, and when. One transaction each, with its audit row and its mails."""

from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts import link_queries, links, queries, session_queries, sessions
from bilten.accounts.errors import (
    INVALID_RESET,
    INVALID_VERIFICATION,
    InvalidLink,
    UserExists,
    UserNotFound,
    WrongPassword,
)
from bilten.accounts.queries import Account
from bilten.accounts.schemas import ProfileBody, RegisterBody
from bilten.accounts.sessions import Client, Grant
from bilten.audit.queries import record
from bilten.context import Principal
from bilten.db.errors import violated_constraint
from bilten.services import Services
from bilten.web import etags
from bilten.web.errors import Conflict, Unauthorized, ValidationFailed

VERIFY: Final = "verify_email"
CHANGE_EMAIL: Final = "change_email"
RESET: Final = "reset_password"


def check_new_password(services: Services, password: str, field: str) -> None:
    """The one rule for new passwords. Raises `ValidationFailed` saying all of it."""
    least = services.settings.password_min_length
    missing = len(password) < least or not (
        any(c.isupper() for c in password) and any(c.islower() for c in password) and any(c.isdigit() for c in password)
    )
    if missing:
        rule = f"Use at least {least} characters with an upper-case letter, a lower-case letter and a digit"
        raise ValidationFailed(details=[{"field": field, "code": "weak_password", "message": rule}])


async def hash_new_password(services: Services, body: RegisterBody) -> str:
    """The hash of the password of an account that may be made. Raises `ValidationFailed`, `UserExists`."""
    check_new_password(services, body.password, "password")
    if await queries.by_email(services.db, body.email):
        raise UserExists
    return await services.passwords.hash(body.password)


async def register(services: Services, client: Client, body: RegisterBody, *, password_hash: str) -> Grant:
    """A new account, signed in at once; a mail asks to verify the address. Raises `UserExists`."""
    wants_organizer = body.role == "organizer"
    granted = wants_organizer and services.settings.organizer_signup == "open"
    async with services.db.transaction() as tx:
        try:
            account = await queries.insert_user(
                tx,
                email=body.email,
                password_hash=password_hash,
                first_name=body.first_name,
                last_name=body.last_name,
                role="organizer" if granted else "user",
                requested_role="organizer" if wants_organizer and not granted else None,
            )
        except IntegrityError as error:
            if violated_constraint(error) == "uq_users_email":
                raise UserExists from None
            raise
        token = await link_queries.insert_one_time_token(
            tx, account.id, VERIFY, email=account.email, lifetime_s=services.settings.verification_token_ttl_s
        )
        await services.mailer.send(tx, VERIFY, to=account.email, name=account.first_name, token=token)
        await record(
            tx,
            actor_id=account.id,
            action="account.register",
            entity="user",
            entity_id=account.id,
            after={"role": account.role, "requested_role": account.requested_role},
        )
        return await sessions.start(services, tx, account, client)


async def current(services: Services, principal: Principal) -> Account:
    """The caller's account. Raises `Unauthorized` when it ended a moment ago."""
    account = await queries.by_id(services.db, principal.user_id)
    if account is None:
        raise Unauthorized
    return account


async def change_password(services: Services, principal: Principal, *, now: str, new: str) -> None:
    """Set a new password and end every other session. Raises `WrongPassword`."""
    account = await current(services, principal)
    if not await services.passwords.verify(now, account.password_hash):
        raise WrongPassword
    check_new_password(services, new, "new_password")
    password_hash = await services.passwords.hash(new)
    async with services.db.transaction() as tx:
        if not await queries.replace_hash(tx, account.id, old=account.password_hash, new=password_hash):
            raise Conflict("The password was changed elsewhere a moment ago")
        await session_queries.end_sessions(tx, account.id, reason="password changed", but=principal.session_id)
        await _end_links(tx, account)
        await services.mailer.send(tx, "password_changed", to=account.email, name=account.first_name)
        await record(tx, actor_id=account.id, action="account.change_password", entity="user", entity_id=account.id)


async def forgot_password(services: Services, email: str) -> None:
    """Mail a link that sets a new password. Raises `UserNotFound` where the deployment reveals that."""
    if services.settings.forgot_password_reveals and await queries.by_email(services.db, email) is None:
        raise UserNotFound
    await links.ask(services, RESET, email)


async def reset_password(services: Services, *, token: str, new: str) -> None:
    """Set a new password by a mailed link and end every session. Raises `InvalidLink`."""
    check_new_password(services, new, "new_password")
    async with services.db.transaction() as tx:
        # Looked at before the hash is made: a made-up token must not cost 20 ms of a core.
        known = await link_queries.one_time_token(tx, token, [RESET])
    if known is None or known["used_at"] is not None:
        raise InvalidLink(INVALID_RESET)
    password_hash = await services.passwords.hash(new)
    async with services.db.transaction() as tx:
        used = await link_queries.use_one_time_token(tx, token, [RESET])
        account = await queries.lock_user(tx, used["user_id"]) if used else None
        if account is None or used is None or used["email"] != account.email:
            raise InvalidLink(INVALID_RESET)
        await _end_links(tx, account)
        await queries.update_user(tx, account.id, password_hash=password_hash, token_epoch=account.token_epoch + 1)
        await session_queries.end_sessions(tx, account.id, reason="password reset")
        await services.mailer.send(tx, "password_changed", to=account.email, name=account.first_name)
        await record(tx, actor_id=account.id, action="account.reset_password", entity="user", entity_id=account.id)


async def _end_links(tx: AsyncConnection, account: Account) -> None:
    # Whoever had the password before may have asked for these: a changed address would hand the account back to them.
    await link_queries.end_one_time_tokens(tx, account.id, [RESET, CHANGE_EMAIL])
    if account.pending_email is not None:
        await queries.update_user(tx, account.id, pending_email=None)


async def verify_email(services: Services, token: str) -> None:
    """Confirm an address by a mailed link; the second of two calls at once succeeds too. Raises `InvalidLink`."""
    async with services.db.transaction() as tx:
        known = await link_queries.one_time_token(tx, token, [VERIFY, CHANGE_EMAIL])
        if known is None:
            raise InvalidLink(INVALID_VERIFICATION)
        # The row lock makes a twin wait here until the first has finished.
        account = await queries.lock_user(tx, known["user_id"])
        used = await link_queries.use_one_time_token(tx, token, [VERIFY, CHANGE_EMAIL])
        if account is None:
            raise InvalidLink(INVALID_VERIFICATION)
        if used is None:
            if account.is_verified and account.email == known["email"]:
                return
            raise InvalidLink(INVALID_VERIFICATION)
        await _confirm(services, account, address=known["email"], purpose=known["purpose"])


async def _confirm(services: Services, account: Account, *, address: str, purpose: str) -> None:
    expected = account.email if purpose == VERIFY else account.pending_email
    if address != expected:
        raise InvalidLink(INVALID_VERIFICATION)
    async with services.db.transaction() as tx:
        try:
            await queries.update_user(
                tx,
                account.id,
                email=address,
                is_verified=True,
                pending_email=account.pending_email if purpose == VERIFY else None,
            )
        except IntegrityError as error:
            if violated_constraint(error) == "uq_users_email":
                raise UserExists from None
            raise
        # A reset link that went to the address before must not open the account after.
        await link_queries.end_one_time_tokens(tx, account.id, [RESET])
        if address != account.email:
            await services.mailer.send(tx, "email_changed", to=account.email, name=account.first_name)
        await record(tx, actor_id=account.id, action=f"account.{purpose}", entity="user", entity_id=account.id)


async def resend_verification(services: Services, email: str) -> None:
    """Mail the verification link once more; an unknown or verified address gets the same answer and no mail."""
    await links.ask(services, VERIFY, email)


async def change_profile(services: Services, user_id: UUID, body: ProfileBody, if_match: str | None) -> Account:
    """Change the fields that were sent; a new address waits for its verification.

    Raises `UserExists`, `PreconditionFailed`.
    """
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    email = sent.pop("email", None)
    # The names may not be emptied: a null for one of them means "leave it".
    changes = {name: value for name, value in sent.items() if value is not None or name in ("phone", "bio")}
    if email is not None and await _taken(services, email, user_id):
        raise UserExists
    async with services.db.transaction() as tx:
        account = await queries.lock_user(tx, user_id)
        if account is None:
            raise Unauthorized
        etags.require_match(if_match, account.updated_at)
        new_address = email is not None and email != account.email
        if email is not None:
            changes["pending_email"] = email if new_address else None
        if not changes:
            return account
        changed = await queries.update_user(tx, user_id, **changes)
        if new_address:
            token = await link_queries.insert_one_time_token(
                tx, user_id, CHANGE_EMAIL, email=str(email), lifetime_s=services.settings.verification_token_ttl_s
            )
            await services.mailer.send(tx, CHANGE_EMAIL, to=str(email), name=changed.first_name, token=token)
            # The password was not asked for: whoever has it must hear of this while they can still stop it.
            await services.mailer.send(tx, "email_changing", to=account.email, name=account.first_name)
        await record(
            tx,
            actor_id=user_id,
            action="account.change_profile",
            entity="user",
            entity_id=user_id,
            after={"fields": sorted(changes)},
        )
        return changed


async def _taken(services: Services, email: str, user_id: UUID) -> bool:
    holder = await queries.by_email(services.db, email)
    return holder is not None and holder.id != user_id
