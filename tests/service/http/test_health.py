"""Alive, ready, and what the status badge shows, while dependencies come and go."""

import asyncio

from bilten.local.objectstore import S3Address
from bilten.local.postgres import Postgres
from fixtures.api import Api, StartApi, make_settings, serve
from support.jobs import until
from support.shape import assert_error


async def ready(api: Api) -> bool:
    return (await api.get("//readyz")).status == 200


async def test_all_three_are_fine_when_everything_is_there(api: Api):
    assert (await api.get("//livez")).json == {"success": True, "status": "OK"}
    listed = (await api.get("//readyz")).json["dependencies"]
    assert [dependency["name"] for dependency in listed] == ["database"]
    assert (await api.get("//health")).json["status"] == "OK"


async def test_without_its_database_the_process_lives_but_is_not_ready_until_it_is_back(private_postgres: Postgres):
    async with serve(make_settings(private_postgres.url(), auto_migrate=True, seed=True)) as api:
        assert (await api.get("//readyz")).status == 200
        assert (await api.get("/events")).status == 200

        private_postgres.stop()
        await asyncio.sleep(1.1)  # one result serves the probes of a second
        assert (await api.get("//livez")).status == 200
        refused = assert_error(await api.get("//readyz"), 503, "NOT_READY")
        assert [detail["field"] for detail in refused["details"]] == ["database"]
        assert_error(await api.get("//health"), 503, "SERVICE_UNAVAILABLE")
        assert_error(await api.get("/events"), 503, "SERVICE_UNAVAILABLE")

        private_postgres.start()
        private_postgres.wait_ready()
        await until(lambda: ready(api))
        assert (await api.get("/events")).status == 200
        assert (await api.post("/auth/login", json={"email": "user@bilten.com", "password": "user123"})).status == 200


async def test_an_api_that_starts_before_its_database_prepares_it_when_it_comes(private_postgres: Postgres):
    private_postgres.stop()
    async with serve(make_settings(private_postgres.url(), auto_migrate=True, seed=True)) as api:
        refused = assert_error(await api.get("//readyz"), 503, "NOT_READY")
        assert {detail["field"] for detail in refused["details"]} == {"database", "schema"}
        private_postgres.start()
        private_postgres.wait_ready()
        await until(lambda: ready(api))
        assert (await api.get("/events")).data["events"]


async def test_the_object_store_is_listed_and_its_keys_must_fit(start_api: StartApi, object_store: S3Address):
    there = {"s3_endpoint": object_store.endpoint, "s3_access_key": object_store.access_key}
    api = await start_api(**there, s3_secret_key=object_store.secret_key)
    listed = (await api.get("//readyz")).json["dependencies"]
    assert [dependency["name"] for dependency in listed] == ["database", "object_store"]
    assert all(dependency["latency_ms"] > 0 for dependency in listed)
    api = await start_api(**there, s3_secret_key="another-key")
    refused = assert_error(await api.get("//readyz"), 503, "NOT_READY")
    assert [detail["field"] for detail in refused["details"]] == ["object_store"]
