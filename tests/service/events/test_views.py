"""Views are counted whatever happens to the counting."""

import pytest
from fixtures.api import Api
from structlog.testing import capture_logs
from support.jobs import until

FIRST = "550e8400-e29b-41d4-a716-446655440101"


async def test_a_fault_of_the_counting_is_logged_and_the_next_views_are_counted(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bilten.db.counters.FLUSH_EVERY_S", 0.05)

    async def rename(old: str, new: str) -> None:
        async with api.db.transaction() as tx:
            await tx.exec_driver_sql(f"alter table events rename column {old} to {new}")

    async def views() -> int:
        return await api.db.fetchval("select view_count from events where id = $1", FIRST)

    before = await views()
    await rename("view_count", "another")
    with capture_logs() as logs:
        api.services.views.count("events", FIRST)
        await until(lambda: any(entry["event"] == "views_lost" for entry in logs))
    await rename("another", "view_count")
    api.services.views.count("events", FIRST)

    async def counted() -> bool:
        return await views() == before + 1

    await until(counted)
