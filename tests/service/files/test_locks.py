"""Whoever writes to the same files at the same time waits for the other, and neither is ended for a deadlock."""

import asyncio
from collections.abc import Coroutine
from typing import Any
from uuid import UUID, uuid4

from bilten.context import Principal
from bilten.db.database import Database
from bilten.events import queries as event_queries
from bilten.files import queries, quota_queries, references
from bilten.files.removing import remove_all, remove_rows
from contract.world import NEW_EVENT
from support.house import House, letter
from support.jobs import until
from support.pictures import camera


async def begun(db: Database, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    """Work of another transaction, once it waits for a lock."""
    task = asyncio.create_task(work)

    async def waits() -> bool:
        blocked = "datname = current_database() and wait_event_type = 'Lock'"
        counted = f"select count(*) from pg_stat_activity where {blocked}"  # noqa: S608 a constant
        return task.done() or bool(await db.fetchval(counted))

    await until(waits)
    return task


async def uploaded(house: House, token: str, content: bytes) -> UUID:
    reply = await house.upload(token, letter(content), name="a.pdf", media_type="application/pdf")
    assert reply.status == 201, reply.text
    return UUID(reply.data["file"]["id"])


async def test_a_file_can_be_deleted_while_a_worker_begins_to_look_at_it(house: House):
    token, db = await house.api.as_user(), house.api.db
    file_id = await uploaded(house, token, b"first")
    version_id = await db.fetchval("select id from file_versions")

    async def looked_at() -> bool:
        async with db.transaction() as tx:
            return await queries.start_scan(tx, version_id)

    async with db.transaction() as tx:
        await queries.lock(tx, file_id)
        worker = await begun(db, looked_at())
        await remove_rows(tx, house.api.settings, file_id, actor_id=None)
    assert await worker is False
    assert not await db.fetchval("select count(*) from files")


async def test_pictures_can_go_together_while_a_worker_refuses_one_of_them(house: House):
    token, db = await house.api.as_user(), house.api.db
    first, second = sorted([await uploaded(house, token, each) for each in (b"first", b"second")])
    owner_id = await db.fetchval("select owner_id from files limit 1")

    async def gone() -> None:
        async with db.transaction() as tx:
            await remove_all(tx, house.api.settings, [first, second], actor_id=None)

    async with db.transaction() as tx:
        await queries.lock(tx, second)
        removal = await begun(db, gone())
        await quota_queries.give_back(tx, owner_id, 0)
    await removal
    assert not await db.fetchval("select count(*) from files")


async def shown_by_an_event(house: House, token: str) -> tuple[dict[str, Any], str]:
    """A picture of the library, and the id of an event with it."""
    file = await house.clean(token, camera(), visibility="public")
    made = await house.api.post("/events", token=token, json=NEW_EVENT | {"cover_image_url": file["url"]})
    return file, made.data["event"]["id"]


async def test_a_picture_can_be_deleted_while_what_shows_it_is_changed(staffed: House):
    token, api = await staffed.api.as_organizer(), staffed.api
    file, event = await shown_by_an_event(staffed, token)

    async def gone() -> None:
        assert (await api.delete(f"/files/{file['id']}", token=token)).status == 200

    async with api.db.transaction() as tx:
        row = await event_queries.lock(tx, UUID(event))
        assert row is not None
        deletion = await begun(api.db, gone())
        organizer = Principal(row["organizer_id"], "organizer", uuid4(), uuid4(), 0)
        await references.show(tx, api.services, organizer, None, "cover", event_id=row["id"])
    await deletion
    assert not await api.db.fetchval("select count(*) from files")


async def test_an_event_can_be_given_a_picture_that_is_being_deleted(staffed: House):
    token, api = await staffed.api.as_organizer(), staffed.api
    file, event = await shown_by_an_event(staffed, token)
    await api.put(f"/events/{event}", token=token, json={"cover_image_url": None})
    async with api.db.transaction() as tx:
        await remove_rows(tx, api.settings, UUID(file["id"]), actor_id=None)
        changed = await begun(api.db, api.put(f"/events/{event}", token=token, json={"cover_image_url": file["url"]}))
    reply = await changed
    assert reply.status == 200, reply.text
    assert not await api.db.fetchval("select count(*) from file_references")
