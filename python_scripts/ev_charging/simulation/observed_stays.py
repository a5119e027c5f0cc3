"""What was seen of drivers at their chargers, as arrays on one local time axis."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

DAY_H = 24
# 1970-01-01 was a Thursday.
_FIRST_WEEKDAY = 3
_HOUR = pd.Timedelta(hours=1)
_WORKDAYS = 5


@dataclass(frozen=True, eq=False)
class ObservedStays:
    """What a group of drivers did while they were observed.

    Hours count from 1970-01-01 00:00 on the local clock.

    Attributes:
        first_day: first observed local day per driver, in days since 1970-01-01, int64.
        end_day: day after the last observed one per driver, int64.
        driver: index of the driver per stay, int64.
        plug_in_h: hour of the plug-in per stay, float64.
        plug_out_h: hour of the plug-out, nan where there was none.
        energy_kwh: energy charged per stay, float64, nan where it isn't known.
    """

    first_day: np.ndarray
    end_day: np.ndarray
    driver: np.ndarray
    plug_in_h: np.ndarray
    plug_out_h: np.ndarray
    energy_kwh: np.ndarray

    @property
    def drivers(self) -> int:
        """Return the number of drivers, also of those who never plugged in."""
        return len(self.first_day)

    @property
    def observed_days(self) -> np.ndarray:
        """Return the observed days per driver."""
        return self.end_day - self.first_day

    @property
    def connected_h(self) -> np.ndarray:
        """Return the hours from plug-in to plug-out per stay, nan where there was no plug-out."""
        # The clock may be set back during a short stay.
        return np.maximum(self.plug_out_h - self.plug_in_h, 0)

    @property
    def is_closed(self) -> np.ndarray:
        """Return which stays have a plug-out."""
        return np.isfinite(self.plug_out_h)

    @property
    def is_metered(self) -> np.ndarray:
        """Return which stays have a known energy."""
        return np.isfinite(self.energy_kwh)

    @property
    def begins_in_sight(self) -> np.ndarray:
        """Return which stays begin while their driver is observed."""
        day = np.floor(self.plug_in_h / DAY_H)
        return (day >= self.first_day[self.driver]) & (day < self.end_day[self.driver])

    def where(self, condition: np.ndarray) -> "ObservedStays":
        """Return the stays that a condition is true for, of the same drivers."""
        return replace(
            self,
            driver=self.driver[condition],
            plug_in_h=self.plug_in_h[condition],
            plug_out_h=self.plug_out_h[condition],
            energy_kwh=self.energy_kwh[condition],
        )


def stays_of(sessions: pd.DataFrame, observed: pd.DataFrame) -> ObservedStays:
    """Return the sessions of observed users as stays.

    Args:
        sessions: user, plugged_in_local_at, plugged_out_local_at (missing: still plugged in),
            energy_kwh (missing: not known).
        observed: user (each once), first_date, last_date: the local days it was observed on.

    Raises:
        ValueError: a session belongs to nobody who was observed, a user is there twice, or an
            energy is negative.
    """
    # sums of floating numbers differ in their last digit by the order they are taken in
    observed = observed.sort_values("user")
    sessions = sessions.sort_values(["user", "plugged_in_local_at", "energy_kwh"])
    users = pd.Index(observed["user"])
    if users.has_duplicates:
        raise ValueError(f"observed more than once: {users[users.duplicated()][0]}")
    driver = users.get_indexer(sessions["user"])
    if (driver < 0).any():
        raise ValueError(f"not observed: {sessions['user'].iloc[int(np.argmin(driver))]}")
    energy_kwh = sessions["energy_kwh"].to_numpy(dtype=float)
    if (energy_kwh < 0).any():
        raise ValueError(f"energy below 0: {energy_kwh.min():g} kWh")
    return ObservedStays(
        _days(observed["first_date"]),
        _days(observed["last_date"]) + 1,
        driver.astype(np.int64),
        _hours(sessions["plugged_in_local_at"]),
        _hours(sessions["plugged_out_local_at"]),
        energy_kwh,
    )


def observed_between_plug_ins(sessions: pd.DataFrame) -> pd.DataFrame:
    """Return the days from each user's first to its last plug-in, both included.

    Nobody says when a real driver moved in or out: these days are what is known.

    Args:
        sessions: user, plugged_in_local_at.

    Returns:
        user, first_date, last_date; one row per user, in order.
    """
    days = sessions["plugged_in_local_at"].dt.normalize().groupby(sessions["user"])
    return pd.DataFrame({"first_date": days.min(), "last_date": days.max()}).reset_index()


def is_weekday(day: np.ndarray) -> np.ndarray:
    """Return which days since 1970-01-01 are Monday to Friday."""
    return (day + _FIRST_WEEKDAY) % 7 < _WORKDAYS


def spread_over(
    start_h: np.ndarray, end_h: np.ndarray, unit_h: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut spans of time at the bounds of units of time, such as hours or days.

    Args:
        start_h: begin of each span, hours.
        end_h: its end, not before its begin.
        unit_h: length of a unit, hours.

    Returns:
        One element per span and unit that it touches: index of the span, number of the unit since
        1970-01-01, hours of the span in the unit.
    """
    first = np.floor(start_h / unit_h).astype(np.int64)
    units = np.floor(end_h / unit_h).astype(np.int64) - first + 1
    span = np.repeat(np.arange(len(first)), units)
    place = np.arange(len(span)) - np.repeat(np.cumsum(units) - units, units)
    unit = first[span] + place
    hours = np.minimum(end_h[span], (unit + 1) * unit_h) - np.maximum(start_h[span], unit * unit_h)
    return span, unit, hours


def _days(dates: pd.Series) -> np.ndarray:
    return pd.to_datetime(dates).to_numpy(dtype="datetime64[D]").astype(np.int64)


def _hours(times: pd.Series) -> np.ndarray:
    return ((pd.to_datetime(times) - pd.Timestamp(0)) / _HOUR).to_numpy(dtype=float)
