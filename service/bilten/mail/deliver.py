"""The job `mail.send`, and how a mail leaves: `MailTransport` is the port, the settings choose what is behind it."""

from typing import Any, Protocol
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict
from sqlalchemy.dialects.postgresql import insert

from bilten.db.database import Database
from bilten.jobs.kinds import Job, Kind
from bilten.mail.tables import mails
from bilten.settings import Settings

SEND = "mail.send"
TIMEOUT_S = 30.0

log = structlog.get_logger("bilten.mail")


class Mail(BaseModel):
    """A composed mail: one address, a subject of one line, and the same words as plain text and as HTML."""

    model_config = ConfigDict(frozen=True)

    to: str
    subject: str
    text: str
    html: str


class MailTransport(Protocol):
    """Hands a mail on. Any exception means that the job will try again."""

    async def deliver(self, job_id: UUID, mail: Mail) -> None:
        """Deliver once per `job_id`, however often it is called."""


class OutboxTransport:
    """The mailbox of development: the mail becomes a row that /dev/mail shows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def deliver(self, job_id: UUID, mail: Mail) -> None:
        """Store the mail, unless it is there already."""
        row = {
            "job_id": job_id,
            "to_address": mail.to,
            "subject": mail.subject,
            "text_body": mail.text,
            "html_body": mail.html,
        }
        async with self._db.transaction() as tx:
            await tx.execute(insert(mails).values(row).on_conflict_do_nothing(index_elements=["job_id"]))


def kinds(settings: Settings, db: Database) -> list[Kind[Any]]:
    """The kinds of job this worker can do for mail.

    Without a transport there is none: mails stay in the outbox, sealed, where the depth of the outbox shows them.
    Storing them readable instead would put links that sign in whoever reads them into a production database.
    """
    if not settings.dev_pages:
        log.warning("mail_has_no_transport", hint="Mails wait in the outbox.")
        return []
    transport: MailTransport = OutboxTransport(db)

    async def send(job: Job, mail: Mail) -> None:
        await transport.deliver(job.id, mail)

    return [Kind(name=SEND, payload=Mail, handle=send, timeout_s=TIMEOUT_S)]
