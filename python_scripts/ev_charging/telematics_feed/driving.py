"""When vehicles drive, how far, how fast, and what it takes."""

import numpy as np

from ev_charging.stateless_random import normal, uniform
from ev_charging.telematics_feed.fleet import COMMUTER

MOST_DRIVES = 5
HOUR_S = 3600

# Weights of 0 to 5 drives a day of commuter, delivery, field service and pool.
_DRIVES_ON_WEEKDAYS = np.array(
    [
        [0.22, 0.06, 0.52, 0.14, 0.06, 0.0],
        [0.10, 0.00, 0.10, 0.25, 0.35, 0.20],
        [0.20, 0.10, 0.30, 0.25, 0.10, 0.05],
        [0.45, 0.15, 0.25, 0.10, 0.05, 0.0],
    ]
)
_DRIVES_AT_WEEKENDS = np.array(
    [
        [0.55, 0.10, 0.25, 0.10, 0.00, 0.0],
        [0.85, 0.00, 0.10, 0.05, 0.00, 0.0],
        [0.88, 0.04, 0.08, 0.00, 0.00, 0.0],
        [0.70, 0.10, 0.15, 0.05, 0.00, 0.0],
    ]
)
# Hours of departure of the first to the fifth drive, and how much they vary.
_DEPARTURE_H = np.array(
    [
        [7.4, 16.3, 18.6, 20.2, 21.4],
        [6.1, 8.6, 11.2, 13.6, 15.8],
        [7.6, 10.2, 13.0, 15.6, 18.0],
        [9.0, 12.2, 15.0, 18.2, 21.0],
    ]
)
_DEPARTURE_SPREAD_H = 0.7
# At weekends nobody starts at six.
_WEEKEND_DELAY_H = 2.2

_MEDIAN_KM = np.array([12.0, 17.0, 22.0, 13.0])
_KM_SPREAD = np.array([0.6, 0.6, 0.7, 0.8])
_LONG_SHARE, _LONG_KM = np.array([0.02, 0.01, 0.04, 0.03]), (90, 240)
_LEAST_KM = 0.6

_MEAN_C, _SEASON_C, _COLDEST_DAY, _WEATHER_C = 6.0, 10.0, 20, 3.0
_REGION_C = np.array([0.5, 1.5, 2.0, -1.5])
_COLD_BELOW_C, _PER_DEGREE, _CABIN_WH = 18.0, 0.011, 400
_TRIP_SPREAD, _START_WH = 0.09, 80


def drives_per_day(seed: int, number: np.ndarray, use: np.ndarray, day: int) -> np.ndarray:
    """Return how many drives each vehicle plans for a day (days since 1970)."""
    weights = _DRIVES_AT_WEEKENDS if _is_weekend(day) else _DRIVES_ON_WEEKDAYS
    edges = np.cumsum(weights, axis=1)[use, :-1]
    return (uniform(seed, "drives", number, day)[:, None] > edges).sum(axis=1)


def planned_departure_s(
    seed: int, number: np.ndarray, use: np.ndarray, day: int, slot: int
) -> np.ndarray:
    """Return when the drives of a slot are meant to begin, seconds after local midnight."""
    hour = _DEPARTURE_H[use, slot] + _DEPARTURE_SPREAD_H * normal(
        seed, "departure", number, day, slot
    )
    if _is_weekend(day):
        hour = hour + np.where(use == COMMUTER, _WEEKEND_DELAY_H, 1)
    return (np.clip(hour, 0.5, 23.2) * HOUR_S).astype(np.int64)


def trip_km(seed: int, number: np.ndarray, use: np.ndarray, day: int, slot: int) -> np.ndarray:
    """Return how far the drives of a slot are meant to go, km; a few are long."""
    usual = _MEDIAN_KM[use] * np.exp(
        _KM_SPREAD[use] * normal(seed, "trip length", number, day, slot)
    )
    place = uniform(seed, "long trip", number, day, slot)
    nearest, farthest = _LONG_KM
    far = nearest + place / _LONG_SHARE[use] * (farthest - nearest)
    return np.maximum(np.where(place < _LONG_SHARE[use], far, usual), _LEAST_KM)


def trip_s(
    seed: int, number: np.ndarray, day: int, slot: int, distance_km: np.ndarray
) -> np.ndarray:
    """Return how long drives take: long ones are on faster roads."""
    speed = 20 + 55 * (1 - np.exp(-distance_km / 40))
    speed *= np.exp(0.15 * normal(seed, "speed", number, day, slot))
    return (distance_km / np.clip(speed, 12, 110) * HOUR_S).astype(np.int64) + 60


def temperature_c(seed: int, region: np.ndarray, day: int) -> np.ndarray:
    """Return the temperature of a day where each vehicle is: seasons, regions and weather."""
    season = -_SEASON_C * np.cos(2 * np.pi * (day % 365.25 - _COLDEST_DAY) / 365.25)
    return _MEAN_C + season + _REGION_C[region] + _WEATHER_C * normal(seed, "weather", region, day)


def trip_wh_per_km(
    seed: int, number: np.ndarray, day: int, slot: int, wh_per_km: np.ndarray, degrees: np.ndarray
) -> np.ndarray:
    """Return what each km takes, Wh: more in the cold, and differing from trip to trip."""
    cold = np.maximum(_COLD_BELOW_C - degrees, 0)
    trips = np.exp(_TRIP_SPREAD * normal(seed, "trip", number, day, slot))
    return wh_per_km * (1 + _PER_DEGREE * cold) * trips


def start_wh(degrees: np.ndarray) -> np.ndarray:
    """Return what every trip takes however short it is, Wh: it warms the cabin."""
    return _START_WH + _CABIN_WH * np.maximum(_COLD_BELOW_C - degrees, 0) / 20


def _is_weekend(day: int) -> bool:
    # 1970 began on a Thursday.
    return (day + 3) % 7 >= 5
