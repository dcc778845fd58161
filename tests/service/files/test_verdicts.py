"""Whoever waits for a verdict costs the database little."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from bilten.db.database import Database
from bilten.files import verdict
from support.house import House, letter


async def test_all_who_wait_for_verdicts_ask_the_database_together(house: House, monkeypatch: pytest.MonkeyPatch):
    token, pdf = await house.api.as_user(), {"name": "a.pdf", "media_type": "application/pdf"}
    ids = [UUID((await house.upload(token, letter(), **pdf)).data["file"]["id"]) for _ in range(3)]
    services, asked, fetch = house.api.services, 0, Database.fetch

    async def counted(db: Database, sql: str, *values: Any) -> Any:
        nonlocal asked
        asked += db is services.db
        return await fetch(db, sql, *values)

    monkeypatch.setattr(Database, "fetch", counted)
    monkeypatch.setattr(verdict, "EVERY_S", 0.5)
    rows = await asyncio.gather(*(verdict.wait_for(services, file_id, 2) for file_id in ids * 20))
    assert {row["status"] for row in rows} == {"pending"}
    assert asked <= 5
    async with house.working():
        rows = await asyncio.gather(*(verdict.wait_for(services, file_id, 60) for file_id in ids))
    assert {row["status"] for row in rows} == {"clean"}
