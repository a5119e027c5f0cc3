"""The wall clock of the neighbourhood: instants to local stamps and back, with both changes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

TIME_ZONE = "Europe/Oslo"
HOUR_S = 3600
_STANDARD_OFFSET_S = 3600


@dataclass(frozen=True)
class LocalClock:
    """UTC offsets of the neighbourhood, one per hour of a span of time.

    Attributes:
        first_s: start of the span, seconds since 1970 (UTC), on a full hour.
        offsets_s: seconds that the wall clock is ahead of UTC, shape (hours,).
    """

    first_s: int
    offsets_s: np.ndarray

    @classmethod
    def between(cls, first: datetime, last: datetime) -> "LocalClock":
        """Return the clock for the instants from `first` to `last` (time-zone aware).

        Raises:
            ValueError: if an instant has no time zone or `last` is not after `first`.
        """
        if first.tzinfo is None or last.tzinfo is None:
            raise ValueError("the span of a clock needs instants with a time zone")
        if last <= first:
            raise ValueError("the span of a clock must end after it starts")
        zone = ZoneInfo(TIME_ZONE)
        start = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        count = int((last - start).total_seconds()) // HOUR_S + 1
        offsets = [
            int((start + timedelta(hours=hour)).astimezone(zone).utcoffset().total_seconds())
            for hour in range(count)
        ]
        return cls(int(start.timestamp()), np.array(offsets, dtype=np.int64))

    @classmethod
    def of_year(cls, year: int) -> "LocalClock":
        """Return the clock for a calendar year and 60 days on either side."""
        margin = timedelta(days=60)
        return cls.between(
            datetime(year, 1, 1, tzinfo=UTC) - margin, datetime(year + 1, 1, 1, tzinfo=UTC) + margin
        )

    def local_seconds(self, utc_s: np.ndarray) -> np.ndarray:
        """Return what the wall clock shows (seconds since 1970 00:00 local), same shape.

        Instants outside the span are read with the nearest known offset.
        """
        utc_s = np.asarray(utc_s, dtype=np.int64)
        return utc_s + self._offsets_at(utc_s)

    def utc_seconds(self, local_s: np.ndarray) -> np.ndarray:
        """Return the instants at which the wall clock shows `local_s`, same shape.

        The repeated autumn hour is read as its second occurrence; a time in the spring gap as
        one hour earlier.
        """
        local_s = np.asarray(local_s, dtype=np.int64)
        return local_s - self._offsets_at(local_s - _STANDARD_OFFSET_S)

    def changes_s(self, forward: bool) -> np.ndarray:
        """Return the instants (seconds, UTC) at which the clock is moved `forward` or back."""
        steps = np.diff(self.offsets_s)
        changed = steps > 0 if forward else steps < 0
        return self.first_s + (np.flatnonzero(changed) + 1) * HOUR_S

    def lost_hours(self) -> np.ndarray:
        """Return the hours (hours since 1970, UTC) that are missing in the published loads.

        The publication keeps one of the two hours that the autumn clock calls 02:00, the
        second; the first is left as an empty row from 02:00 to 02:00.
        """
        return self.changes_s(forward=False) // HOUR_S - 1

    def _offsets_at(self, utc_s: np.ndarray) -> np.ndarray:
        hours = (utc_s - self.first_s) // HOUR_S
        return self.offsets_s[np.clip(hours, 0, len(self.offsets_s) - 1)]


def year_bounds_s(clock: LocalClock, year: int) -> tuple[int, int]:
    """Return the first instant of the local calendar year and of the next one, in seconds."""
    midnights = np.array([f"{year}-01-01", f"{year + 1}-01-01"], dtype="datetime64[s]")
    first, last = clock.utc_seconds(midnights.astype(np.int64))
    return int(first), int(last)
