"""What the generated tests may not complain about, because the contract forces it. Nothing else is excused."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Excuse:
    """One operation that refuses what its schema allows, with the error of the contract that says so."""

    method: str
    path: str
    status: int
    #: The call of `endpoints.json` and its error.
    cites: tuple[str, str]
    why: str


EXCUSES = (
    Excuse(
        "PUT", "/api/v1/auth/change-password", 400, ("M PUT /auth/change-password", "INVALID_PASSWORD"),
        "no schema knows the caller's password; 401 would sign the newest frontend out",
    ),
    Excuse(
        "POST", "/api/v1/auth/reset-password", 400, ("M POST /auth/reset-password", "INVALID_TOKEN"),
        "no schema knows which tokens were mailed",
    ),
    Excuse(
        "POST", "/api/v1/auth/verify-email", 400, ("M POST /auth/verify-email", "INVALID_TOKEN"),
        "no schema knows which tokens were mailed",
    ),
)  # fmt: skip

#: What is not generated at all, and the line that makes its refusal or its acceptance right.
LEFT_OUT = {
    "NUL in a text": "decisions, all answers: NUL in text is 400, which no schema of a text says",
    "forms that break their schema": "in a form all is text, so null, a number or a lone item of a list may be right",
    "both spellings of one parameter": "contract §4 item 1: snake_case first, so the other is not looked at",
}
