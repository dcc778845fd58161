"""What the API does about the schema when it starts."""

import pytest
from bilten.db.database import Database
from fixtures.api import make_settings, serve
from structlog.testing import capture_logs
from support.jobs import until


async def test_an_empty_database_gets_its_schema_and_samples_before_the_first_answer(empty_database_url: str):
    async with serve(make_settings(empty_database_url, auto_migrate=True, seed=True)) as api:
        assert (await api.get("//readyz")).status == 200
        assert (await api.get("/events")).data["pagination"]["total"] > 25
        assert await api.as_user()


async def test_a_database_of_a_newer_version_is_left_alone_and_said_to_be_not_ready(
    database: Database, database_url: str
):
    async with database.transaction() as tx:
        await tx.exec_driver_sql("update alembic_version set version_num = '9999'")
    settings = make_settings(database_url, auto_migrate=True)
    async with serve(settings) as api:
        reply = await api.get("//readyz")
        assert (reply.status, reply.json["error"]) == (503, "NOT_READY")
        assert [item["field"] for item in reply.json["details"]] == ["schema"]
        assert reply.json["message"] == "Not ready: The schema is not prepared"
    assert await database.fetchval("select version_num from alembic_version") == "9999"


async def test_a_fault_while_preparing_is_logged_and_tried_again(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bilten.app.SCHEMA_RETRY_S", 0.05)
    async with database.transaction() as tx:
        await tx.exec_driver_sql("alter table users rename column email to another")
    with capture_logs() as logs:
        async with serve(make_settings(database_url, auto_migrate=True, seed=True)) as api:
            await until(lambda: any(entry["event"] == "schema_not_prepared" for entry in logs))
            assert [item["field"] for item in (await api.get("//readyz")).json["details"]] == ["schema"]
            async with database.transaction() as tx:
                await tx.exec_driver_sql("alter table users rename column another to email")

            async def ready() -> bool:
                return (await api.get("//readyz")).status == 200

            await until(ready)


@pytest.mark.parametrize("setting", ["seed", "dev_pages"])
def test_production_refuses_what_is_for_development(setting: str):
    with pytest.raises(ValueError, match=f"BILTEN_{setting.upper()}"):
        make_settings("postgresql://h/db", environment="production", **{"seed": False, setting: True})
