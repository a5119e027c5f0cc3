"""The clock on the wall of one time zone, for many instants at once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

DAY_S = 86_400
# Clocks change on a quarter of an hour of UTC and of their own time, everywhere.
_QUARTER_S = 900


class LocalClock:
    """Turns wall-clock times into instants and back.

    Instants are seconds since 1970-01-01 UTC; wall-clock times are seconds since 1970-01-01 00:00
    on that clock, without regard to its changes.

    A wall-clock time that a change skips becomes the instant as long after the change as it lies
    after the hour that was skipped began; of a time that comes twice, the first is meant.
    """

    def __init__(self, time_zone: str, first_day: date, days: int) -> None:
        """Prepare the days from `first_day`, with a margin before and after them."""
        zone = ZoneInfo(time_zone)
        margin = timedelta(days=2)
        first = datetime.combine(first_day, datetime.min.time()) - margin
        quarters = range((days + 2 * margin.days) * DAY_S // _QUARTER_S)
        self._first_s = int(first.replace(tzinfo=UTC).timestamp())
        walls = [first + timedelta(seconds=_QUARTER_S * quarter) for quarter in quarters]
        self._of_wall = np.array([_offset_s(wall.replace(tzinfo=zone)) for wall in walls])
        self._of_instant = np.array(
            [_offset_s(wall.replace(tzinfo=UTC).astimezone(zone)) for wall in walls]
        )

    def instant(self, wall_s: np.ndarray) -> np.ndarray:
        """Return the instants of wall-clock times."""
        return wall_s - self._of_wall[self._quarter(wall_s)]

    def wall(self, instant_s: np.ndarray) -> np.ndarray:
        """Return the wall-clock times of instants."""
        return instant_s + self._of_instant[self._quarter(instant_s)]

    def _quarter(self, seconds: np.ndarray) -> np.ndarray:
        quarters = ((np.asarray(seconds) - self._first_s) // _QUARTER_S).astype(np.int64)
        return np.clip(quarters, 0, len(self._of_wall) - 1)


def day_start_s(day: date) -> int:
    """Return the wall-clock time at which a local day begins."""
    return (day - date(1970, 1, 1)).days * DAY_S


def _offset_s(moment: datetime) -> int:
    return int(moment.utcoffset().total_seconds())
