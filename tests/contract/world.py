"""A client of an API and the people who use it: enough to make every call of the contract happen for real."""

import asyncio
import io
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

PASSWORD = "Secret-123"
ADMIN = ("admin@bilten.com", "admin123")
#: What browsers send when nobody is signed in, or when somebody was, long ago (contract §1.6).
VOID_TOKENS = ("undefined", "null", "mock_jwt_token_1_1742072400000", "eyJhbGciOiJub25lIn0.eyJ1c2VySWQiOjF9.")


@dataclass(frozen=True)
class Reply:
    """An answer and the question."""

    method: str
    path: str
    query: Mapping[str, str]
    sent: Mapping[str, Any]
    signed_in: bool
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Part:
    """A file in a form."""

    field: str
    content: bytes
    name: str = "picture.jpg"
    media_type: str = "image/jpeg"


def _form(parts: Sequence[Part]) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("note", "no file", content_type="text/plain")
    for part in parts:
        form.add_field(part.field, io.BytesIO(part.content), filename=part.name, content_type=part.media_type)
    return form


@dataclass(frozen=True)
class Person:
    """Somebody with a fresh account."""

    email: str
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)


class World:
    """One base path of one running API."""

    def __init__(self, session: aiohttp.ClientSession, url: str, base: str, *, mailbox: str = "") -> None:
        self._session = session
        self._url = url
        self._base = base
        self._mailbox = mailbox or url

    async def send(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, Any] | None = None,
        files: Sequence[Part] | None = None,
        query: Mapping[str, str] | str = "",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Make one call. `query` as text is sent as it stands; `files` as a form."""
        address = URL(self._url + self._base + path, encoded=True)
        address = address.with_query(query) if isinstance(query, Mapping) else URL(f"{address}?{query}", encoded=True)
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token is not None else {})
        form = _form(files) if files is not None else None
        async with self._session.request(method, address, json=json, data=form, headers=sent) as response:
            return Reply(
                method=method,
                path=path,
                query=dict(address.query),
                sent=json or {part.field: part.name for part in files or ()},
                signed_in=token is not None,
                status=response.status,
                headers=response.headers,
                body=await response.json(),
            )

    def address(self) -> str:
        """A mail address nobody has used."""
        return f"visitor-{uuid.uuid4()}@example.com"

    async def person(self, role: str = "user") -> Person:
        """Register somebody."""
        email = self.address()
        names = {"first_name": "Nadia", "last_name": "El Sayed", "role": role}
        reply = await self.send("POST", "/auth/register", json={"email": email, "password": PASSWORD, **names})
        assert reply.status == 201, reply.body
        return Person(email, reply.body["data"]["token"], reply.body["data"]["refreshToken"])

    async def admin(self) -> str:
        """The token of the seeded administrator."""
        reply = await self.send("POST", "/auth/login", json=dict(zip(("email", "password"), ADMIN, strict=True)))
        assert reply.status == 200, reply.body
        token: str = reply.body["data"]["token"]
        return token

    async def mailed_token(self, email: str, page: str, *, within_s: float = 15) -> str:
        """The token of the newest mailed link to a page of the frontend."""
        async with asyncio.timeout(within_s):
            while True:
                async with self._session.get(f"{self._mailbox}/dev/mail.json") as response:
                    mails = await response.json()
                for mail in mails:
                    if mail["to"] == email and (link := re.search(rf"/{page}\?token=([\w%.-]+)", mail["text"])):
                        return link[1]
                await asyncio.sleep(0.1)

    async def fetch(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of what lies under a path outside the base."""
        async with self._session.get(URL(self._url + path, encoded=True)) as response:
            return response.status, response.headers, await response.read()

    async def event_ids(self, count: int = 1) -> list[str]:
        """Ids of published events."""
        reply = await self.send("GET", "/events", query={"limit": str(count)})
        return [event["id"] for event in reply.body["data"]["events"]]

    async def event(self, organizer: Person, **changes: Any) -> str:
        """The id of a new draft."""
        reply = await self.send("POST", "/events", json=NEW_EVENT | changes, token=organizer.token)
        assert reply.status == 201, reply.body
        event_id: str = reply.body["data"]["event"]["id"]
        return event_id

    async def article(self, admin: str) -> str:
        """The id of a new article."""
        reply = await self.send("POST", "/articles", json=NEW_ARTICLE | {"title": f"News {uuid.uuid4()}"}, token=admin)
        assert reply.status == 201, reply.body
        article_id: str = reply.body["data"]["article"]["id"]
        return article_id


NEW_EVENT: dict[str, Any] = {
    "title": "Chamber music by the river",
    "description": "Quartets, from noon to night.",
    "category": "music",
    "venue_name": "River Hall",
    "venue_address": "4 Corniche, Cairo",
    "start_date": "2031-05-01T17:00:00Z",
    "end_date": "2031-05-01T21:30:00+02:00",
    "max_attendees": 120,
    "is_free": False,
    "base_price": 75.5,
    "timezone": "Africa/Cairo",
    "cover_image_url": "https://pictures.example/quartet.jpg",
}
#: What the create-event page sends: its own spelling, numbers as text, local time without zone or seconds.
PAGE_EVENT: dict[str, Any] = {
    "title": "Open rehearsal",
    "description": "Come and listen.",
    "category": "music",
    "venueName": "River Hall",
    "venueAddress": "4 Corniche, Cairo",
    "startDate": "2031-05-02T17:00",
    "endDate": "2031-05-02T19:00",
    "maxAttendees": "80",
    "isFree": False,
    "basePrice": "12.50",
}
NEW_ARTICLE: dict[str, Any] = {
    "title": "A new hall",
    "excerpt": "The river gets a stage.",
    "content": "# A new hall\n\n- seats\n- light",
    "category": "News",
    "featured_image_url": "https://pictures.example/hall.jpg",
    "tags": ["hall", "river"],
}
