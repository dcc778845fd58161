"""The sample data as rows, ready to insert. The texts are in events.json and articles.json beside this file.

Ids are fixed, so that a link to a sample event works on every machine and in every year.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any, Final
from uuid import UUID, uuid5

from bilten.samples import ACCOUNTS

Row = dict[str, Any]

TIME_ZONE = "Africa/Cairo"
CURRENCY = "EGP"
ORGANIZER = "organizer@bilten.com"

#: The event that is always running, two hours in and four to go, for ticket scanners.
LIVE_EVENT = 1000
_LIVE_SINCE, _LIVE_FOR = timedelta(hours=2), timedelta(hours=4)

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_FEATURED = {101, 104, 105, 12}
_USER, _EVENT, _ARTICLE = 1, 2, 3

# Code, name, price in percent of the event's, how many per order, share of the capacity in percent.
_KINDS: Final = (
    ("general", "General Admission", 100, 10, None),
    ("standing", "Standing", 100, 4, 70),
    ("vipStanding", "VIP Standing", 150, 2, 10),
    ("backStage", "Backstage", 200, 1, 2),
)
_GENERAL_QUANTITY = 100

#: The two ticket types the frontend's basket names by id: event, name, price.
_BASKET: Final = {
    UUID("550e8400-e29b-41d4-a716-446655440201"): (101, "General Admission", Decimal(25)),
    UUID("550e8400-e29b-41d4-a716-446655440205"): (102, "VIP Access", Decimal(75)),
}


def account_rows() -> list[Row]:
    """The accounts, each with its `password` in place of a hash."""
    return [
        {
            "id": _own_id(_USER, legacy_id),
            "legacy_id": legacy_id,
            "email": email,
            "password": password,
            "role": role,
            "first_name": first_name,
            "last_name": last_name,
            "is_verified": True,
            "created_at": _EPOCH,
            "updated_at": _EPOCH,
        }
        for email, password, role, first_name, last_name, legacy_id in ACCOUNTS
    ]


def event_id(number: int) -> UUID:
    """101 to 112 have the ids that the frontend's pages know; the others have ids of our own."""
    if 100 < number < 200:  # noqa: PLR2004 the block the frontend uses
        return UUID(f"550e8400-e29b-41d4-a716-446655440{number}")
    return _own_id(_EVENT, number)


def event_rows(organizer_id: UUID, now: datetime) -> list[Row]:
    """The events, in the order in which the list without a sort order shows them."""
    return [_event(item, place, organizer_id, now) for place, item in enumerate(_load("events.json"))]


def ticket_type_rows(events: list[Row]) -> list[Row]:
    """The kinds of tickets of these events: the three codes the frontend sells, general admission, the basket's."""
    return [row for event in events for row in _ticket_types(event)]


def article_rows() -> list[Row]:
    """The articles, newest first."""
    return [_article(item) for item in _load("articles.json")]


def live_dates(now: datetime) -> Row:
    """When the running event runs, seen from `now`."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return {"start_date": hour - _LIVE_SINCE, "end_date": hour + _LIVE_FOR}


def _event(item: Row, place: int, organizer_id: UUID, now: datetime) -> Row:
    number = item["number"]
    first_name, last_name = item["organizer"]
    made_at = _EPOCH + timedelta(seconds=place)
    if number == LIVE_EVENT:
        dates = live_dates(now)
    else:
        dates = {name: datetime.fromisoformat(item[name]) for name in ("start_date", "end_date")}
    return {
        **{name: item[name] for name in ("title", "description", "category", "venue_name", "venue_address", "city")},
        **dates,
        "id": event_id(number),
        "legacy_id": number if number < 100 else None,  # noqa: PLR2004 see event_id
        "organizer_id": organizer_id,
        "organizer_display_first_name": first_name,
        "organizer_display_last_name": last_name,
        "country": "Egypt",
        "timezone": TIME_ZONE,
        "max_attendees": item["max_attendees"],
        "is_free": item["base_price"] == 0,
        "base_price": Decimal(item["base_price"]),
        "currency": CURRENCY,
        "status": "published",
        "is_featured": number in _FEATURED,
        "cover_image_url": _picture(f"event-{number}"),
        "created_at": made_at,
        "updated_at": made_at,
    }


def _ticket_types(event: Row) -> list[Row]:
    common = {name: event[name] for name in ("currency", "created_at", "updated_at")} | {"event_id": event["id"]}
    rows = [
        common
        | {
            "id": uuid5(event["id"], code),
            "code": code,
            "name": name,
            "price": event["base_price"] * percent / 100,
            "quantity": _GENERAL_QUANTITY if share is None else event["max_attendees"] * share // 100,
            "max_per_order": at_most,
            "position": position,
        }
        for position, (code, name, percent, at_most, share) in enumerate(_KINDS)
    ]
    for type_id, (number, name, price) in _BASKET.items():
        if event["id"] == event_id(number):
            basket = {"code": None, "name": name, "price": price, "quantity": _GENERAL_QUANTITY, "max_per_order": 10}
            rows.append(common | basket | {"id": type_id, "position": len(_KINDS)})
    return rows


def _article(item: Row) -> Row:
    published_at = datetime.fromisoformat(item["published_at"])
    return {
        **{name: item[name] for name in ("slug", "title", "excerpt", "content", "author")},
        **{name: item[name] for name in ("view_count", "read_time", "tags")},
        "id": _own_id(_ARTICLE, item["number"]),
        "legacy_id": item["number"],
        "category": "music",
        "published_at": published_at,
        "featured_image_url": _picture(f"article-{item['number']}"),
        "created_at": published_at,
        "updated_at": published_at,
    }


def _own_id(kind: int, number: int) -> UUID:
    return UUID(f"5eedface-0000-4000-8000-{kind:04x}{number:08d}")


def _picture(name: str) -> str:
    return f"https://picsum.photos/seed/bilten-{name}/800/400"


def _load(name: str) -> list[Row]:
    items: list[Row] = json.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
    return items
