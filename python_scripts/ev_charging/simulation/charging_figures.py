"""Figures of home charging that are published for real drivers, of any group of drivers.

They say what drivers do, and what that would mean if every stay charged at 7.2 kW from the plug-in
on, whatever charger and controller it had.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ev_charging.frames import COUNT, NUMBER, TEXT, typed_frame
from ev_charging.simulation.coincidence import coincidence_factors
from ev_charging.simulation.observed_stays import (
    DAY_H,
    ObservedStays,
    is_weekday,
    spread_over,
    stays_of,
)

POWER_KW = 7.2
# Rates of a driver who was observed for less are mostly chance.
MINIMUM_DAYS = 28
# So is the mean hour of fewer plug-ins.
MINIMUM_PLUG_INS = 20
GROUP_SIZES = (1, 2, 5, 10, 20, 50, 100)

FIGURES = {"figure": TEXT, "value": NUMBER, "users": COUNT}

_DAYS_OF_A_YEAR = 365
_PEAK_HOUR = 17
_SHARE_PCT = 100
_Figure = tuple[str, float, int]


def charging_figures(sessions: pd.DataFrame, observed: pd.DataFrame) -> pd.DataFrame:
    """Return every figure of a group of drivers.

    - `sessions_per_week_*`: of drivers observed for at least 28 days, sessions / (observed days /
      7); mean, 10th and 90th percentile over drivers.
    - `energy_per_session_*`, kWh: mean and median over sessions.
    - `connected_hours_mean`, h: mean over sessions with a plug-out.
    - `idle_share`, %: of the connected time of these sessions, what is left after charging their
      energy at 7.2 kW; sum / sum.
    - `energy_per_year`, kWh: of drivers as in the first line, energy / observed days x 365; mean.
    - `connected_at_17`, %: connected time between 17 and 18 h on weekdays / observed time between
      17 and 18 h on weekdays; sum / sum over drivers.
    - `peak_hour_share`, %: at 7.2 kW from the plug-in on, energy of weekdays in the local hour of
      the day with most of it / energy of weekdays.
    - `plug_in_spread_within`, h: of drivers with at least 20 plug-ins, the mean distance of plug-in
      times from the driver's circular mean, around the clock; median over drivers.
    - `plug_in_spread_between`, h: the mean distance of these circular means from their own.
    - `coincidence_<n>`: see `coincidence_factors`; missing where there are fewer drivers.

    Args:
        sessions: user, plugged_in_local_at, plugged_out_local_at (missing: still plugged in),
            energy_kwh (missing: not known).
        observed: user, first_date, last_date: the local days each was observed on; also users
            without a session. A session that began earlier counts for the connected time only.

    Returns:
        A frame with the columns FIGURES in the order above: value, missing where nothing is there
        to take it from, and the number of users that it is taken from.

    Raises:
        ValueError: see `stays_of`.
    """
    stays = stays_of(sessions, observed)
    begun = stays.where(stays.begins_in_sight)
    metered = begun.where(begun.is_metered)
    figures = (
        *_frequency(begun),
        *_energy(metered),
        *_connection(begun.where(begun.is_closed)),
        *_idle_share(metered.where(metered.is_closed)),
        *_yearly_energy(metered),
        *_presence(stays.where(stays.is_closed)),
        *_peak_hour(metered),
        *_plug_in_hours(begun),
        *_coincidence(metered),
    )
    rows = [dict(zip(FIGURES, figure, strict=True)) for figure in figures]
    return typed_frame(FIGURES, rows)


def _frequency(stays: ObservedStays) -> Iterator[_Figure]:
    long_enough = stays.observed_days >= MINIMUM_DAYS
    sessions = np.bincount(stays.driver, minlength=stays.drivers)
    rate = (sessions * 7 / stays.observed_days)[long_enough]
    yield "sessions_per_week_mean", _mean(rate), len(rate)
    yield "sessions_per_week_p10", _quantile(rate, 0.1), len(rate)
    yield "sessions_per_week_p90", _quantile(rate, 0.9), len(rate)


def _energy(stays: ObservedStays) -> Iterator[_Figure]:
    yield "energy_per_session_mean", _mean(stays.energy_kwh), _users(stays)
    yield "energy_per_session_p50", _quantile(stays.energy_kwh, 0.5), _users(stays)


def _connection(stays: ObservedStays) -> Iterator[_Figure]:
    yield "connected_hours_mean", _mean(stays.connected_h), _users(stays)


def _idle_share(stays: ObservedStays) -> Iterator[_Figure]:
    charging_h = np.minimum(stays.energy_kwh / POWER_KW, stays.connected_h)
    share = _SHARE_PCT - _pct(charging_h.sum(), stays.connected_h.sum())
    yield "idle_share", share, _users(stays)


def _yearly_energy(stays: ObservedStays) -> Iterator[_Figure]:
    long_enough = stays.observed_days >= MINIMUM_DAYS
    energy_kwh = np.bincount(stays.driver, stays.energy_kwh, minlength=stays.drivers)
    per_year = (energy_kwh / stays.observed_days * _DAYS_OF_A_YEAR)[long_enough]
    yield "energy_per_year", _mean(per_year), len(per_year)


def _presence(stays: ObservedStays) -> Iterator[_Figure]:
    weekdays = np.busday_count(
        stays.first_day.astype("datetime64[D]"), stays.end_day.astype("datetime64[D]")
    )
    share = _pct(_hours_connected_at(stays, _PEAK_HOUR), weekdays.sum())
    yield "connected_at_17", share, int((weekdays > 0).sum())


def _peak_hour(stays: ObservedStays) -> Iterator[_Figure]:
    end_h = stays.plug_in_h + stays.energy_kwh / POWER_KW
    _, hour, share_h = spread_over(stays.plug_in_h, end_h, 1)
    weekday = is_weekday(hour // DAY_H)
    by_hour = np.bincount(hour[weekday] % DAY_H, share_h[weekday], minlength=DAY_H)
    yield "peak_hour_share", _pct(by_hour.max(), by_hour.sum()), _users(stays)


def _hours_connected_at(stays: ObservedStays, hour: int) -> float:
    """Return the connected hours of all drivers in one hour of the observed weekdays."""
    start_h = np.maximum(stays.plug_in_h, stays.first_day[stays.driver] * DAY_H)
    end_h = np.minimum(stays.plug_out_h, stays.end_day[stays.driver] * DAY_H)
    is_seen = end_h > start_h
    start_h, end_h, driver = start_h[is_seen], end_h[is_seen], stays.driver[is_seen]
    stay, day, _ = spread_over(start_h, end_h, DAY_H)
    from_h = np.maximum(start_h[stay], day * DAY_H + hour)
    hours = np.minimum(end_h[stay], day * DAY_H + hour + 1) - from_h
    counts = is_weekday(day) & (hours > 0)
    # A driver whose stays overlap is there once.
    driver_days = np.stack([driver[stay], day])[:, counts]
    _, place = np.unique(driver_days, axis=1, return_inverse=True)
    return np.minimum(np.bincount(place.ravel(), hours[counts]), 1).sum()


def _plug_in_hours(stays: ObservedStays) -> Iterator[_Figure]:
    plug_ins = np.bincount(stays.driver, minlength=stays.drivers)
    often = plug_ins >= MINIMUM_PLUG_INS
    mean_h = _circular_mean(stays.plug_in_h, stays.driver, stays.drivers)
    distance_h = _around_the_clock(stays.plug_in_h - mean_h[stays.driver])
    total_h = np.bincount(stays.driver, distance_h, minlength=stays.drivers)
    users = int(often.sum())
    yield "plug_in_spread_within", _quantile(total_h[often] / plug_ins[often], 0.5), users
    centre_h = _circular_mean(mean_h[often], np.zeros(users, dtype=np.int64), 1)
    between_h = _mean(_around_the_clock(mean_h[often] - centre_h))
    yield "plug_in_spread_between", between_h, users


def _coincidence(stays: ObservedStays) -> Iterator[_Figure]:
    factors, drivers = coincidence_factors(stays, GROUP_SIZES, POWER_KW, MINIMUM_DAYS)
    for size, factor in zip(GROUP_SIZES, factors, strict=True):
        yield f"coincidence_{size}", factor, drivers


def _circular_mean(hours: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    angle = hours * (2 * np.pi / DAY_H)
    east, north = (np.bincount(group, part, minlength=groups) for part in _unit(angle))
    return np.arctan2(north, east) * (DAY_H / (2 * np.pi))


def _unit(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.cos(angle), np.sin(angle)


def _around_the_clock(difference_h: np.ndarray) -> np.ndarray:
    half = DAY_H / 2
    return np.abs((difference_h + half) % DAY_H - half)


def _users(stays: ObservedStays) -> int:
    return len(np.unique(stays.driver))


def _mean(values: np.ndarray) -> float:
    return values.mean() if len(values) else np.nan


def _quantile(values: np.ndarray, share: float) -> float:
    return np.quantile(values, share) if len(values) else np.nan


def _pct(part: float, whole: float) -> float:
    return _SHARE_PCT * part / whole if whole > 0 else np.nan
