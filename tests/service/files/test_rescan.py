"""New signatures look at old files; what is infected after all is gone everywhere, and its owner is told."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from bilten.files import queries, rescan, rescan_queries
from bilten.files.rescan import Walk
from bilten.files.scan import Inspector
from bilten.jobs.queries import enqueue
from bilten.local.clamd import Clamd
from bilten.scanning import stamp
from bilten.scanning.choice import NoScanner
from bilten.scanning.clamd import Address, ClamdScanner
from bilten.scanning.errors import ScanUnavailable
from bilten.scanning.scanner import EngineVersion
from bilten.scanning.workshop import Workshop
from fixtures.clamd import StartClamd, reload
from support.house import House, OpenHouse, letter
from support.jobs import change, until
from support.pictures import camera

BASE = "http://bilten.example.test"
PDF = {"name": "letter.pdf", "media_type": "application/pdf"}
SECRET = b"the thing that nobody knew"


def learn(server: Clamd, phrase: bytes) -> None:
    """One more signature, loaded as freshclam has it loaded."""
    added = server.signatures / "house.ndb"
    added.write_text(f"House.Unwanted:0:*:{phrase.hex()}\n")
    stamp.write(server.signatures)
    reload(server)


async def look_again(house: House) -> None:
    """What the worker's watch does when signatures are new."""
    settings = house.api.settings
    scanner = ClamdScanner(Address(settings.clamd_socket), max_bytes=2**20, concurrency=2, timeout_s=60)
    workshop = Workshop(settings)
    inspector = Inspector(settings, house.api.db, house.store, scanner, workshop)
    try:
        await Walk(inspector).step(await scanner.version())
    finally:
        await scanner.close()
        await workshop.close()
    await house.idle()


async def test_what_new_signatures_find_is_taken_away_everywhere(open_house: OpenHouse, own_clamd: StartClamd):
    server = own_clamd()
    house = await open_house(clamd_socket=server.socket)
    token = await house.api.as_organizer()
    async with house.working():
        pdf = {"name": "letter.pdf", "media_type": "application/pdf", "visibility": "public"}
        bad = await house.clean(token, letter(SECRET), **pdf)
        good = await house.clean(token, camera(), visibility="public")
        path = bad["url"].removeprefix(BASE)
        assert (await house.fetch(path))[0].status == 200

        learn(server, SECRET)

        async def found() -> bool:
            with suppress(ScanUnavailable):  # while it reads its signatures
                await look_again(house)
            return (await house.file(token, bad["id"]))["status"] == "infected"

        await until(found)
        assert (await house.fetch(path))[0].status == 404
        assert (await house.file(token, bad["id"]))["url"] is None
        assert (await house.file(token, good["id"]))["status"] == "clean"
        await house.idle()
        assert not [key for key in (await house.keys())["media"] if key in path]
        audit = await house.api.db.fetchval(
            "select count(*) from audit_log where action = 'file.infected' and entity_id = $1", bad["id"]
        )
        assert audit == 1

        async def told() -> bool:
            mails = (await house.api.get("//dev/mail.json")).json
            return any("letter.pdf" in mail["text"] for mail in mails)

        await until(told)
        used = (await house.api.get("/files/quota", token=token)).data["quota"]["used_bytes"]
        assert used == good["size_bytes"]


async def due_again(house: House) -> None:
    """A rescan of all there is."""
    async with house.api.db.transaction() as tx:
        for row in await house.api.db.fetch("select id from file_versions"):
            await enqueue(tx, house.api.settings, rescan.RESCAN, {"version_id": str(row["id"])})


async def test_bytes_that_are_not_those_that_were_scanned_are_served_no_more(house: House):
    token = await house.api.as_organizer()
    async with house.working():
        pdf = {"name": "letter.pdf", "media_type": "application/pdf", "visibility": "public"}
        file = await house.clean(token, letter(), **pdf)
        await house.idle()
    bucket, (key,) = house.api.settings.s3_media_bucket, (await house.keys())["media"]
    await house.store.remove(bucket, [key])
    await house.store.put_bytes(bucket, key, letter(b"another"), "application/pdf")
    await due_again(house)
    async with house.working():
        await house.idle()
    ended = await house.file(token, file["id"])
    assert (ended["status"], ended["url"]) == ("error", None)
    assert (await house.fetch(file["url"].removeprefix(BASE)))[0].status == 404
    assert (await house.keys())["media"] == []


