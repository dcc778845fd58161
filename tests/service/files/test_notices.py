"""Owners are told of malware; nobody else is, and nobody can make the service say what they like."""

import pytest
from bilten.files import notices, queries
from bilten.mail.compose import title
from bilten.mail.deliver import SEND
from support.house import House, letter
from support.jobs import change


async def found_in(house: House, file_id: str) -> None:
    """Malware, so the file says."""
    async with house.api.db.transaction() as tx:
        file = await queries.lock(tx, file_id)
        assert file is not None
        await notices.infected(tx, house.api.settings, file)


async def mails(house: House) -> int:
    count: int = await house.api.db.fetchval("select count(*) from jobs where kind = $1", SEND)
    return count


async def uploaded(house: House) -> str:
    reply = await house.upload(await house.api.as_user(), letter(), name="a.pdf", media_type="application/pdf")
    file_id: str = reply.data["file"]["id"]
    return file_id


async def test_an_owner_is_told_of_malware_once_an_hour(house: House):
    file_id = await uploaded(house)
    for _ in range(3):
        await found_in(house, file_id)
    assert await mails(house) == 1
    await change(house.api.db, "update file_quotas set told_at = told_at - interval '61 minutes'")
    await found_in(house, file_id)
    assert await mails(house) == 2


async def test_an_address_that_nobody_has_confirmed_gets_no_mail_about_files(house: House):
    file_id = await uploaded(house)
    await change(house.api.db, "update users set is_verified = false")
    await found_in(house, file_id)
    assert await mails(house) == 0


@pytest.mark.parametrize("name", ["poster.jpg", "Brief an Ada.pdf", "v2 - final.docx"])
def test_a_mail_names_the_file_it_is_about(name: str):
    assert title(name) == name


@pytest.mark.parametrize(
    "name", ["evil.example.com.jpg", "www.evil.jpg", "evil.co win a prize.jpg", "a@evil.pdf", "x" * 61 + ".jpg", ".jpg"]
)
def test_a_mail_does_not_name_a_file_whose_name_is_an_advertisement(name: str):
    assert title(name) == ""
