"""What crosses the wire about accounts. Answers carry both spellings; no field here can hold a password or its hash."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import email_validator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from bilten.accounts.passwords import MAX_LENGTH
from bilten.context import Role
from bilten.web import etags
from bilten.web.answers import Answer
from bilten.web.spelling import Body
from bilten.web.text import Line


def _email(text: str) -> str:
    try:
        # `.test` and its like are fine: whether mail arrives is for the verification mail to find out.
        valid = email_validator.validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError:
        raise ValueError("must be an e-mail address, like name@example.com") from None
    if valid.ascii_email is None:
        raise ValueError("must have only ASCII characters before the @")
    return valid.ascii_email.lower()


def _known_email(text: str) -> str:
    try:
        return _email(text)
    except ValueError:
        return text.strip().lower()


#: An address as it is stored: trimmed, lower-case, ASCII.
Email = Annotated[
    str,
    Field(max_length=254),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]
#: An address only looked up: what is no address is merely unknown.
KnownEmail = Annotated[str, Field(min_length=1, max_length=254), AfterValidator(_known_email)]
Password = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
#: The rule's length is a setting and its letters no pattern says: `actions.check_new_password` tells all of it.
NewPassword = Annotated[
    Password,
    WithJsonSchema(
        {
            "type": "string",
            "format": "new-password",
            "minLength": 6,
            "maxLength": MAX_LENGTH,
            "description": "With an upper-case letter, a lower-case letter and a digit.",
        }
    ),
]
GivenName = Annotated[str, Line(at_most=100)]
LastName = Annotated[str, Line(at_most=100, required=False)]
OneTimeToken = Annotated[str, Field(min_length=1, max_length=200)]


class LoginBody(Body):
    """An address and its password; no length rule, a seeded password has seven characters."""

    email: KnownEmail
    password: Password


class RegisterBody(Body):
    """A new account. `name`, split at its first space, may stand for the two names."""

    email: Email
    password: NewPassword
    first_name: GivenName
    last_name: LastName = ""
    role: Literal["user", "organizer"] = "user"

    @model_validator(mode="before")
    @classmethod
    def _split_name(cls, values: Any) -> Any:
        if (
            isinstance(values, dict)
            and isinstance(values.get("name"), str)
            and not {"first_name", "firstName"} & values.keys()
        ):
            first, _, last = values["name"].strip().partition(" ")
            return {"last_name": last.strip(), **values, "first_name": first}
        return values


class ChangePasswordBody(Body):
    """The password now and the one to be."""

    current_password: Password
    new_password: NewPassword


class AddressBody(Body):
    """Whom to write to."""

    email: KnownEmail


class ResetPasswordBody(Body):
    """The token of the mailed link and the password to be."""

    token: OneTimeToken
    new_password: NewPassword


class VerifyEmailBody(Body):
    """The token of the mailed link."""

    token: OneTimeToken


class RefreshBody(Body):
    """The refresh token of the latest answer that had one."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class ProfileBody(Body):
    """The fields to change; those not sent stay. A new address counts once its mailed link was followed."""

    first_name: GivenName | None = None
    last_name: LastName | None = None
    email: Email | None = None
    phone: Annotated[str, Line(at_most=32, required=False)] | None = None
    bio: Annotated[str, Field(max_length=2000)] | None = None


class User(BaseModel):
    """An account as its owner sees it: the mock's fields, and beside them those the pages read."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: Role
    is_verified: bool
    created_at: datetime
    updated_at: datetime
    firstName: str
    lastName: str
    name: str
    isOrganizer: bool
    profileImageUrl: str | None
    profileImage: str | None
    phone: str | None
    bio: str | None
    dateOfBirth: date | None
    address: str | None
    city: str | None
    country: str | None

    def etag(self) -> str:
        """The tag of an answer that shows this account."""
        return etags.tag(self.updated_at, self.model_dump_json().encode())


class UserData(BaseModel):
    """One account."""

    user: User


class SignedIn(UserData):
    """An account with what proves it. `accessToken` is `token` under the newer frontend's name."""

    token: str
    accessToken: str
    refreshToken: str


class Tokens(BaseModel):
    """Fresh tokens of a session."""

    token: str
    accessToken: str
    refreshToken: str


class SignedInAnswer(Answer):
    """The caller is signed in."""

    message: str
    data: SignedIn


class TokensAnswer(Answer):
    """The session goes on."""

    message: str
    data: Tokens


class UserAnswer(Answer):
    """The caller's own account; `user` once more at the top for the newest frontend."""

    may_be_kept = False

    data: UserData
    user: User

    def etag(self) -> str:
        """The account's."""
        return self.user.etag()


class ProfileAnswer(Answer):
    """The changed account."""

    may_be_kept = False

    message: str
    data: UserData

    def etag(self) -> str:
        """The account's."""
        return self.data.user.etag()