async def test_a_version_whose_bytes_stay_away_ends_at_the_last_attempt(house: House):
    token = await house.api.as_organizer()
    async with house.working():
        file = await house.clean(token, camera(), visibility="public")
        await house.idle()
    await house.store.remove(house.api.settings.s3_media_bucket, (await house.keys())["media"])
    await due_again(house)

    async def failed() -> bool:
        return bool(await house.api.db.fetchval("select count(*) from jobs where last_error is not null"))

    async with house.working():
        await until(failed)
    assert (await house.file(token, file["id"]))["status"] == "clean"
    await change(house.api.db, "update jobs set attempts = max_attempts - 1, run_at = now()")
    async with house.working():
        await house.idle()
    ended = await house.file(token, file["id"])
    assert (ended["status"], ended["reason"]) == (
        "error", "Its bytes are not there any more. Upload the file again.",
    )  # fmt: skip
    quota = (await house.api.get("/files/quota", token=token)).data["quota"]
    assert quota["used_bytes"] == 0


async def test_workers_of_different_signatures_look_at_a_file_once_each(staffed: House):
    token = await staffed.api.as_organizer()
    file = await staffed.clean(token, camera())
    row = {"sha256": bytes.fromhex(file["sha256"]), "word": "clean", "signature": None, "limits_profile": "test"}
    async with staffed.api.db.transaction() as tx:
        due = []
        for signatures in ("old", "new", "old", "new"):
            page = await rescan_queries.page(tx, "clamav", signatures, before=None, at_most=10)
            found = [version.id for version in page if version.due]
            due.append(len(found))
            for version_id in found:
                await queries.add_verdict(tx, {**row, "engine": "clamav", "signatures": signatures})
                seen = {"engine": "clamav", "signatures": signatures, "scanned_at": datetime.now(UTC)}
                await queries.change_clean(tx, version_id, seen)
    assert due == [1, 1, 0, 0]


async def test_files_that_cannot_be_looked_at_again_hold_up_no_others(house: House, monkeypatch: pytest.MonkeyPatch):
    """Each step is one file here: all fail, and the oldest is reached all the same."""
    monkeypatch.setattr(rescan, "BATCH", 1)
    monkeypatch.setattr(rescan, "PAGE", 2)
    token = await house.api.as_organizer()
    async with house.working():
        files = [await house.clean(token, letter(b"%d" % number), **PDF) for number in range(3)]
        await house.idle()
    news = EngineVersion("another", "news", None)
    inspector = Inspector(house.api.settings, house.api.db, house.store, NoScanner(), house.api.services.workshop)
    walk, queued = Walk(inspector), []
    for _step in files:
        queued.append(await walk.step(news))
        # As if the worker had tried, and would again much later.
        await change(house.api.db, "update jobs set last_error = 'x' where kind = 'files.rescan'")
    assert queued == [1, 1, 1]
    assert (await walk.step(news), walk.left) == (0, 0)
    # The walk is over, and begins anew for other signatures only.
    await change(house.api.db, "delete from jobs")
    assert await walk.step(news) == 0
    assert await walk.step(EngineVersion("another", "newer", None)) == 1
    # While that one has not been tried, nothing is added.
    assert await walk.step(EngineVersion("another", "newest", None)) == 0


async def test_a_file_that_is_looked_at_again_and_again_has_a_few_verdicts(staffed: House):
    token = await staffed.api.as_organizer()
    await staffed.clean(token, camera())
    for _ in range(6):
        await due_again(staffed)
        await staffed.idle()
    assert await staffed.api.db.fetchval("select count(*) from file_verdicts") == 4
