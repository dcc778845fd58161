"""Keeps what pages show and what files are kept for together: called by whoever stores the address of a picture.

An address of ours makes the thing that shows it a reason to keep the file. The one it showed before loses that reason,
and goes with its last one, unless it is to be kept for its own sake.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.context import Principal
from bilten.files import reference_queries
from bilten.files.addresses import key_of
from bilten.files.reference_queries import Purpose
from bilten.files.removing import remove_unreferenced
from bilten.services import Services


async def show(
    tx: AsyncConnection,
    services: Services,
    principal: Principal,
    url: str | None,
    purpose: Purpose,
    *,
    owner_id: UUID | None = None,
    **to: UUID,
) -> None:
    """A user, an event or an article (`user_id`, `event_id`, `article_id`) shows this address from now on, or none.

    Addresses elsewhere, and those of files of others than the caller and `owner_id`, whose it is, are shown as they
    are, and keep nothing: else the end of what shows it would be the end of another's file.
    """
    key = key_of(services.settings, url) if url else None
    file = await reference_queries.public_file(tx, key) if key else None
    own = file is not None and file["owner_id"] in (principal.user_id, owner_id)
    before = await reference_queries.replace(tx, file["id"] if file and own else None, purpose, **to)
    await remove_unreferenced(tx, services.settings, before, actor_id=principal.user_id)
