"""Makes events through the API, as an organizer would."""

from typing import Any

from fixtures.api import Api

#: What the create-event page sends: camelCase, numbers as text, local times without zone or seconds.
FORM: dict[str, Any] = {
    "title": "Evening of Oud",
    "description": "Three players, no amplifiers.",
    "category": "classical",
    "venueName": "The Courtyard",
    "venueAddress": "3 Lamp Street",
    "startDate": "2031-03-15T20:00",
    "endDate": "2031-03-15T23:30",
    "maxAttendees": "120",
    "isFree": False,
    "basePrice": "40.50",
}


async def make_event(api: Api, token: str, *, status: str = "draft", **changes: Any) -> dict[str, Any]:
    """A new event of the token's holder, moved along to this status."""
    reply = await api.post("/events", json=FORM | changes, token=token)
    assert reply.status == 201, reply.text
    event: dict[str, Any] = reply.data["event"]
    steps = {"draft": [], "published": ["published"]}.get(status, ["published", status])
    for step in steps:
        reply = await api.put(f"/events/{event['id']}", json={"status": step}, token=token)
        assert reply.status == 200, reply.text
        event = reply.data["event"]
    return event


async def second_organizer(api: Api) -> str:
    """The token of an organizer who owns nothing yet."""
    body = {
        "email": "second@example.com",
        "password": "Secret123",
        "firstName": "Second",
        "lastName": "Organizer",
        "role": "organizer",
    }
    reply = await api.post("/auth/register", json=body)
    assert reply.status == 201, reply.text
    token: str = reply.data["token"]
    return token


def titles(reply: Any) -> list[str]:
    """The titles on a page of events."""
    return [event["title"] for event in reply.data["events"]]
