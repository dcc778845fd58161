"""What generated requests find when they name something: ids, tokens, addresses and links of things that are there."""

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from bilten.accounts.link_queries import insert_one_time_token
from contract.world import NEW_ARTICLE, NEW_EVENT
from fixtures.api import Api
from support.house import House
from support.pictures import jpeg

ACCOUNT = {"email": "admin@bilten.com", "password": "admin123"}
#: How many of each thing that a request uses up.
STOCK = 30
#: Files cost more, and so fewer requests are made about them.
FILES = 10
_PICTURE = jpeg((4, 3))


async def of_accounts(house: House) -> dict[str, Any]:
    """Refresh tokens, and those that are mailed."""
    api = house.api
    user = await api.db.fetchrow("select id, email from users where email = $1", "user@bilten.com")
    assert user
    things: dict[str, Any] = {
        "refresh": [(await api.post("/auth/login", json=ACCOUNT)).data["refreshToken"] for _ in range(STOCK)]
    }
    async with api.db.transaction() as tx:
        for purpose in ("verify_email", "reset_password"):
            things[purpose] = [
                await insert_one_time_token(tx, user["id"], purpose, email=user["email"], lifetime_s=3600)
                for _ in range(STOCK)
            ]
    return things


async def of_events(house: House) -> dict[str, Any]:
    """Events and articles."""
    admin = await house.api.as_admin()
    things: dict[str, Any] = {"events": [], "articles": []}
    for number in range(STOCK):
        event = await house.api.post("/events", json=NEW_EVENT | {"title": f"Event {number}"}, token=admin)
        article = await house.api.post("/articles", json=NEW_ARTICLE | {"title": f"Article {number}"}, token=admin)
        things["events"].append(event.data["event"]["id"])
        things["articles"].append(article.data["article"]["id"])
    return things


async def of_files(house: House) -> dict[str, Any]:
    """Clean pictures: some for every call, some to be deleted by their address, and one each that nobody deletes."""
    api = house.api
    admin = await api.as_admin()
    uploaded = [await house.upload(admin, _PICTURE, visibility="public") for _ in range(FILES + 5)]
    lasting, *others = [await house.ended(admin, reply.data["file"]["id"]) for reply in uploaded]
    uploads = [await _sent(api, admin) for _ in range(4)]
    link = urlsplit((await api.get(f"/files/{lasting['id']}/url", token=admin)).data["url"])
    place, filename = urlsplit(lasting["url"]).path.split("/")[-2:]
    return {
        "files": [file["id"] for file in others[:FILES]],
        "urls": [file["url"] for file in others[FILES:]],
        "uploads": uploads,
        "public": {"place": place, "filename": filename},
        "public_url": lasting["url"],
        "link": {"file_id": lasting["id"], "query": dict(parse_qsl(link.query))},
    }


async def _sent(api: Api, token: str) -> str:
    """A direct upload whose bytes are in the store."""
    declared = {
        "name": "poster.jpg",
        "media_type": "image/jpeg",
        "size_bytes": len(_PICTURE),
        "sha256": hashlib.sha256(_PICTURE).hexdigest(),
    }
    upload = (await api.post("/files/uploads", token=token, json=declared)).data["upload"]
    form = aiohttp.FormData()
    for name, value in upload["fields"].items():
        form.add_field(name, value)
    form.add_field("file", _PICTURE, filename="poster.jpg", content_type="image/jpeg")
    async with aiohttp.ClientSession() as session, session.post(upload["url"], data=form) as answer:
        assert answer.ok, await answer.text()
    upload_id: str = upload["id"]
    return upload_id
