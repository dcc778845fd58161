"""The calls about accounts: `/auth/*` and `/users/profile`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bilten.accounts import actions, sessions
from bilten.accounts.errors import (
    INVALID_RESET,
    INVALID_VERIFICATION,
    AuthenticationFailed,
    InvalidLink,
    InvalidRefreshToken,
    RefreshSuperseded,
    TokenReused,
    UserExists,
    UserNotFound,
    WrongPassword,
)
from bilten.accounts.queries import Account
from bilten.accounts.schemas import (
    AddressBody,
    ChangePasswordBody,
    LoginBody,
    ProfileAnswer,
    ProfileBody,
    RefreshBody,
    RegisterBody,
    ResetPasswordBody,
    SignedIn,
    SignedInAnswer,
    Tokens,
    TokensAnswer,
    User,
    UserAnswer,
    UserData,
    VerifyEmailBody,
)
from bilten.accounts.sessions import Grant
from bilten.context import Principal
from bilten.services import Services
from bilten.web.answers import MessageAnswer
from bilten.web.endpoint import endpoint


def user_of(account: Account) -> User:
    """The account as its owner sees it."""
    return User(
        id=account.id,
        email=account.email,
        first_name=account.first_name,
        last_name=account.last_name,
        role=account.role,
        is_verified=account.is_verified,
        created_at=account.created_at,
        updated_at=account.updated_at,
        firstName=account.first_name,
        lastName=account.last_name,
        name=f"{account.first_name} {account.last_name}".strip(),
        isOrganizer=account.role == "organizer",
        profileImageUrl=account.profile_image_url,
        profileImage=account.profile_image_url,
        phone=account.phone,
        bio=account.bio,
        dateOfBirth=account.date_of_birth,
        address=account.address,
        city=account.city,
        country=account.country,
    )


def _signed_in(grant: Grant, message: str) -> SignedInAnswer:
    data = SignedIn(
        user=user_of(grant.account),
        token=grant.access_token,
        accessToken=grant.access_token,
        refreshToken=grant.refresh_token,
    )
    return SignedInAnswer(message=message, data=data)


@endpoint("POST", "/auth/login", summary="Sign in", tier="M", errors=[AuthenticationFailed()])
async def login(request: web.Request, services: Services, body: LoginBody) -> SignedInAnswer:
    grant = await sessions.sign_in(services, sessions.client_of(request), email=body.email, password=body.password)
    return _signed_in(grant, "Login successful")


@asynccontextmanager
async def _hashed(services: Services, body: RegisterBody) -> AsyncIterator[str]:
    """The hash of a new account's password, made before anything is locked."""
    yield await actions.hash_new_password(services, body)


@endpoint(
    "POST",
    "/auth/register",
    summary="Make an account and sign in",
    tier="M",
    status=201,
    creates=True,
    errors=[UserExists()],
    prepare=_hashed,
)
async def register(request: web.Request, services: Services, body: RegisterBody, prepared: str) -> SignedInAnswer:
    grant = await actions.register(services, sessions.client_of(request), body, password_hash=prepared)
    return _signed_in(grant, "Registration successful")


@endpoint(
    "POST", "/auth/logout", summary="Sign out; without a token there is nothing to end", auth="optional", tier="M"
)
async def logout(services: Services, principal: Principal | None) -> MessageAnswer:
    await sessions.sign_out(services, principal)
    return MessageAnswer(message="Logout successful")


@endpoint(
    "PUT",
    "/auth/change-password",
    summary="Set a new password; every other session ends",
    auth="user",
    tier="M",
    errors=[WrongPassword()],
)
async def change_password(services: Services, principal: Principal, body: ChangePasswordBody) -> MessageAnswer:
    await actions.change_password(services, principal, now=body.current_password, new=body.new_password)
    return MessageAnswer(message="Password changed successfully")


@endpoint(
    "POST", "/auth/forgot-password", summary="Mail a link that sets a new password", tier="M", errors=[UserNotFound()]
)
async def forgot_password(services: Services, body: AddressBody) -> MessageAnswer:
    await actions.forgot_password(services, body.email)
    return MessageAnswer(message="Password reset email sent")


@endpoint(
    "POST",
    "/auth/reset-password",
    summary="Set a new password by a mailed link; every session ends",
    tier="M",
    errors=[InvalidLink(INVALID_RESET)],
)
async def reset_password(services: Services, body: ResetPasswordBody) -> MessageAnswer:
    await actions.reset_password(services, token=body.token, new=body.new_password)
    return MessageAnswer(message="Password reset successful")


@endpoint(
    "POST",
    "/auth/verify-email",
    summary="Confirm an address by a mailed link",
    tier="M",
    errors=[InvalidLink(INVALID_VERIFICATION), UserExists()],
)
async def verify_email(services: Services, body: VerifyEmailBody) -> MessageAnswer:
    await actions.verify_email(services, body.token)
    return MessageAnswer(message="Email verified successfully")


@endpoint("POST", "/auth/resend-verification", summary="Mail the verification link once more", tier="M")
async def resend_verification(services: Services, body: AddressBody) -> MessageAnswer:
    await actions.resend_verification(services, body.email)
    return MessageAnswer(message="Verification email sent")


async def _refresh(services: Services, body: RefreshBody) -> TokensAnswer:
    grant = await sessions.refresh(services, body.refresh_token)
    data = Tokens(token=grant.access_token, accessToken=grant.access_token, refreshToken=grant.refresh_token)
    return TokensAnswer(message="Token refreshed", data=data)


_REFRESH_ERRORS = (InvalidRefreshToken(), TokenReused(), RefreshSuperseded())


@endpoint("POST", "/auth/refresh", summary="Swap a refresh token for new tokens", errors=_REFRESH_ERRORS)
async def refresh(services: Services, body: RefreshBody) -> TokensAnswer:
    return await _refresh(services, body)


@endpoint("POST", "/auth/refresh-token", summary="`/auth/refresh` under its other name", errors=_REFRESH_ERRORS)
async def refresh_token(services: Services, body: RefreshBody) -> TokensAnswer:
    return await _refresh(services, body)


@endpoint("GET", "/auth/me", summary="The caller's account", auth="user", tier="F")
async def me(services: Services, principal: Principal) -> UserAnswer:
    user = user_of(await actions.current(services, principal))
    return UserAnswer(data=UserData(user=user), user=user)


@endpoint("GET", "/users/profile", summary="The caller's account", auth="user", tier="F")
async def profile(services: Services, principal: Principal) -> UserAnswer:
    return await me(services, principal)


@endpoint("PUT", "/users/profile", summary="Change the caller's account", auth="user", tier="F", errors=[UserExists()])
async def change_profile(
    services: Services, principal: Principal, body: ProfileBody, if_match: str | None
) -> ProfileAnswer:
    account = await actions.change_profile(services, principal.user_id, body, if_match)
    return ProfileAnswer(message="Profile updated successfully", data=UserData(user=user_of(account)))
