"""What the service's mails say, and what nobody can make them say."""

import base64
import re

import pytest
from bilten.db.database import Database
from bilten.mail.compose import Mailer, UnsafeAddress, greeting, life
from bilten.mail.deliver import SEND
from bilten.settings import Settings
from fixtures.api import make_settings
from support.jobs import row

LINKED = {"verify_email": "/verify-email", "reset_password": "/reset-password", "change_email": "/verify-email"}
NOTICES = ["email_changing", "email_changed", "password_changed"]
ANYWHERE = "postgresql://nobody@localhost/nothing"


def _mailer(**changes: object) -> Mailer:
    return Mailer(make_settings(ANYWHERE, **{"frontend_url": "https://tickets.example.com/app/"} | changes))


@pytest.mark.parametrize(("template", "page"), LINKED.items())
def test_a_mail_with_a_link_leads_to_the_frontend_with_the_token(template: str, page: str):
    mail = _mailer().compose(template, to="ada@example.com", name="Ada", token="a-b_c&d")
    link = f"https://tickets.example.com/app{page}?token=a-b_c%26d"
    assert link in mail.text.split()
    assert f'href="{link}"' in mail.html
    assert mail.to == "ada@example.com"
    assert "Hello Ada," in mail.text
    assert "Hello Ada," in mail.html


@pytest.mark.parametrize("template", LINKED)
def test_a_mail_with_a_link_is_not_made_without_a_token(template: str):
    with pytest.raises(ValueError, match="token"):
        _mailer().compose(template, to="ada@example.com", name="Ada")


@pytest.mark.parametrize(
    ("template", "page"),
    [("password_changed", "/forgot-password"), ("email_changing", "/forgot-password"), ("email_changed", "")],
)
def test_a_notice_has_no_token_and_says_where_to_go(template: str, page: str):
    mail = _mailer().compose(template, to="ada@example.com", name="Ada")
    assert f"https://tickets.example.com/app{page}" in mail.text.split()
    assert f'href="https://tickets.example.com/app{page}"' in mail.html.partition("<h1")[2].partition("</div>")[0]
    assert "token" not in mail.text + mail.html


def test_a_mail_says_how_long_its_link_lasts():
    mailer = _mailer(reset_token_ttl_s=1800, verification_token_ttl_s=3 * 86400)
    assert "for 30 minutes" in mailer.compose("reset_password", to="a@example.com", name="", token="t").text
    assert "for 3 days" in mailer.compose("verify_email", to="a@example.com", name="", token="t").html


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "less than a minute"), (60, "1 minute"), (3600, "1 hour"), (5400, "1 hour"), (86400, "24 hours"),
     (172799, "47 hours"), (172800, "2 days")],
)  # fmt: skip
def test_a_time_is_told_in_words(seconds: int, words: str):
    assert life(seconds) == words


@pytest.mark.parametrize("template", [*LINKED, *NOTICES])
def test_a_name_is_text_in_html(template: str):
    mail = _mailer().compose(template, to="ada@example.com", name='<b onclick="x">&amp;', token="t")
    assert "Hello &lt;b onclick=&#34;x&#34;&gt;&amp;amp;," in mail.html
    assert 'Hello <b onclick="x">&amp;,' in mail.text


@pytest.mark.parametrize("template", [*LINKED, *NOTICES])
def test_a_mail_is_complete_in_both_forms(template: str):
    mail = _mailer().compose(template, to="ada@example.com", name="Ada", token="t")
    assert mail.html.count(mail.subject) >= 2
    assert not re.search(r"\{[{%]|None", mail.text + mail.html)
    assert not re.search(r"<script|\son\w+=|<img|https?://(?!tickets\.example\.com)", mail.html)
    assert not re.search(r"\n{3}|^\n", mail.text)
    assert all(len(line) <= 78 for line in mail.text.splitlines())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "Win at evil.example",
        "http://evil.example",
        "www.evil",
        "ada@evil.example",
        "x" * 61,
        "\r\n",
        "\u202e",
    ],
)
def test_a_name_that_is_none_or_an_advertisement_is_left_out(name: str):
    assert greeting(name) == "Hello,"


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ada", "Hello Ada,"),
        ("J. R. R. O'Neil-Łuk", "Hello J. R. R. O'Neil-Łuk,"),
        ("Ada\r\nBcc: b", "Hello,"),
        ("Ada\r\nLovelace", "Hello Ada Lovelace,"),
        ("محمد", "Hello محمد,"),
        ("a\u202eda\u0000", "Hello a da,"),
    ],
)
def test_a_name_is_one_line_of_printable_text(name: str, greeted: str):
    assert greeting(name) == greeted


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.com", "a@b@c", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com\n",
     "a b@c.de", "ada@example.com,eve@example.com", "ada@example.com;eve@example.com", "Ada <ada@example.com>",
     "a\0@example.com", '"a b"@example.com', "ada@example.com\u2028", "a" * 250 + "@example.com"],
)  # fmt: skip
def test_an_address_that_could_change_the_header_is_refused(address: str):
    with pytest.raises(UnsafeAddress):
        _mailer().compose("password_changed", to=address, name="Ada")


async def test_a_mail_is_a_job_of_the_transaction_and_its_token_is_not_readable_in_it(db: Database, settings: Settings):
    async with db.transaction() as tx:
        job = await Mailer(settings).send(tx, "reset_password", to="ada@example.com", name="Ada", token="9f2c-secret")
        assert await db.fetchval("select count(*) from jobs") == 0
    stored = await row(db, job)
    assert stored["kind"] == SEND
    assert set(stored["payload"]) == {"sealed", "request_id"}
    for readable in (str(stored).encode(), base64.b64decode(stored["payload"]["sealed"])):
        assert b"9f2c" not in readable
        assert b"ada@" not in readable
