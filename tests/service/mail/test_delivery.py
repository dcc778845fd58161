"""A mail arrives in the mailbox of development once, whatever happens to the job that brings it."""

from bilten.db.database import Database
from bilten.mail import deliver
from bilten.mail.compose import Mailer
from bilten.settings import Settings
from support.jobs import all_done, change, until, whole_turn, working


async def _send(db: Database, settings: Settings) -> None:
    async with db.transaction() as tx:
        await Mailer(settings).send(tx, "verify_email", to="ada@example.com", name="Ada", token="9f2c-token")


async def test_a_mail_arrives_as_it_was_composed(db: Database, settings: Settings):
    await _send(db, settings)
    async with working(db, deliver.kinds(settings, db), settings):
        await until(lambda: all_done(db))
    mail = await db.fetchrow("select * from mails")
    assert mail is not None
    composed = Mailer(settings).compose("verify_email", to="ada@example.com", name="Ada", token="9f2c-token")
    assert (mail["to_address"], mail["subject"]) == (composed.to, composed.subject)
    assert (mail["text_body"], mail["html_body"]) == (composed.text, composed.html)


async def test_a_job_that_comes_twice_makes_one_mail(db: Database, settings: Settings):
    await _send(db, settings)
    sealed = await db.fetchval("select payload::text from jobs")
    async with working(db, deliver.kinds(settings, db), settings):
        await until(lambda: all_done(db))
        await change(db, "update jobs set finished_at = null, payload = cast(:payload as jsonb)", payload=sealed)
        await until(lambda: all_done(db))
    assert await db.fetchval("select attempts from jobs") == 2
    assert await db.fetchval("select count(*) from mails") == 1


async def test_a_mail_outlives_its_job(db: Database, settings: Settings):
    await _send(db, settings)
    async with working(db, deliver.kinds(settings, db), settings):
        await until(lambda: all_done(db))
    await change(db, "delete from jobs")
    assert await db.fetchval("select count(*) from mails where job_id is null") == 1


async def test_without_a_transport_a_mail_waits_unread(db: Database, settings: Settings):
    cautious = settings.model_copy(update={"dev_pages": False})
    assert deliver.kinds(cautious, db) == []
    await _send(db, settings)
    async with working(db, deliver.kinds(cautious, db), cautious) as worker:
        await whole_turn(worker)
    assert await db.fetchval("select count(*) from mails") == 0
    assert await db.fetchval("select count(*) from jobs where attempts = 0 and finished_at is null") == 1
