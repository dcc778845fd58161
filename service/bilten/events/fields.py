"""What forms send for numbers and times, read strictly into what is stored.

The create-event page sends numbers as decimal text, or '' for none, and times without zone or seconds (contract §2.1).
"""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from bilten.web.json_body import integral
from bilten.web.text import Line

MAX_ATTENDEES = 10_000_000
MAX_PRICE = Decimal("999999999.99")

_CENT = Decimal("0.01")
_WHOLE_TEXT = "^(|[1-9][0-9]{0,6})$"
_PRICE_TEXT = r"^(|[0-9]{1,9}(\.[0-9]{1,6})?)$"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?", re.IGNORECASE)


def _whole_number(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(_WHOLE_TEXT, value):
            raise ValueError(f"Send a whole number from 1 to {MAX_ATTENDEES}")
        return int(value) if value else None
    return integral(value)


def _amount(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value):
        return None
    if isinstance(value, str) and not re.fullmatch(_PRICE_TEXT, value):
        raise ValueError("Send an amount such as 25 or 12.50")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("Send an amount such as 25 or 12.50")  # noqa: TRY004 pydantic reports ValueErrors only
    try:
        return Decimal(str(value)).quantize(_CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        raise ValueError(f"Send an amount of at most {MAX_PRICE}") from None


def _time(value: Any) -> Any:
    if value is None:
        return None
    if not (isinstance(value, str) and _TIME.fullmatch(value)):
        raise ValueError("Send a date and time such as 2025-03-15T21:00 or 2025-03-15T19:00:00Z")
    return value


@cache
def time_zones() -> frozenset[str]:
    """Every IANA name, the same on every machine: read from the package and not from the system."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text().split())


def _time_zone(name: str) -> str:
    if name not in time_zones():
        raise ValueError("Send an IANA time zone such as Africa/Cairo")
    return name


def in_utc(moment: datetime, zone: str) -> datetime:
    """A time in UTC; it was one of `zone` unless it said its own. Raises `OverflowError` beyond the years 1 to 9999."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


Title = Annotated[str, Line(at_most=255)]
Category = Annotated[str, Line(at_most=100)]
Venue = Annotated[str, Line(at_most=255)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=1000), AfterValidator(lambda value: value or None)
]
Place = Annotated[str, Line(at_most=100, required=False), AfterValidator(lambda value: value or None)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
TimeZone = Annotated[
    str,
    AfterValidator(_time_zone),
    # Not an enum: six hundred names would be half of the document.
    WithJsonSchema({"type": "string", "format": "iana-time-zone", "description": "An IANA name such as Asia/Tokyo."}),
]
Attendees = Annotated[
    Annotated[int, Field(ge=1, le=MAX_ATTENDEES)] | None,
    BeforeValidator(_whole_number),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_ATTENDEES},
                {"type": "string", "pattern": _WHOLE_TEXT},
                {"type": "null"},
            ],
            "description": "A whole number, or one as text; null or empty text is no limit.",
        }
    ),
]
Amount = Annotated[
    Annotated[Decimal, Field(ge=0, le=MAX_PRICE)] | None,
    BeforeValidator(_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": float(MAX_PRICE)},
                {"type": "string", "pattern": _PRICE_TEXT},
                {"type": "null"},
            ],
            "description": "An amount, or one as text; rounded to cents. Null or empty text is none.",
        }
    ),
]
Moment = Annotated[
    datetime,
    # Strict mode takes no text for a time once a function has looked at it.
    Field(strict=False),
    BeforeValidator(_time),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "description": "ISO 8601; without an offset a time of the event's `timezone`. Seconds may be left out.",
        }
    ),
]
