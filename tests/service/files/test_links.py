"""Signed links: for who has one, until it expires or is revoked, and for nothing else."""

from urllib.parse import parse_qsl, urlencode

import pytest
from support.house import House
from support.pictures import camera

BASE = "http://bilten.example.test"


@pytest.fixture
async def private(staffed: House) -> tuple[str, str]:
    """Token and id of somebody's private picture."""
    token = await staffed.api.as_user()
    return token, (await staffed.clean(token, camera()))["id"]


async def link(house: House, token: str, file_id: str, **query: str) -> str:
    reply = await house.api.get(f"/files/{file_id}/url", token=token, params=query)
    assert reply.status == 200, reply.text
    url: str = reply.data["url"]
    assert url.startswith(f"{BASE}/api/v1/files/signed/")
    return "/" + url.removeprefix(BASE)


async def test_who_has_a_link_reads_the_file_and_may_not_keep_it(staffed: House, private: tuple[str, str]):
    path = await link(staffed, *private)
    answer, content = await staffed.fetch(path[1:])
    assert (answer.status, answer.content_type) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert content.startswith(b"\xff\xd8")
    assert b"Exif" not in content


async def test_a_link_to_a_variant_shows_that_variant(staffed: House, private: tuple[str, str]):
    whole, small = await link(staffed, *private), await link(staffed, *private, variant="thumbnail")
    assert len((await staffed.fetch(small[1:]))[1]) < len((await staffed.fetch(whole[1:]))[1])
    elsewhere = small.replace("variant=thumbnail", "variant=large")
    assert (await staffed.api.get(elsewhere)).status == 403


async def test_a_revoked_link_is_void_and_a_new_one_is_not(staffed: House, private: tuple[str, str]):
    token, file_id = private
    old = await link(staffed, token, file_id)
    assert (await staffed.api.delete(f"/files/{file_id}/url", token=token)).status == 200
    refused = await staffed.api.get(old)
    assert (refused.status, refused.json["code"]) == (403, "LINK_NOT_VALID")
    assert (await staffed.fetch((await link(staffed, token, file_id))[1:]))[0].status == 200


@pytest.mark.parametrize("change", ["expires", "key", "signature", "twice", "more", "less"])
async def test_a_changed_link_is_refused(staffed: House, private: tuple[str, str], change: str):
    path, _, query = (await link(staffed, *private)).partition("?")
    pairs = parse_qsl(query)
    match change:
        case "twice":
            pairs.append(pairs[0])
        case "more":
            pairs.append(("w", "9999"))
        case "less":
            pairs = pairs[:-1]
        case _:
            pairs = [(name, value[:-1] + ("1" if value[-1] == "0" else "0") if name == change else value)
                     for name, value in pairs]  # fmt: skip
    assert (await staffed.api.get(f"{path}?{urlencode(pairs)}")).status == 403


async def test_a_link_leads_to_its_own_file_only(staffed: House, private: tuple[str, str]):
    token, file_id = private
    other = (await staffed.clean(token, camera()))["id"]
    path = await link(staffed, token, file_id)
    assert (await staffed.api.get(path.replace(file_id, other))).status == 403
    assert (await staffed.api.post(path)).status == 405


async def test_only_who_manages_a_file_gets_links_to_it(staffed: House, private: tuple[str, str]):
    _, file_id = private
    stranger = await staffed.api.as_organizer()
    assert (await staffed.api.get(f"/files/{file_id}/url", token=stranger)).status == 404
    assert (await staffed.api.delete(f"/files/{file_id}/url", token=stranger)).status == 404
