"""What the worker makes of a clean picture when making pictures of it fails."""

import pytest
from bilten.files.scan import SCAN
from bilten.local.clamd import Clamd
from support.house import House, OpenHouse
from support.jobs import change, until
from support.pictures import camera


@pytest.fixture
async def house(open_house: OpenHouse, clamd_server: Clamd) -> House:
    """Its scanner needs no children, so that only what makes pictures can be too slow."""
    return await open_house(clamd_socket=clamd_server.socket)


async def again(house: House, *, last: bool = False) -> None:
    """Let the scan be tried at once; as the last time, if so told."""
    attempts = "max_attempts - 1" if last else "0"
    await change(house.api.db, f"update jobs set attempts = {attempts}, run_at = now(), last_error = null")  # noqa: S608


async def failed(house: House) -> bool:
    error = await house.api.db.fetchval("select last_error from jobs where kind = $1", SCAN)
    return error is not None and "InspectionFailed" in error


async def test_a_picture_that_could_not_be_made_anew_in_time_is_tried_again_and_is_clean(house: House):
    token = await house.api.as_user()
    file = (await house.upload(token, camera())).data["file"]
    async with house.working(inspection_timeout_s=0.001):
        await until(lambda: failed(house))
    assert (await house.file(token, file["id"]))["status"] == "scanning"
    await again(house)
    async with house.working():
        assert (await house.ended(token, file["id"]))["status"] == "clean"


async def test_a_picture_that_cannot_be_made_anew_at_any_attempt_is_unscannable(house: House):
    token = await house.api.as_user()
    file = (await house.upload(token, camera())).data["file"]
    await again(house, last=True)
    async with house.working(inspection_timeout_s=0.001):
        ended = await house.ended(token, file["id"])
        await house.idle()
    assert ended["status"] == "unscannable"
    assert "within its limits" in ended["reason"]
    assert await house.keys() == {"quarantine": [], "media": []}


async def test_a_picture_that_is_refused_when_it_is_made_anew_is_unscannable_at_once(house: House):
    token = await house.api.as_user()
    file = (await house.upload(token, camera())).data["file"]
    async with house.working(max_image_pixels=1):
        ended = await house.ended(token, file["id"])
        await house.idle()
    assert ended["status"] == "unscannable"
    assert await house.api.db.fetchval("select attempts from jobs where kind = $1", SCAN) == 1
    assert await house.keys() == {"quarantine": [], "media": []}
