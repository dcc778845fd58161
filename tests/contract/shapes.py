"""What the contract says of a field, understood: each of its texts is a check, and a text without one is an error."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from contract import objects
from contract.catalogue import SERVED
from contract.places import MISSING, Place, alternatives, find, spelled_out


class UnknownText(LookupError):
    """The contract says something of a field that nobody taught this interpreter."""


@dataclass(frozen=True)
class Seen:
    """An answer, and what was asked to get it."""

    body: Any
    query: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    signed_in: bool = False


Check = Callable[[Place, Seen], bool | list[str]]

#: Which page reads a field says nothing about its shape.
_REMARKS = {
    "HEAD avatar menu", "HEAD card", "HEAD card formats with it", "HEAD checkout reads the body itself as the event",
    "HEAD detail page", "HEAD detail page reads the top level", "HEAD frontend", "HEAD lists",
    "ProtectedRoute component", "checkout; HEAD dashboard, profile, avatar menu", "event details would show it",
    "event search", "event search and calendar show tickets[0].price, 'Free' when empty",
    "event search, HEAD card", "event search, calendar", "event search, calendar; HEAD detail page",
    "event search, news, my tickets", "handed on by the hook, not read", "list page lower-cases it",
    "mock: integer", "navbar", "navbar, profile, settings", "or top-level token", "pages call replace on it",
    "profile and settings prefill",
}  # fmt: skip

#: Texts that allow the field to be absent.
_MAY_BE_ABSENT = {
    "ISO 4217 code or absent, never null",
    "string, only to the owner or absent",
    "on failure, shown",
}

#: Read once: listing them takes a look at hundreds of files.
_TIME_ZONES = available_timezones()

#: Facets of a search: counting them for every plain list would be work that no page shows.
_ONLY_WITH_WORDS = {"data.search_metadata", "data.aggregations"}


def problems(fields: Mapping[str, str], seen: Seen) -> tuple[list[str], set[str]]:
    """What is wrong with an answer, and which of the fields could be looked at. Raises `UnknownText`."""
    found: list[str] = []
    looked_at: set[str] = set()
    for name, remarked in fields.items():
        if name in _ONLY_WITH_WORDS and not seen.query.keys() & {"q", "search"}:
            continue
        text = _without_remark(remarked)
        for path in spelled_out(name):
            places = [place for way in alternatives(path) for place in _find(way, seen)]
            if " | " in path:
                places = [place for place in places if place.value is not MISSING] or places[:1]
            for place in places:
                found += _judge(text, place, seen)
            if places or text in _MAY_BE_ABSENT:
                looked_at.add(name)
    return found, looked_at


def _without_remark(text: str) -> str:
    while (cut := re.fullmatch(r"(.+) \((.+)\)", text)) and cut[2] in _REMARKS:
        text = cut[1]
    return text


def _find(path: str, seen: Seen) -> list[Place]:
    if path == "(2xx)":
        return [Place(path, path, True, None)]
    if path == "data.<eventId>":
        return [place for asked in _asked(seen) for place in find(f"data.{asked}", seen.body)]
    if path == "data.event.<each field sent>":
        return [place for name in seen.sent for place in find(f"data.event.{_snake(name)}", seen.body)]
    return find(path, seen.body)


def _judge(text: str, place: Place, seen: Seen) -> list[str]:
    check = _TEXTS.get(text) or _of_a_family(text)
    if place.value is MISSING:
        return [] if text in _MAY_BE_ABSENT else [f"{place.where} is missing; it must be: {text}"]
    verdict = check(place, seen)
    if isinstance(verdict, list):
        return [f"{place.where}: {problem}" for problem in verdict]
    return [] if verdict else [f"{place.where} is {place.value!r}; it must be: {text}"]


def _of_a_family(text: str) -> Check:
    """Texts with words of their own: quoted choices, equals, `{members}`."""
    if re.fullmatch(r"'[^']+'(?: \| '[^']+')*", text):
        choices = re.findall(r"'([^']+)'", text)
        return lambda place, _: place.value in choices
    if same := re.fullmatch(r"= (\w+)(?:, a string)?", text):
        return lambda place, _: place.value == place.parent[same[1]]
    if twin := re.fullmatch(r"(?:same array as|copy of) (data\.\w+)(?:: .*)?", text):
        return lambda place, seen: [place.value] == [other.value for other in find(twin[1], seen.body)]
    if members := re.fullmatch(r"(\{.+\})(?:; stored, not shown| at the top level)?", text):
        return lambda place, _: objects.problems(members[1], place.value)
    raise UnknownText(text)


def _is_id(value: Any) -> bool:
    if type(value) is int:
        return True
    try:
        return str(UUID(value)) == value
    except (ValueError, TypeError, AttributeError):
        return False


def _is_text(place: Place, _: Seen) -> bool:
    return isinstance(place.value, str)


def _is_whole(place: Place, _: Seen) -> bool:
    return type(place.value) is int


def _is_number(place: Place, _: Seen) -> bool:
    return type(place.value) in (int, float) and math.isfinite(place.value)


def _is_flag(place: Place, _: Seen) -> bool:
    return type(place.value) is bool


def _is_text_or_null(place: Place, _: Seen) -> bool:
    return place.value is None or isinstance(place.value, str)


def _is_utc(place: Place, _: Seen) -> bool:
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    return isinstance(place.value, str) and re.fullmatch(shape, place.value) is not None and bool(_time(place.value))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _asked(seen: Seen) -> list[str]:
    return seen.query["eventIds"].split(",")


def _asked_page(place: Place, seen: Seen, default: int) -> bool:
    return type(place.value) is int and place.value == int(seen.query.get(place.name, default))


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def _echo(place: Place, seen: Seen) -> bool:
    sent = next(value for name, value in seen.sent.items() if _snake(name) == place.name)
    if place.name in ("max_attendees", "base_price"):
        number = type(place.value) in ((int,) if place.name == "max_attendees" else (int, float))
        return (number and place.value == float(sent)) if sent != "" else place.value in (None, 0)
    if place.name in ("start_date", "end_date"):
        asked = _time(sent)
        local = asked if asked.tzinfo else asked.replace(tzinfo=ZoneInfo(place.parent["timezone"]))
        return _time(place.value) == local
    return type(place.value) is type(sent) and place.value == sent


def _like(key: str, prefix: str) -> Check:
    """The same thing elsewhere in the contract: its fields are listed there."""

    def check(place: Place, seen: Seen) -> list[str]:
        listed = {name: text for name, text in SERVED[key].fields.items() if name.startswith(prefix + ".")}
        wrapped: Any = [place.value] if prefix.endswith("[]") else place.value
        for step in reversed(prefix.removesuffix("[]").split(".")):
            wrapped = {step: wrapped}
        return problems(listed, replace(seen, body=wrapped))[0]

    return check


def _related(place: Place, seen: Seen) -> list[str]:
    article = seen.body["data"]["article"]
    wrong = [] if place.value["category"] == article["category"] else ["has another category"]
    wrong += ["is the article itself"] if place.value["id"] == article["id"] else []
    wrong += [] if len(place.parent) <= 3 else ["is one of more than three"]
    return wrong + list(_like("M GET /articles", "data.articles[]")(place, seen))  # type: ignore[arg-type]


def _copied(place: Place, seen: Seen) -> bool:
    event = seen.body["data"]["event"]
    if place.name in ("title", "description"):
        return bool(place.value == event[place.name])
    return place.value in [ticket["price"] for ticket in seen.body["data"]["tickets"]]


def _cheapest_first(place: Place, _: Seen) -> bool:
    prices = [ticket["price"] for ticket in place.value]
    return prices == sorted(prices) and all(type(price) in (int, float) for price in prices)


def _section_1_4(place: Place, seen: Seen) -> list[str]:
    text = _without_remark(SERVED["M GET /events"].fields[f"data.pagination.{place.name}"])
    # The newest frontend asks for 20 a page, but the number is always in its query.
    return _judge(text, place, seen)


_TEXTS: dict[str, Check] = {
    "string": _is_text,
    "string, shown": _is_text,
    "string, at the top level": lambda place, seen: _is_text(place, seen) and _copied(place, seen),
    "string, never null": _is_text,
    "string, never empty": lambda place, seen: _is_text(place, seen) and place.value != "",
    "string, generated": lambda place, seen: _is_text(place, seen) and place.value != "",
    "absolute URL": lambda place, _: re.fullmatch(r"https?://[^/]+/\S+", place.value) is not None,
    "string; newline-separated, light markdown (headings, '- ' lists)": _is_text,
    "string | null": _is_text_or_null,
    "string (null tolerated by pages)": _is_text_or_null,
    "string (uuid) | integer": lambda place, _: _is_id(place.value),
    "string, the JWT": lambda place, _: re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", place.value) is not None,
    "string, same value as data.token": lambda place, seen: place.value == seen.body["data"]["token"],
    "string, first and last joined": lambda place, _: (
        place.value == f"{place.parent['first_name']} {place.parent['last_name']}".strip()
    ),
    "string, only to the owner or absent": lambda place, seen: seen.signed_in and _is_text(place, seen),
    "[string]": lambda place, _: isinstance(place.value, list) and all(isinstance(entry, str) for entry in place.value),
    "integer": _is_whole,
    "integer, bytes": lambda place, seen: _is_whole(place, seen) and place.value > 0,
    "integer, minutes": lambda place, seen: _is_whole(place, seen) and place.value > 0,
    "integer, as asked (default 1)": lambda place, seen: _asked_page(place, seen, 1),
    "integer, as asked (default 10)": lambda place, seen: _asked_page(place, seen, 10),
    "integer, ceil(total / limit)": lambda place, seen: (
        _is_whole(place, seen) and place.value == math.ceil(place.parent["total"] / place.parent["limit"])
    ),
    "number": _is_number,
    "number, not a string": _is_number,
    "number = base_price": lambda place, seen: _is_number(place, seen) and place.value == place.parent["base_price"],
    "as asked, else 'auto'": lambda place, seen: str(place.value) == seen.query.get(place.name, "auto"),
    "boolean": _is_flag,
    "true": lambda place, _: place.value is True,
    "true, or the hook reports a failure": lambda place, _: place.value is True,
    "true, or the page reports a failure": lambda place, _: place.value is True,
    "ISO 8601 string, Z": _is_utc,
    "ISO 8601": lambda place, seen: _is_text(place, seen) and bool(_time(place.value)),
    "ISO 8601 with zone; never null": lambda place, seen: (
        _is_text(place, seen) and _time(place.value).tzinfo is not None
    ),
    "IANA name, never null": lambda place, _: place.value in _TIME_ZONES,
    "ISO 4217 code or absent, never null": lambda place, _: re.fullmatch("[A-Z]{3}", place.value) is not None,
    "'draft', whatever was sent": lambda place, _: place.value == "draft",
    "echoed with its type": _echo,
    "object": lambda place, _: isinstance(place.value, dict),
    "object: each asked id, as a string key, to boolean": lambda place, seen: (
        place.value.keys() == set(_asked(seen)) and all(type(flag) is bool for flag in place.value.values())
    ),
    "boolean: the same entries once more directly under data, where the hook looks them up": lambda place, _: (
        type(place.value) is bool and place.value == place.parent["wishlistStatus"][place.name]
    ),
    "[{price: number, ...}] cheapest first": _cheapest_first,
    "copies at the top level": _copied,
    "0 to 3 articles, same shape, same category, without the article itself": _related,
    "see section 1.4": _section_1_4,
    "event": _like("M GET /events/:id", "data.event"),
    "event cards": _like("M GET /events", "data.events[]"),
    "event card fields, see tier M extras": _like("M GET /events", "data.events[]"),
    "article": _like("M GET /articles/:id", "data.article"),
    "user": _like("M POST /auth/login", "data.user"),
    "on failure, shown": _is_text,
    "else the badge turns red": lambda place, _: place.value,
}
