"""Schedules, as CloudNativePG reads them: six fields, in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from bilten_operator.resources.cron import translate
from hypothesis import given
from hypothesis import strategies as st

WINTER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def six(schedule: str, zone: str = "UTC", now: datetime = WINTER) -> list[str]:
    return [found.six_fields() for found in translate(schedule, zone, now)]


@pytest.mark.parametrize(
    ("five", "expected"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("*/15 0-2 1,15 jan-mar *", "0 0,15,30,45 0,1,2 1,15 jan-mar *"),
        ("30 2 * * mon-fri", "0 30 2 * * 1,2,3,4,5"),
        ("5/20 4 * * 0", "0 5,25,45 4 * * 0"),
        ("0 3 28-31 * fri-sun", "0 0 3 28-31 * 0,5,6"),
    ],
)
def test_seconds_come_first(five: str, expected: str):
    assert six(five) == [expected]


@pytest.mark.parametrize(
    ("five", "expected"),
    [
        ("0 22-2 * * *", "0 0 0,1,2,22,23 * * *"),
        ("50-10/10 3 * * *", "0 0,10,50 3 * * *"),
        ("0 3 * * fri-mon", "0 0 3 * * 0,1,5,6"),
        ("0 3 30-2 nov-feb *", "0 0 3 1,2,30,31 1,2,11,12 *"),
    ],
)
def test_a_range_may_lead_over_the_end(five: str, expected: str):
    assert six(five) == [expected]
    [schedule] = translate(five, "UTC", WINTER)
    assert schedule.previous(WINTER)


def test_a_zone_moves_the_hour_and_summer_time_moves_it_again():
    assert six("0 3 * * *", "Europe/Vienna", WINTER) == ["0 0 2 * * *"]
    assert six("0 3 * * *", "Europe/Vienna", SUMMER) == ["0 0 1 * * *"]


def test_over_midnight_the_day_of_the_week_moves_too():
    assert six("0 1 * * mon", "Africa/Cairo") == ["0 0 23 * * 0"]
    assert six("0 22 * * sat", "America/New_York") == ["0 0 3 * * 0"]


def test_an_offset_of_half_an_hour_tears_a_schedule_apart():
    assert six("0,30 3 * * *", "Asia/Kolkata") == ["0 0 22 * * *", "0 30 21 * * *"]


def test_an_unknown_zone_is_read_as_utc():
    assert six("0 3 * * *", "Mars/Olympus") == ["0 0 3 * * *"]


@pytest.mark.parametrize(
    ("five", "expected"),
    [
        ("0 3 * * *", "2026-01-15T03:00"),
        ("0 13 * * *", "2026-01-14T13:00"),
        ("0 3 1 * *", "2026-01-01T03:00"),
        ("0 3 29 2 *", "2024-02-29T03:00"),
        ("0 3 1 * mon", "2026-01-12T03:00"),
        ("0 12 * * thu", "2026-01-15T12:00"),
    ],
)
def test_the_previous_time_is_the_latest_that_is_over(five: str, expected: str):
    [schedule] = translate(five, "UTC", WINTER)
    assert schedule.previous(WINTER) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_day_that_never_comes_has_no_previous_time():
    [schedule] = translate("0 3 31 2 *", "UTC", WINTER)
    assert schedule.previous(WINTER) is None


@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    weekday=st.integers(0, 6),
    zone=st.sampled_from(["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/St_Johns"]),
)
def test_translated_it_is_due_at_the_same_moment(hour: int, minute: int, weekday: int, zone: str):
    [schedule] = translate(f"{minute} {hour} * * {weekday}", zone, WINTER)
    due = schedule.previous(WINTER)
    assert due
    local = due.astimezone(ZoneInfo(zone))
    assert (local.hour, local.minute, local.isoweekday() % 7) == (hour, minute, weekday)
    assert WINTER - due < timedelta(days=7)
