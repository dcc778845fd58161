"""`/dev/mail`: development reads its mail there, production has no such address."""

from datetime import datetime
from html.parser import HTMLParser

from bilten.db.database import Database
from bilten.mail import deliver
from bilten.mail.deliver import Mail, OutboxTransport
from fixtures.api import Api, StartApi
from support.jobs import all_done, change, until, working

HOSTILE = "</pre></iframe><script>alert(1)</script>\"'&"


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.frames: list[dict[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        if tag == "iframe":
            self.frames.append(dict(attrs))


async def _store(db: Database, **changes: str) -> None:
    values = {"to": "ada@example.com", "subject": "Hello", "text": "words", "html": "<p>words</p>"} | changes
    job = await db.fetchval("select gen_random_uuid()")
    await change(db, "insert into jobs (id, kind, payload, max_attempts) values (:id, 'mail.send', '{}', 1)", id=job)
    await OutboxTransport(db).deliver(job, Mail(**values))


async def test_a_registration_ends_in_a_mail_that_can_be_read(api: Api):
    person = {"email": "ada@example.com", "password": "Passw0rd", "first_name": "Ada", "last_name": "Lovelace"}
    assert (await api.post("/auth/register", json=person)).status == 201
    async with working(api.db, deliver.kinds(api.settings, api.db), api.settings):
        await until(lambda: all_done(api.db))

    reply = await api.get("//dev/mail.json")
    assert reply.headers["Content-Type"].startswith("application/json")
    (mail,) = reply.json
    assert set(mail) == {"to", "subject", "text", "html", "created_at"}
    assert mail["to"] == "ada@example.com"
    assert datetime.fromisoformat(mail["created_at"]).tzinfo is not None
    link = next(word for word in mail["text"].split() if "/verify-email?token=" in word)
    assert link in _Page((await api.get("//dev/mail")).text).links
    token = link.partition("token=")[2]
    assert (await api.post("/auth/verify-email", json={"token": token})).status == 200


async def test_the_newest_mail_comes_first(api: Api):
    for number in range(3):
        await _store(api.db, subject=f"mail {number}")
    assert [mail["subject"] for mail in (await api.get("//dev/mail.json")).json] == ["mail 2", "mail 1", "mail 0"]
    page = (await api.get("//dev/mail")).text
    assert page.index("mail 2") < page.index("mail 1") < page.index("mail 0")


async def test_an_empty_mailbox_says_where_mails_come_from(api: Api):
    assert (await api.get("//dev/mail.json")).json == []
    assert "the worker" in (await api.get("//dev/mail")).text


async def test_a_hostile_mail_cannot_leave_its_frame(api: Api):
    await _store(api.db, to=HOSTILE + "@x", subject=HOSTILE, text=f"{HOSTILE} javascript:alert(1)", html=HOSTILE)
    reply = await api.get("//dev/mail")
    page = _Page(reply.text)
    assert "script" not in page.tags
    assert all(link.startswith(("/dev/", "http")) for link in page.links)
    (frame,) = page.frames
    assert frame["srcdoc"] == HOSTILE
    assert "allow-scripts" not in (frame["sandbox"] or "")
    assert "allow-same-origin" not in (frame["sandbox"] or "")
    policy = reply.headers.getall("Content-Security-Policy")
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'")
    assert "script-src" not in policy[0]


async def test_without_dev_pages_there_is_no_such_address(start_api: StartApi):
    for settings in ({"dev_pages": False}, {"environment": "production", "dev_pages": False}):
        api = await start_api(**settings)
        for path in ("//dev/mail", "//dev/mail.json"):
            reply = await api.get(path)
            assert reply.status == 404
            assert reply.json["error"] == "NOT_FOUND"


async def test_a_page_that_points_its_own_name_at_this_machine_reads_no_mail(api: Api):
    for path in ("//dev/mail", "//dev/mail.json"):
        assert (await api.get(path, headers={"Host": "evil.example:3001"})).status == 404
        assert (await api.get(path, headers={"Host": "localhost:3001"})).status == 200
