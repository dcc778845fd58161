"""The sweep: what rows and buckets do not agree on, found and mended."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from bilten.files import sweep, watch
from bilten.files.addresses import media_key, original_key
from bilten.files.sweep import Sweeper
from bilten.files.sweep_job import SWEEP, ask_when_due
from support.documents import pdf
from support.house import House
from support.jobs import change, until
from support.pictures import camera


def sweeper(house: House) -> Sweeper:
    return Sweeper(house.api.settings, house.api.db, house.store, timedelta(0))


async def test_all_in_order_is_left_alone(staffed: House):
    token = await staffed.api.as_user()
    await staffed.clean(token, camera())
    await staffed.idle()
    before = await staffed.keys()
    found = await sweeper(staffed).sweep()
    assert found.nothing, found
    assert await staffed.keys() == before


async def test_objects_that_no_row_knows_go(staffed: House):
    token = await staffed.api.as_user()
    await staffed.clean(token, camera())
    await staffed.idle()
    before, settings = await staffed.keys(), staffed.api.settings
    odd = [uuid4().hex, f"uploads/{uuid4().hex}", "not-of-ours", f"{uuid4().hex}-{'0' * 64}.jpg"]
    for bucket in (settings.s3_quarantine_bucket, settings.s3_media_bucket):
        for key in odd:
            await staffed.store.put_bytes(bucket, key, b"x", "text/plain")
    dry = await sweeper(staffed).sweep(dry_run=True)
    assert len(dry.orphans) == 2 * len(odd)
    assert len((await staffed.keys())["quarantine"]) == len(odd)
    found = await sweeper(staffed).sweep()
    assert found.orphans == dry.orphans
    assert await staffed.keys() == before
    assert (await sweeper(staffed).sweep()).nothing


async def test_what_a_scan_that_is_tried_again_has_put_there_before_is_left_alone(house: House):
    token = await house.api.as_user()
    await house.upload(token, camera())
    version: UUID = await house.api.db.fetchval("select id from file_versions")
    bucket = house.api.settings.s3_media_bucket
    for key in (media_key(version, "0" * 64, "large.jpg"), original_key(version)):
        await house.store.put_bytes(bucket, key, b"x", "image/jpeg")
    before = await house.keys()
    assert (await sweeper(house).sweep()).orphans == []
    assert await house.keys() == before
    await change(house.api.db, "update file_versions set status = 'unscannable'")
    assert len((await sweeper(house).sweep()).orphans) == 3


async def test_what_is_younger_than_the_grace_is_left_alone(house: House):
    bucket = house.api.settings.s3_quarantine_bucket
    await house.store.put_bytes(bucket, uuid4().hex, b"x", "text/plain")
    found = await Sweeper(house.api.settings, house.api.db, house.store, timedelta(minutes=5)).sweep()
    assert found.nothing
    assert len((await house.keys())["quarantine"]) == 1


async def test_a_scan_whose_job_is_gone_is_asked_for_again(house: House):
    token = await house.api.as_user()
    file = (await house.upload(token, camera())).data["file"]
    await change(house.api.db, "delete from jobs")
    found = await sweeper(house).sweep()
    assert len(found.stuck) == 1
    async with house.working():
        assert (await house.ended(token, file["id"]))["status"] == "clean"


async def test_bytes_that_are_gone_are_told(staffed: House):
    token = await staffed.api.as_user()
    await staffed.clean(token, camera())
    await staffed.idle()
    await staffed.store.remove(staffed.api.settings.s3_media_bucket, (await staffed.keys())["media"])
    found = await sweeper(staffed).sweep()
    assert len(found.lost) == 1
    assert not (await sweeper(staffed).sweep(dry_run=True)).nothing


@pytest.mark.parametrize("kind", ["a variant", "the original", "a document"])
async def test_whatever_is_gone_of_a_version_is_told_of_that_one(
    staffed: House, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """With more versions than are compared at a time, and objects among theirs that no row knows."""
    monkeypatch.setattr(sweep, "BATCH", 2)
    token = await staffed.api.as_user()
    for _ in range(4):
        await staffed.clean(token, camera())
    await staffed.clean(token, pdf(b"a page"), name="a.pdf", media_type="application/pdf")
    await staffed.idle()
    bucket = staffed.api.settings.s3_media_bucket
    for key in (f"{uuid4().hex}-{'0' * 64}.jpg", original_key(uuid4()), "zzz"):
        await staffed.store.put_bytes(bucket, key, b"x", "text/plain")
    versions = await staffed.api.db.fetch("select id, served_key, width from file_versions order by id")
    lacking = [each for each in versions if (each["width"] is None) == (kind == "a document")][-1]
    gone = {"the original": original_key(lacking["id"]), "a document": lacking["served_key"]}.get(kind)
    if gone is None:
        gone = await staffed.api.db.fetchval(
            "select key from file_variants where version_id = $1 and name = 'small'", lacking["id"]
        )
    await staffed.store.remove(bucket, [gone])
    found = await sweeper(staffed).sweep()
    assert found.lost == [lacking["id"]]
    assert len(found.orphans) == 3


async def test_what_was_begun_and_given_up_ends(house: House, monkeypatch: pytest.MonkeyPatch):
    """Also more of it than are ended at a time; and each counts once, with the quota that it held."""
    monkeypatch.setattr(sweep, "BATCH", 2)
    token = await house.api.as_user()
    begun = {"name": "a.jpg", "media_type": "image/jpeg", "size_bytes": 1000, "sha256": "0" * 64}
    for _ in range(5):
        assert (await house.api.post("/files/uploads", token=token, json=begun)).status == 201
    past = "created_at = now() - interval '2 days', expires_at = now() - interval '1 day'"
    for table in ("file_uploads", "quota_reservations"):
        await change(house.api.db, f"update {table} set {past}")  # noqa: S608 constants
    # One was completed long ago, and one reservation is of an upload in a form.
    file = (await house.upload(token, camera())).data["file"]
    one = "id = (select min(id::text)::uuid from file_uploads)"
    await change(house.api.db, f"update file_uploads set file_id = '{file['id']}' where {one}")  # noqa: S608 constants
    await change(house.api.db, f"delete from quota_reservations where {one}")  # noqa: S608 constants
    two = "id = (select max(id::text)::uuid from file_uploads)"
    await change(house.api.db, f"update quota_reservations set id = gen_random_uuid() where {two}")  # noqa: S608 constants
    await change(house.api.db, f"delete from file_uploads where {two}")  # noqa: S608 constants
    assert (await sweeper(house).sweep(dry_run=True)).abandoned == 4
    assert (await sweeper(house).sweep()).abandoned == 4
    quota = (await house.api.get("/files/quota", token=token)).data["quota"]
    assert quota["reserved_bytes"] == 1000  # of the one that was completed, whose reservation is no row any more
    assert await house.api.db.fetchval("select count(*) from file_uploads") == 0


async def test_all_that_nothing_shows_goes_however_much_it_is(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweep, "BATCH", 2)
    token = await house.api.as_user()
    for _ in range(5):
        await house.upload(token, camera())
    old = "created_at = now() - interval '2 days'"
    await change(house.api.db, f"update files set {old}, retention = 'referenced'")  # noqa: S608 constants
    await change(house.api.db, f"update file_versions set {old}")  # noqa: S608 constants
    await change(house.api.db, "delete from jobs")
    dry = await sweeper(house).sweep(dry_run=True)
    assert (len(dry.stuck), len(dry.unshown)) == (5, 5)
    found = await sweeper(house).sweep()
    assert (len(found.stuck), len(found.unshown)) == (5, 5)
    assert await house.api.db.fetchval("select count(*) from files") == 0


async def sweeps(house: House) -> int:
    """How many were asked for."""
    count: int = await house.api.db.fetchval("select count(*) from jobs where kind = $1", SWEEP)
    return count


async def test_one_worker_sweeps_once_an_hour_however_many_there_are(house: House):
    async def due() -> int:
        for _worker in range(2):
            await ask_when_due(house.api.settings, house.api.db)
        return await sweeps(house)

    assert await due() == 1
    async with house.working():
        await house.idle()
    assert await due() == 1
    await change(house.api.db, "update jobs set finished_at = finished_at - interval '61 minutes'")
    assert await due() == 2


async def test_a_worker_sees_to_it_that_buckets_are_swept(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watch, "SWEEP_LOOK_EVERY_S", 0)

    async def swept() -> bool:
        done = "select count(*) from jobs where kind = $1 and finished_at is not null"
        return bool(await house.api.db.fetchval(done, SWEEP))

    async with house.working():
        await until(swept)
