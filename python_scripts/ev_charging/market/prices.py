"""Day-ahead prices and grid carbon as a function of zone, hour and seed.

The value of an hour doesn't depend on the window that is asked for: an experiment, a simulated
fleet and the seed that cover the same hour see the same price.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from ev_charging.stateless_random import normal, uniform

HOUR_S = 3600
PRICE_DECIMALS = 2
CARBON_DECIMALS = 1
DECIMALS = {"eur_per_mwh": PRICE_DECIMALS, "g_co2_per_kwh": CARBON_DECIMALS}


@dataclass(frozen=True)
class PriceZone:
    """What distinguishes one zone from another.

    Attributes:
        time_zone: IANA name of the zone's clock.
        eur_per_mwh: level of the price.
        g_co2_per_kwh: level of the carbon of the grid's mix.
        solar_share: how far full sun pulls the price down, as a share of its level.
    """

    time_zone: str
    eur_per_mwh: float
    g_co2_per_kwh: float
    solar_share: float


ZONES = {
    "NO3": PriceZone("Europe/Oslo", 52.0, 41.0, 0.58),
    "GB": PriceZone("Europe/London", 78.0, 168.0, 0.55),
}

# Price of each hour of the day relative to the day's mean: cheap at night, a dip at midday, dear
# when people get up and when they come home.
_WORKDAY_SHAPE = np.array(
    [0.74, 0.68, 0.64, 0.62, 0.65, 0.76, 0.97, 1.27, 1.38, 1.24, 1.06, 0.98]
    + [0.94, 0.91, 0.94, 1.02, 1.14, 1.34, 1.42, 1.38, 1.22, 1.06, 0.94, 0.84]
)
_WEEKEND_SHAPE = np.array(
    [0.76, 0.70, 0.66, 0.64, 0.64, 0.67, 0.73, 0.82, 0.92, 0.98, 0.96, 0.90]
    + [0.85, 0.81, 0.82, 0.88, 0.98, 1.13, 1.20, 1.15, 1.05, 0.97, 0.90, 0.82]
)
_SUNDAY_DEMAND = 0.9
_WEEKEND_SUN = 1.35
_SEASON_AMPLITUDE = 0.28
_COLDEST_DAY = 20
_WEATHER_SPREAD, _WEATHER_MEMORY = 0.24, 0.985
_HOURLY_SPREAD, _HOURLY_MEMORY = 0.045, 0.7
_CARBON_FOLLOWS_PRICE = 0.45
_CARBON_SPREAD, _CARBON_MEMORY = 0.08, 0.95
_SMALLEST_CARBON_SHARE = 0.25
_NEGLIGIBLE = 1e-3


def hourly_prices(zone: str, first_local_day: date, days: int, seed: int) -> pd.DataFrame:
    """Return the hours of whole local days of a zone.

    Args:
        zone: one of `ZONES`.
        first_local_day: first day on the clock of the zone.
        days: number of local days of 23, 24 or 25 hours, at least 1.
        seed: seed of the random numbers.

    Returns:
        One row per hour, in order of time: zone, starts_at (UTC, no time zone), minutes (60),
        eur_per_mwh (2 decimals, may be negative), g_co2_per_kwh (1 decimal, above 0).

    Raises:
        ValueError: if the zone is unknown or there is no day.
    """
    if zone not in ZONES:
        raise ValueError(f"the zone must be one of {', '.join(ZONES)}, not {zone}")
    if days < 1:
        raise ValueError("prices need at least one day")
    parameters = ZONES[zone]
    starts_at = _hours(parameters.time_zone, first_local_day, days)
    relative_price = _relative_prices(zone, parameters, starts_at, seed)
    hour = starts_at.astype(np.int64) // HOUR_S
    noise = _CARBON_SPREAD * _autocorrelated(seed, f"carbon {zone}", hour, _CARBON_MEMORY)
    relative_carbon = 1 + _CARBON_FOLLOWS_PRICE * (relative_price - 1) + noise
    carbon = parameters.g_co2_per_kwh * np.maximum(relative_carbon, _SMALLEST_CARBON_SHARE)
    return pd.DataFrame(
        {
            "zone": zone,
            "starts_at": starts_at,
            "minutes": 60,
            "eur_per_mwh": (parameters.eur_per_mwh * relative_price).round(PRICE_DECIMALS),
            "g_co2_per_kwh": carbon.round(CARBON_DECIMALS),
        }
    )


def split_hours(prices: pd.DataFrame, minutes: int) -> pd.DataFrame:
    """Return hourly prices as shorter intervals that rise or fall towards the next hours.

    Price and carbon of an hour stay the mean of its intervals, but for rounding.

    Args:
        prices: consecutive hours of one zone, as `hourly_prices` gives them.
        minutes: length of the intervals, a divisor of 60.

    Raises:
        ValueError: if `minutes` doesn't divide an hour.
    """
    if minutes < 1 or 60 % minutes:
        raise ValueError(f"an hour can't be split into intervals of {minutes} minutes")
    parts = 60 // minutes
    part = np.tile(np.arange(parts), len(prices))
    # From the middle of the hour, in hours.
    place = (part + 0.5) / parts - 0.5
    split = prices.loc[prices.index.repeat(parts)].reset_index(drop=True)
    split["starts_at"] += pd.to_timedelta(part * minutes, unit="m")
    split["minutes"] = minutes
    for column, decimals in (
        ("eur_per_mwh", PRICE_DECIMALS),
        ("g_co2_per_kwh", CARBON_DECIMALS),
    ):
        values = prices[column].to_numpy()
        slope = np.gradient(values) if len(values) > 1 else np.zeros(1)
        split[column] = (split[column] + place * np.repeat(slope, parts)).round(decimals)
    return split


def _hours(time_zone: str, first_local_day: date, days: int) -> np.ndarray:
    """Return the instants (UTC) of all hours of the local days, as datetime64[s]."""
    midnights = [
        pd.Timestamp(day, tz=ZoneInfo(time_zone)).tz_convert("UTC").tz_localize(None)
        for day in (first_local_day, first_local_day + timedelta(days=days))
    ]
    return np.arange(*(np.datetime64(midnight, "s") for midnight in midnights), HOUR_S)


def _relative_prices(
    zone: str, parameters: PriceZone, starts_at: np.ndarray, seed: int
) -> np.ndarray:
    """Return the price of each hour relative to the level of its zone."""
    local = pd.DatetimeIndex(starts_at).tz_localize("UTC").tz_convert(parameters.time_zone)
    hour_of_day = local.hour.to_numpy()
    day_of_year = local.day_of_year.to_numpy()
    weekday = local.day_of_week.to_numpy()
    is_weekend = weekday >= 5
    year_turn = 2 * np.pi * (day_of_year - _COLDEST_DAY) / 365.25
    season = 1 + _SEASON_AMPLITUDE * np.cos(year_turn)
    shape = np.where(is_weekend, _WEEKEND_SHAPE[hour_of_day], _WORKDAY_SHAPE[hour_of_day])
    shape = shape * np.where(weekday == 6, _SUNDAY_DEMAND, 1)

    hour = starts_at.astype(np.int64) // HOUR_S
    weather = _autocorrelated(seed, f"weather {zone}", hour, _WEATHER_MEMORY)
    hourly = _autocorrelated(seed, f"hourly price {zone}", hour, _HOURLY_MEMORY)
    unsolar = season * shape * np.exp(_WEATHER_SPREAD * weather) + _HOURLY_SPREAD * hourly

    height = np.maximum(np.cos(2 * np.pi * (hour_of_day + 0.5 - 13.5) / 28), 0) ** 2
    summer = np.clip(0.5 - 0.6 * np.cos(year_turn), 0, 1)
    local_day = local.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    clear_sky = uniform(seed, f"clear sky {zone}", local_day)
    sun = height * summer * clear_sky * np.where(is_weekend, _WEEKEND_SUN, 1)
    return unsolar - parameters.solar_share * sun


def _autocorrelated(seed: int, channel: str, hour: np.ndarray, memory: float) -> np.ndarray:
    """Return an AR(1) series of variance 1 at consecutive hours.

    It is written as the moving average that it is, cut where older hours no longer matter, so
    that an hour has the same value in every window.
    """
    length = int(np.ceil(np.log(_NEGLIGIBLE) / np.log(memory)))
    weights = memory ** np.arange(length)
    shocks = normal(seed, channel, np.arange(hour[0] - length + 1, hour[-1] + 1))
    return np.convolve(shocks, weights / np.sqrt(np.sum(weights**2)), mode="valid")
