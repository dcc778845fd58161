"""Tells the owner of a file what was found in it.

Whoever signs up may name another's address, so only one that its owner has confirmed gets mail; and not one for each of
many files.
"""

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.accounts.tables import users
from bilten.files import quota_queries
from bilten.mail.compose import Mailer
from bilten.settings import Settings

#: Between two mails to one owner, in seconds.
PAUSE_S = 3600.0


async def infected(tx: AsyncConnection, settings: Settings, file: RowMapping) -> None:
    """A mail to the owner, unless the account is no more, or was told within the hour."""
    account = select(users.c.email, users.c.first_name).where(
        users.c.id == file["owner_id"], users.c.status == "active", users.c.is_verified
    )
    owner = (await tx.execute(account)).one_or_none()
    if owner is not None and await quota_queries.tell(tx, file["owner_id"], pause_s=PAUSE_S):
        await Mailer(settings).send(tx, "file_infected", to=owner.email, name=owner.first_name, about=file["name"])
