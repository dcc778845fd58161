"""Links by mail for whoever names an address: asked for in a request, made by the worker.

The request writes the same row for every address, so that neither its answer nor its time tells which addresses have
an account.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from bilten.accounts import link_queries, queries
from bilten.audit.queries import record
from bilten.context import current_address
from bilten.db.database import Database
from bilten.jobs.kinds import Job, Kind
from bilten.jobs.queries import enqueue
from bilten.mail.compose import Mailer
from bilten.services import Services
from bilten.settings import Settings

Purpose = Literal["verify_email", "reset_password"]

LINK = "account.link"
TIMEOUT_S = 30.0
#: Between two links of one purpose for one account.
PAUSE_S = 60


class WantedLink(BaseModel):
    """What for, to which address if an account has it, and from where it was asked for."""

    model_config = ConfigDict(frozen=True)

    purpose: Purpose
    email: str
    asked_from: str | None


async def ask(services: Services, purpose: Purpose, email: str) -> None:
    """Let the worker mail a link to this address, if there is an account that needs one."""
    wanted = WantedLink(purpose=purpose, email=email, asked_from=current_address.get())
    async with services.db.transaction() as tx:
        await enqueue(tx, services.settings, LINK, wanted.model_dump())


def kinds(settings: Settings, db: Database) -> list[Kind[Any]]:
    """The kinds of job there are for accounts."""
    mailer = Mailer(settings)
    lifetimes: dict[Purpose, int] = {
        "verify_email": settings.verification_token_ttl_s,
        "reset_password": settings.reset_token_ttl_s,
    }

    async def make(job: Job, wanted: WantedLink) -> None:
        account = await queries.by_email(db, wanted.email)
        if account is None or (wanted.purpose == "verify_email" and account.is_verified):
            return
        current_address.set(wanted.asked_from)
        async with db.transaction() as tx:
            # One after another for one account. The token bears the job's id: done twice, a job still makes one link.
            await queries.lock_user(tx, account.id)
            if await link_queries.one_time_token_exists(tx, job.id):
                return
            # Nobody's mailbox is filled, and no link made void before it can be read, by others who ask for more.
            if await link_queries.made_within(tx, account.id, wanted.purpose, seconds=PAUSE_S):
                return
            token = await link_queries.insert_one_time_token(
                tx, account.id, wanted.purpose, email=account.email, lifetime_s=lifetimes[wanted.purpose], id=job.id
            )
            await mailer.send(tx, wanted.purpose, to=account.email, name=account.first_name, token=token)
            if wanted.purpose == "reset_password":
                await record(tx, actor_id=None, action="account.forgot_password", entity="user", entity_id=account.id)

    return [Kind(name=LINK, payload=WantedLink, handle=make, timeout_s=TIMEOUT_S)]
