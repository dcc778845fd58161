"""Tells the owner of a file what was found in it."""

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.mail.compose import Mailer
from bilten.settings import Settings


async def infected(tx: AsyncConnection, settings: Settings, file: RowMapping) -> None:
    """A mail to the owner, unless the account is no more."""
    account = select(users.c.email, users.c.first_name).where(
        users.c.id == file["owner_id"], users.c.status == "active"
    )
    owner = (await tx.execute(account)).one_or_none()
    if owner is not None:
        await Mailer(settings).send(tx, "file_infected", to=owner.email, name=owner.first_name, about=file["name"])
