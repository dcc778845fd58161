"""Time passing for mailed links."""

from bilten.db.database import Database
from support.jobs import change


async def a_minute_passes(db: Database) -> None:
    """Every link was made so much earlier: another of its kind may be asked for again."""
    await change(db, "update one_time_tokens set created_at = created_at - interval '61 s'")
