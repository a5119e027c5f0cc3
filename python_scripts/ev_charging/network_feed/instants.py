"""Instants as whole seconds since 1970 (UTC), and how they are written."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400
_EPOCH = date(1970, 1, 1)


def utc_midnight(day: date) -> int:
    """Return when a day begins in UTC."""
    return (day - _EPOCH).days * DAY_S


def utc_day(day: int) -> str:
    """Return the date of a day given as days since 1970."""
    return (_EPOCH + timedelta(days=day)).isoformat()


@cache
def local_midnight(day: date, time_zone: str) -> int:
    """Return when a day begins on the clock of a time zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone)).timestamp())


@cache
def local_days(start: int, end: int, time_zone: str) -> tuple[date, ...]:
    """Return the local days that begin between two instants."""
    first = datetime.fromtimestamp(start, UTC).date() - timedelta(days=1)
    days = (first + timedelta(days=count) for count in range((end - start) // DAY_S + 3))
    return tuple(day for day in days if start <= local_midnight(day, time_zone) < end)


def stamp(instant: int) -> str:
    """Return an instant as ISO 8601 to the second with Z."""
    day, second = divmod(instant, DAY_S)
    return _day_text(day) + _time_texts()[second]


@cache
def _day_text(day: int) -> str:
    return utc_day(day)


@cache
def _time_texts() -> list[str]:
    minutes = range(DAY_S // MINUTE_S)
    return [f"T{m // 60:02}:{m % 60:02}:{s:02}Z" for m in minutes for s in range(MINUTE_S)]
