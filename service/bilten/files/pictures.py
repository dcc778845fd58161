"""The frontends' own uploads (tier U): public pictures whose call waits until they can be shown.

They lie in places of their own. Those of accounts and events are not kept for their own sake: one that nothing shows
any more goes. Nothing here knows what shows a gallery, so its pictures stay until they are deleted.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

import orjson

from bilten.context import Principal
from bilten.files import intake, reference_queries, verdict
from bilten.files.addresses import public_url
from bilten.files.errors import FileNotAllowed, FileNotFound, InvalidFileType, TypeNotTaken, VerdictAwaited
from bilten.files.intake import Bytes, TakenIn
from bilten.files.list_queries import Row
from bilten.files.picture_schemas import Picture
from bilten.files.removing import remove_all, remove_unreferenced
from bilten.services import Services
from bilten.web.errors import ApiError
from bilten.web.forms import ReceivedFile, Upload

Place = Literal["profiles", "events", "gallery"]

#: How long a call may wait for the verdict, in seconds: the frontends give up after ten.
WAIT_S = 8.0
TYPES = ("image/jpeg", "image/png", "image/webp")


@asynccontextmanager
async def taken_in(services: Services, principal: Principal, upload: Upload[Any]) -> AsyncIterator[list[TakenIn]]:
    """All pictures of a form, ready to be the caller's; none of them where one is refused."""
    async with AsyncExitStack() as stack:
        pictures = [received for files in upload.files.values() for received in files]
        taken = [await stack.enter_async_context(_one(services, principal, each)) for each in pictures]
        await upload.release()
        yield taken


@asynccontextmanager
async def _one(services: Services, principal: Principal, received: ReceivedFile) -> AsyncIterator[TakenIn]:
    arrived = Bytes.of(received)
    if arrived.media_type not in TYPES:
        raise InvalidFileType
    try:
        inspection = await intake.look_at(services, arrived)
    except TypeNotTaken:
        raise InvalidFileType from None
    put = intake.from_spool(services, arrived)
    async with intake.paid_for(services, principal, principal.user_id, arrived, inspection, put) as taken:
        yield taken


async def add(services: Services, owner: Principal, place: Place, taken: Sequence[TakenIn]) -> list[Picture]:
    """Files of these pictures, all or none. They have no addresses yet."""
    retention = "kept" if place == "gallery" else "referenced"
    wanted = {"visibility": "public", "place": place, "retention": retention, "folder": f"/{place}"}
    async with services.db.transaction() as tx:
        rows = [await intake.write_down(tx, services, owner, each, wanted) for each in taken]
    for each in taken:
        each.kept = True
    return [Picture.waiting(row) for row in rows]


async def shown(services: Services, owner: Principal, waiting: Sequence[Picture]) -> list[Row]:
    """The files once they are clean. Where one is not, none of them stays: raises `FileInfected`, `FileNotAllowed`.

    Raises `VerdictAwaited` when there is no verdict in time; the files wait for theirs then.
    """
    seen = await asyncio.gather(
        *(verdict.wait_for(services, each.id, WAIT_S) for each in waiting), return_exceptions=True
    )
    problem = next((each for each in seen if isinstance(each, BaseException)), None)
    rows = [each for each in seen if not isinstance(each, BaseException)]
    if problem is None and any(row["status"] in ("unscannable", "error") for row in rows):
        problem = FileNotAllowed(next(row["reason"] for row in rows if row["reason"]))
    if problem is not None:
        if isinstance(problem, ApiError):
            async with services.db.transaction() as tx:
                await remove_all(tx, services.settings, [row["id"] for row in rows], actor_id=owner.user_id)
        raise problem
    if any(row["status"] != "clean" for row in rows):
        raise VerdictAwaited
    return rows


async def show_profile(services: Services, owner: Principal, row: Row) -> None:
    """Let a clean picture be that of the caller's account; the one before goes."""
    url = public_url(services.settings, row["place"], row["served_key"])
    async with services.db.transaction() as tx:
        await reference_queries.show_profile(tx, owner.user_id, url)
        if not await reference_queries.keep(tx, row["id"]):
            raise FileNotFound
        before = await reference_queries.replace(tx, row["id"], "profile", user_id=owner.user_id)
        await remove_unreferenced(tx, services.settings, before, actor_id=owner.user_id)


def variant_url(services: Services, row: Row, name: str, *, webp: bool) -> str:
    """The address of one of the pictures made of a clean one."""
    for each in orjson.loads(row["variants"]):
        if each["name"] == name and (each["media_type"] == "image/webp") == webp:
            return public_url(services.settings, row["place"], each["key"])
    return public_url(services.settings, row["place"], row["served_key"])
