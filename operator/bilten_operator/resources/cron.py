"""Schedules: five fields in a time zone, as people write them → six fields in UTC, as CloudNativePG reads them.

CloudNativePG's parser knows no time zones. So the hours are moved by the zone's offset of the day, which is looked at
again whenever the instance is: a change to summer time moves the schedule within hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY_MIN = 24 * 60
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Longer than from one 29 February to the next, over a century without.
_LONGEST_GAP_DAYS = 8 * 366 + 1


@dataclass(frozen=True)
class Schedule:
    """One schedule in UTC. Days as in cron: with both of them restricted, either is enough."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    day_of_month: str
    month: str
    #: None: any.
    weekdays: tuple[int, ...] | None

    def six_fields(self) -> str:
        """As CloudNativePG reads it, seconds first."""
        days = "*" if self.weekdays is None else _join(self.weekdays)
        return f"0 {_join(self.minutes)} {_join(self.hours)} {self.day_of_month} {self.month} {days}"

    def previous(self, now: datetime) -> datetime | None:
        """The latest time up to `now` that it was due; None when it never is."""
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for back in range(_LONGEST_GAP_DAYS):
            day = today - timedelta(days=back)
            if not self._on(day):
                continue
            times = (day.replace(hour=hour, minute=minute) for hour in self.hours for minute in self.minutes)
            due = [time for time in times if time <= now]
            if due:
                return max(due)
        return None

    def _on(self, day: datetime) -> bool:
        if day.month not in _values(self.month, 1, 12, _MONTHS):
            return False
        in_month = day.day in _values(self.day_of_month, 1, 31)
        in_week = self.weekdays is None or day.isoweekday() % 7 in self.weekdays
        if self.weekdays is None or "*" in self.day_of_month:
            return in_month and in_week
        return in_month or in_week


def translate(five_fields: str, time_zone: str, now: datetime) -> list[Schedule]:
    """The schedules in UTC that together are due when this one is; several where the offset tears it apart.

    A day of the month is not moved where the offset leads over midnight: no cron can say "the last day of the month".
    """
    minute, hour, day_of_month, month, weekday = five_fields.split()
    day_of_month, month = _forward(day_of_month, 1, 31), _forward(month, 1, 12, _MONTHS)
    offset = now.astimezone(_zone(time_zone)).utcoffset() or timedelta()
    offset_min = int(offset.total_seconds() // 60)
    weekdays = None if "*" in weekday and "/" not in weekday else _values(weekday, 0, 6, _DAYS)
    by_hour: dict[tuple[int, int], set[int]] = {}
    for local_hour in _values(hour, 0, 23):
        for local_minute in _values(minute, 0, 59):
            shift, rest = divmod(local_hour * 60 + local_minute - offset_min, _DAY_MIN)
            by_hour.setdefault((shift, rest // 60), set()).add(rest % 60)
    merged: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    for (shift, utc_hour), minutes in by_hour.items():
        # Where any day will do, it does not matter on which side of midnight it is.
        key = (shift if weekdays is not None else 0, tuple(sorted(minutes)))
        merged.setdefault(key, set()).add(utc_hour)
    return [
        Schedule(
            minutes,
            tuple(sorted(hours)),
            day_of_month,
            month,
            None if weekdays is None else tuple(sorted((day + shift) % 7 for day in weekdays)),
        )
        for (shift, minutes), hours in sorted(merged.items())
    ]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # The CRD knows the form of a zone's name, not the list of them. A backup at another hour beats none.
        return ZoneInfo("UTC")


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for item in field.lower().split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = _number(first, names, low)
            end = _number(last, names, low) if last else (high if step else start)
        # From Friday to Monday is a range, too. CloudNativePG refuses it, so it is never passed on as such.
        span_of = range(start, end + 1) if start <= end else (*range(start, high + 1), *range(low, end + 1))
        found.update(span_of[:: int(step or 1)])
    return found


def _forward(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> str:
    """The field as it is written, unless a range in it leads over the end."""
    for item in field.lower().split(","):
        first, dash, last = item.partition("/")[0].partition("-")
        if dash and _number(first, names, low) > _number(last, names, low):
            return _join(sorted(_values(field, low, high, names)))
    return field


def _number(text: str, names: tuple[str, ...], low: int) -> int:
    return names.index(text) + low if text in names else int(text)


def _join(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
