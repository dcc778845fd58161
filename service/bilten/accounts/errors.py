"""The refusals of this domain, in the contract's own words."""

from bilten.web.errors import BadRequest, Conflict, NotFound, Unauthorized


class AuthenticationFailed(Unauthorized):
    """Unknown account or wrong password; nobody can tell which."""

    code = "AUTHENTICATION_FAILED"
    message = "Invalid email or password"


class UserExists(Conflict):
    """The address belongs to an account already."""

    code = "USER_EXISTS"
    message = "User with this email already exists"


class UserNotFound(NotFound):
    """No account has this address."""

    code = "USER_NOT_FOUND"
    message = "User not found"


class WrongPassword(BadRequest):
    """Not 401: that would sign the newest frontend out (contract §4 item 18)."""

    code = "INVALID_PASSWORD"
    message = "Current password is incorrect"


class InvalidLink(BadRequest):
    """The token of a mailed link is unknown, used, expired or of another kind."""

    code = "INVALID_TOKEN"


class InvalidRefreshToken(Unauthorized):
    """Unknown, expired, or of a session that has ended."""

    code = "INVALID_REFRESH_TOKEN"
    message = "This session has ended. Sign in again."


class TokenReused(Unauthorized):
    """An old refresh token came back: somebody has a copy, so the session has been ended."""

    code = "TOKEN_REUSED"
    message = "This session was ended because an old token was used again. Sign in again."


class RefreshSuperseded(Conflict):
    """The double click: a newer token was given out a moment ago."""

    code = "REFRESH_SUPERSEDED"
    message = "A newer refresh token was given out a moment ago. Use that one."


INVALID_RESET = "Invalid or expired reset token"
INVALID_VERIFICATION = "Invalid or expired verification token"
