"""Writes the audit log, always inside the transaction whose change it describes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bilten.audit.tables import audit_log
from bilten.context import current_address, current_request_id


async def record(
    tx: AsyncConnection,
    *,
    actor_id: UUID | None,
    action: str,
    entity: str,
    entity_id: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note that `actor_id` (None: the service itself) did `action` (as in `event.publish`) to one row.

    `before` and `after` must be plain JSON values without secrets: nothing can be removed from the log later.
    """
    await tx.execute(
        audit_log.insert().values(
            actor_id=actor_id,
            action=action,
            entity=entity,
            entity_id=str(entity_id),
            request_id=current_request_id.get() or None,
            address=current_address.get(),
            before=before,
            after=after,
        )
    )
