"""Mails of the service's own: what they say, to whom, and with which link. `Mailer` puts them into the outbox.

Names are whatever somebody typed at registration, with an address that may not be theirs: they are escaped, never
reach a header, and are left out when they look like an advertisement's link.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import jinja2
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.jobs.queries import enqueue
from bilten.mail.deliver import SEND, Mail
from bilten.settings import Settings

MAX_ADDRESS_LENGTH = 254
MAX_NAME_LENGTH = 60

#: One mailbox and nothing that could end its header, begin another, or add a recipient (RFC 5322 §3.4).
_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f@<>()\[\]\\,;:\"]+@[^\s\x00-\x20\x7f@<>()\[\]\\,;:\"]+")
#: What mail programs turn into a link by themselves.
_LINK_LIKE = re.compile(r"[/@:]|\w\.\w\w|www\.", re.IGNORECASE)


class UnsafeAddress(ValueError):
    """The address could change the mail's header; it must be refused where it is typed."""


@dataclass(frozen=True, slots=True)
class _Template:
    subject: str
    page: str | None


Template = Literal[
    "verify_email",
    "reset_password",
    "change_email",
    "email_changing",
    "email_changed",
    "password_changed",
    "file_infected",
]

_TEMPLATES: dict[Template, _Template] = {
    "verify_email": _Template("Confirm your e-mail address", "/verify-email"),
    "reset_password": _Template("Reset your password", "/reset-password"),
    "change_email": _Template("Confirm your new e-mail address", "/verify-email"),
    "email_changing": _Template("A new e-mail address for your account", None),
    "email_changed": _Template("Your e-mail address was changed", None),
    "password_changed": _Template("Your password was changed", None),
    "file_infected": _Template("A file of yours was removed", None),
}

_RENDER = jinja2.Environment(
    loader=jinja2.PackageLoader("bilten.mail"),
    autoescape=jinja2.select_autoescape(["html"], default=False),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


class Mailer:
    """Composes mails and writes them as jobs; the worker delivers them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._frontend = str(settings.frontend_url).rstrip("/")

    async def send(
        self, tx: AsyncConnection, template: Template, *, to: str, name: str, token: str | None = None, about: str = ""
    ) -> UUID:
        """Put a mail into the outbox, in the caller's transaction; the id of its job. `about` is the name of a file.

        Raises `UnsafeAddress`; `ValueError` when a template with a link gets no token.
        """
        mail = self.compose(template, to=to, name=name, token=token, about=about)
        return await enqueue(tx, self._settings, SEND, mail.model_dump())

    def compose(self, template: Template, *, to: str, name: str, token: str | None = None, about: str = "") -> Mail:
        """The mail as it will be sent. Raises as `send` does."""
        if len(to) > MAX_ADDRESS_LENGTH or not _ADDRESS.fullmatch(to):
            raise UnsafeAddress(
                "The address is not one mailbox: too long, or with a sign that means something in a header"
            )
        chosen = _TEMPLATES[template]
        values = {
            "greeting": greeting(name),
            "subject": chosen.subject,
            "about": title(about),
            "frontend": self._frontend,
            "link": self._link(chosen.page, token) if chosen.page else None,
            "verification_life": life(self._settings.verification_token_ttl_s),
            "reset_life": life(self._settings.reset_token_ttl_s),
        }
        return Mail(
            to=to,
            subject=chosen.subject,
            text=_RENDER.get_template(f"{template}.txt").render(values),
            html=_RENDER.get_template(f"{template}.html").render(values),
        )

    def _link(self, page: str, token: str | None) -> str:
        if not token:
            raise ValueError(f"A mail that leads to {page} needs a token")
        return f"{self._frontend}{page}?{urlencode({'token': token})}"


def greeting(name: str) -> str:
    """`Hello Ada,`, or `Hello,` to a name that is none."""
    words = _printable(name)
    return f"Hello {words}," if 0 < len(words) <= MAX_NAME_LENGTH and not _LINK_LIKE.search(words) else "Hello,"


def title(name: str) -> str:
    """A file's name as a mail may show it; empty when it looks like a link, which an extension alone does not."""
    words = _printable(name)
    stem = words.rpartition(".")[0]
    return words if 0 < len(stem) <= MAX_NAME_LENGTH and not _LINK_LIKE.search(stem) else ""


def _printable(text: str) -> str:
    # Categories C: control and format signs, among them those that turn the direction of the text after them.
    printable = "".join(" " if unicodedata.category(sign).startswith(("C", "Z")) else sign for sign in text)
    return " ".join(printable.split())


def life(seconds: int) -> str:
    """How long a link lasts, in words, rounded down to the unit that says it best: `24 hours`, but `2 days`."""
    for unit, size, at_least in (("day", 86400, 2), ("hour", 3600, 1), ("minute", 60, 1)):
        if (count := seconds // size) >= at_least:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"
