"""What forms send for numbers, times and days."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from bilten.events.bodies import EventChange
from bilten.events.fields import in_utc, time_zones
from bilten.events.filters import DATE_RANGES, EventsQuery, days_of
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


def read(**fields: object) -> EventChange:
    return EventChange.model_validate_json(json.dumps(fields))


@given(st.integers(1, 10_000_000))
def test_a_whole_number_is_the_same_as_number_and_as_text(number: int):
    assert read(max_attendees=number).max_attendees == number
    if number < 10_000_000:
        assert read(maxAttendees=str(number)).max_attendees == number


@given(st.decimals(0, 999_999_999, places=2))
def test_an_amount_is_the_same_as_number_and_as_text(amount: Decimal):
    assert read(base_price=str(amount)).base_price == amount == read(basePrice=float(amount)).base_price


@given(st.text())
def test_other_text_is_no_number_and_no_fault(text: str):
    for field in ("max_attendees", "base_price", "start_date"):
        try:
            read(**{field: text})
        except ValidationError as error:
            assert [item["loc"][0] for item in error.errors()] == [field]  # noqa: PT017


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), st.sampled_from(sorted(time_zones())))  # noqa: DTZ001
def test_a_local_time_of_any_zone_is_within_a_day_and_a_half_of_the_same_time_in_utc(moment: datetime, zone: str):
    assert abs(in_utc(moment, zone) - moment.replace(tzinfo=UTC)) < timedelta(hours=36)


def test_a_time_beyond_the_years_of_utc_is_an_overflow():
    with pytest.raises(OverflowError):
        in_utc(datetime.fromisoformat("9999-12-31T23:59:59-14:00"), "UTC")


@given(DAYS)
def test_the_words_for_dates_follow_each_other(today: date):
    ranges = {word: days_of(word, today) for word in DATE_RANGES}
    first, after = (ranges["this-month"] or (today, today))[0], (ranges["next-month"] or (today, today))[0]
    assert ranges["today"] == (today, today + timedelta(days=1))
    assert ranges["tomorrow"] == (today + timedelta(days=1), today + timedelta(days=2))
    assert ranges["this-month"] == (first, after)
    assert first <= today < after
    assert (first.day, after.day) == (1, 1)
    monday, next_monday = ranges["this-week"] or (today, today)
    assert (monday.weekday(), next_monday - monday) == (0, timedelta(days=7))
    assert monday <= today < next_monday
    assert days_of("whenever", today) is None


@given(st.dictionaries(st.sampled_from(["price_min", "isFree", "start_date", "endDate", "sortBy", "page"]), st.text()))
def test_filters_that_cannot_be_read_are_no_filters(filters: dict[str, str]):
    try:
        EventsQuery.model_validate(filters)
    except ValidationError as error:
        # Text that is too long is the only thing to refuse.
        assert {item["type"] for item in error.errors()} == {"string_too_long"}  # noqa: PT017
